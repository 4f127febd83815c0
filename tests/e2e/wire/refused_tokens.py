"""Requests with tokens in wrong places, with a second credential, or for somebody else's folder."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.gateway import FILES
from tests.e2e.token_site import (
    AWAY,
    KEYLESS,
    KEYS_ONLY,
    OWN,
    QUERY,
    SHARED,
    TOKENS_ONLY,
    TokenSite,
    bearing,
    in_header,
    in_query,
)
from tests.e2e.wire.client import Request
from tests.e2e.wire.forms import form
from tests.e2e.wire.scene import Scene

Build = Callable[[TokenSite, Scene], Request]


def good(build: Callable[[Scene, str], Request]) -> Build:
    """A request with a good token in a bad place."""
    return lambda site, scene: build(scene, site.issuer.token())


def presigned(scene: Scene, token: str) -> Request:
    return scene.owner.presign(scene.put().with_query(f"{QUERY}={token}"))


HOSTILE_REQUESTS: list[tuple[str, str, Build, int, str, str]] = [
    ("nothing", FILES, lambda site, s: s.put(), 401, "AccessDenied", "neither a token nor a signature"),
    (
        "nothing-tokens-only",
        TOKENS_ONLY,
        lambda site, s: s.put(),
        401,
        "AccessDenied",
        "Authorization: Bearer",
    ),
    ("bearer-empty", FILES, lambda site, s: bearing(s.put(), ""), 401, "AccessDenied", "neither"),
    ("query-empty", FILES, lambda site, s: s.put().with_query(f"{QUERY}="), 401, "AccessDenied", "neither"),
    (
        "bearer-on-keys-only",
        KEYS_ONLY,
        good(lambda s, t: bearing(s.put(), t)),
        400,
        "InvalidRequest",
        "bearer",
    ),
    (
        "query-on-keys-only",
        KEYS_ONLY,
        good(lambda s, t: in_query(s.put(), t)),
        403,
        "AccessDenied",
        "not signed",
    ),
    (
        "signature-on-tokens-only",
        TOKENS_ONLY,
        lambda site, s: s.owner.sign(s.put()),
        403,
        "AccessDenied",
        "does not take AWS",
    ),
    (
        "other-issuer",
        SHARED,
        good(lambda s, t: bearing(s.put(), t)),
        401,
        "InvalidToken",
        "algorithm not accepted",
    ),
    (
        "bearer-and-header",
        FILES,
        good(lambda s, t: in_header(bearing(s.put(), t), t)),
        400,
        "InvalidArgument",
        "Only one",
    ),
    (
        "bearer-and-query",
        FILES,
        good(lambda s, t: in_query(bearing(s.put(), t), t)),
        400,
        "InvalidArgument",
        "Only one",
    ),
    (
        "header-and-query",
        FILES,
        good(lambda s, t: in_query(in_header(s.put(), t), t)),
        400,
        "InvalidArgument",
        "Only one",
    ),
    (
        "query-twice",
        FILES,
        good(lambda s, t: s.put().with_query(f"{QUERY}={t}&{QUERY}={t}")),
        400,
        "InvalidArgument",
        "more than once",
    ),
    (
        "bearer-twice",
        FILES,
        good(lambda s, t: bearing(bearing(s.put(), t), t)),
        401,
        "InvalidToken",
        "malformed token",
    ),
    (
        "header-twice",
        FILES,
        good(lambda s, t: in_header(in_header(s.put(), t), t)),
        401,
        "InvalidToken",
        "malformed token",
    ),
    (
        "basic",
        FILES,
        lambda site, s: s.put().and_header("Authorization", "Basic eDp5"),
        400,
        "InvalidRequest",
        "not supported",
    ),
    (
        "signature-and-header",
        FILES,
        good(lambda s, t: in_header(s.owner.sign(s.put()), t)),
        400,
        "InvalidArgument",
        "Only one",
    ),
    (
        "signature-and-query",
        FILES,
        good(lambda s, t: s.owner.sign(in_query(s.put(), t))),
        400,
        "InvalidArgument",
        "Only one",
    ),
    (
        "signature-and-bearer",
        FILES,
        good(lambda s, t: bearing(s.owner.sign(s.put()), t)),
        400,
        "AuthorizationHeaderMalformed",
        "",
    ),
    (
        "presigned-and-bearer",
        FILES,
        good(lambda s, t: bearing(s.owner.presign(s.put()), t)),
        400,
        "InvalidArgument",
        "Only one",
    ),
    ("presigned-and-query", FILES, good(presigned), 400, "InvalidArgument", "Only one"),
    (
        "underscore-header",
        FILES,
        good(lambda s, t: s.put().and_header("X_Auth_Token", t)),
        401,
        "AccessDenied",
        "neither",
    ),
    (
        "session-token-alone",
        FILES,
        good(lambda s, t: s.put().and_header("x-amz-security-token", t)),
        401,
        "AccessDenied",
        "neither",
    ),
    (
        "cookie",
        FILES,
        good(lambda s, t: s.put().and_header("Cookie", f"token={t}")),
        401,
        "AccessDenied",
        "neither",
    ),
    ("form-with-nothing", FILES, lambda site, s: form(s, {"key": s.key}), 401, "AccessDenied", "neither"),
    (
        "form-with-field",
        FILES,
        good(lambda s, t: form(s, {"key": s.key, QUERY: t})),
        401,
        "AccessDenied",
        "neither",
    ),
    (
        "form-with-bad-token",
        FILES,
        lambda site, s: bearing(form(s, {"key": s.key}), "x.y.z"),
        401,
        "InvalidToken",
        "malformed",
    ),
    (
        "no-keys",
        KEYLESS,
        lambda site, s: bearing(s.put(), site.issuer.token(iss=AWAY)),
        503,
        "ServiceUnavailable",
        "cannot be verified",
    ),
    ("other-folder", OWN, good(lambda s, t: bearing(s.put(), t)), 403, "AccessDenied", ""),
    (
        "folder-above",
        OWN,
        good(lambda s, t: bearing(s.put().with_path("/own-folders/users/alice/../bob/x"), t)),
        400,
        "InvalidArgument",
        "'..'",
    ),
    (
        "folder-encoded-above",
        OWN,
        good(lambda s, t: bearing(s.put().with_path("/own-folders/users/alice/%2e%2e/bob/x"), t)),
        400,
        "InvalidArgument",
        "'..'",
    ),
    (
        "folder-alike",
        OWN,
        good(lambda s, t: bearing(s.put().with_path("/own-folders/users/alicex/y"), t)),
        403,
        "AccessDenied",
        "",
    ),
    (
        "folder-itself",
        OWN,
        good(lambda s, t: bearing(s.put().with_path("/own-folders/users/alice"), t)),
        403,
        "AccessDenied",
        "",
    ),
    (
        "folder-in-other-case",
        OWN,
        good(lambda s, t: bearing(s.put().with_path("/own-folders/Users/alice/x"), t)),
        403,
        "AccessDenied",
        "",
    ),
    ("read", FILES, good(lambda s, t: bearing(s.request("GET"), t)), 405, "MethodNotAllowed", "upload-only"),
    ("unknown-bucket", "nowhere", good(lambda s, t: bearing(s.put(), t)), 400, "InvalidRequest", "bearer"),
]
