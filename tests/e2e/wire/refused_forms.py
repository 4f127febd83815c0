"""POST forms that break their policy, have none that holds, or are no forms."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.e2e.gateway import LIMITED
from tests.e2e.wire.client import Request
from tests.e2e.wire.forms import BOUNDARY, FORM, fields, form, joined, policy, posted
from tests.e2e.wire.refusal import Refusal
from tests.e2e.wire.scene import BODY, Scene, md5_of

Build = Callable[[Scene], Request]


def holding(*conditions: Any, **terms: Any) -> Build:
    """A form of a policy with these conditions, signed."""
    return lambda s: form(s, fields(s, *conditions, **terms))


def with_fields(added: dict[str, str], *conditions: Any) -> Build:
    return lambda s: form(s, fields(s, *conditions) | added)


def without(*names: str) -> Build:
    return lambda s: form(s, {name: text for name, text in fields(s).items() if name not in names})


def with_policy(text: str) -> Build:
    """A form whose policy is signed, though it is none."""

    def build(scene: Scene) -> Request:
        signed = fields(scene)
        signature = hmac.digest(scene.owner.key(signed["x-amz-date"]), text.encode(), "sha256").hex()
        return form(scene, signed | {"policy": text, "x-amz-signature": signature})

    return build


def rewritten(change: Callable[[bytes], bytes]) -> Build:
    """A valid form whose bytes are changed."""

    def build(scene: Scene) -> Request:
        request = form(scene, fields(scene))
        return request.with_body(change(request.body))

    return build


def as_content_type(content_type: str) -> Build:
    return lambda s: form(s, fields(s)).with_headers({"Content-Type": content_type})


def of_key(key: str) -> Build:
    def build(scene: Scene) -> Request:
        scene.key = key
        return form(scene, fields(scene))

    return build


def encoded(document: Any) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def cut(request: Request) -> Request:
    """The same head, but only half the body."""
    return replace(request, body=request.body[: len(request.body) // 2])


FORMS = (
    Refusal("form-signature-wrong", 403, "SignatureDoesNotMatch", with_fields({"x-amz-signature": "0" * 64})),
    Refusal(
        "form-secret-wrong",
        403,
        "SignatureDoesNotMatch",
        lambda s: form(s, fields(s, signer=s.owner.but(secret="x" * 40))),
    ),
    Refusal(
        "form-policy-changed",
        403,
        "SignatureDoesNotMatch",
        lambda s: form(s, fields(s) | {"policy": encoded(policy(s, minutes=999))}),
    ),
    Refusal(
        "form-key-unknown",
        403,
        "InvalidAccessKeyId",
        lambda s: form(s, fields(s, signer=s.owner.but(access_key_id="AKNOBODY"))),
    ),
    Refusal("form-not-signed", 403, "AccessDenied", lambda s: form(s, {"key": s.key})),
    Refusal(
        "form-signed-in-the-header",
        403,
        "AccessDenied",
        lambda s: s.owner.sign(form(s, {"key": s.key})),
    ),
    Refusal("form-signature-missing", 400, "AuthorizationQueryParametersError", without("x-amz-signature")),
    Refusal("form-policy-missing", 400, "AuthorizationQueryParametersError", without("policy")),
    Refusal(
        "form-denied-by-scope",
        403,
        "AccessDenied",
        lambda s: form(s, fields(s, signer=s.neighbour)),
        (LIMITED,),
    ),
    Refusal("form-expired", 403, "AccessDenied", holding(minutes=-1), says="expired"),
    Refusal("form-of-another-bucket", 403, "AccessDenied", holding(bucket="other")),
    Refusal("form-key-differs", 403, "AccessDenied", with_fields({"key": "refused/another"})),
    Refusal("form-condition-unmet", 403, "AccessDenied", holding({"acl": "private"})),
    Refusal(
        "form-condition-broken",
        403,
        "AccessDenied",
        with_fields({"Content-Type": "text/html"}, {"content-type": "text/plain"}),
    ),
    Refusal(
        "form-extra-field", 403, "AccessDenied", with_fields({"x-amz-meta-a": "b"}), says="Extra input fields"
    ),
    Refusal("form-file-too-large", 400, "EntityTooLarge", holding(["content-length-range", 0, 10])),
    Refusal("form-file-too-small", 400, "EntityTooSmall", holding(["content-length-range", 1000, 2000])),
    Refusal("form-range-impossible", 400, "InvalidPolicyDocument", holding(["content-length-range", 9, 1])),
    Refusal("form-operator-unknown", 400, "InvalidPolicyDocument", holding(["matches", "$key", ".*"])),
    Refusal("form-policy-not-base64", 400, "InvalidPolicyDocument", with_policy("{}")),
    Refusal(
        "form-policy-not-json", 400, "InvalidPolicyDocument", with_policy(base64.b64encode(b"{").decode())
    ),
    Refusal(
        "form-policy-without-end", 400, "InvalidPolicyDocument", with_policy(encoded({"conditions": []}))
    ),
    Refusal(
        "form-policy-deep", 400, "InvalidPolicyDocument", with_policy(base64.b64encode(b"[" * 9000).decode())
    ),
    Refusal("form-without-file", 400, "InvalidArgument", lambda s: form(s, fields(s), None)),
    Refusal("form-without-key", 400, "InvalidArgument", without("key")),
    Refusal(
        "form-key-after-file",
        400,
        "InvalidArgument",
        lambda s: form(s, {n: t for n, t in fields(s).items() if n != "key"}, after={"key": s.key}),
    ),
    Refusal("form-key-dot-dot", 400, "InvalidArgument", of_key("../escaped")),
    Refusal("form-key-control", 400, "InvalidURI", of_key("a\1b")),
    Refusal(
        "form-filename-dot-dot",
        400,
        "InvalidArgument",
        lambda s: posted(s, form(s, fields(s) | {"key": "a/${filename}"}).body.replace(b'"f.txt"', b'".."')),
    ),
    Refusal(
        "form-md5-wrong",
        400,
        "BadDigest",
        with_fields({"content-md5": md5_of(b"other")}, ["starts-with", "$content-md5", ""]),
    ),
    Refusal(
        "form-checksum-wrong",
        400,
        "BadDigest",
        with_fields({"x-amz-checksum-crc32": "AAAAAA=="}, ["starts-with", "$x-amz-checksum-crc32", ""]),
    ),
    Refusal("form-not-of-the-type", 400, "MalformedPOSTRequest", as_content_type("application/octet-stream")),
    Refusal(
        "form-urlencoded", 400, "MalformedPOSTRequest", as_content_type("application/x-www-form-urlencoded")
    ),
    Refusal("form-without-boundary", 400, "MalformedPOSTRequest", as_content_type("multipart/form-data")),
    Refusal("form-of-another-boundary", 400, "MalformedPOSTRequest", as_content_type(FORM + "x")),
    Refusal(
        "form-boundary-enormous",
        400,
        "MalformedPOSTRequest",
        as_content_type(f"multipart/form-data; boundary={'b' * 3000}"),
    ),
    Refusal("form-no-form", 400, "MalformedPOSTRequest", lambda s: posted(s, b"no form at all, but text")),
    Refusal("form-empty", 400, "MalformedPOSTRequest", lambda s: posted(s, b"")),
    Refusal(
        "form-without-final-boundary",
        400,
        "IncompleteBody",
        rewritten(lambda body: body[: -len(BOUNDARY) - 8]),
    ),
    Refusal(
        "form-cut-in-the-file", 400, "IncompleteBody", rewritten(lambda body: body[: body.index(BODY) + 9])
    ),
    Refusal("form-cut-in-a-field", 400, "MalformedPOSTRequest", rewritten(lambda body: body[:90])),
    Refusal("form-cut-on-the-wire", 400, "IncompleteBody", lambda s: cut(form(s, fields(s))), is_cut=True),
    Refusal(
        "form-field-twice",
        400,
        "MalformedPOSTRequest",
        lambda s: posted(s, joined([b'Content-Disposition: form-data; name="key"\r\n\r\na'] * 2)),
    ),
    Refusal(
        "form-part-without-name",
        400,
        "MalformedPOSTRequest",
        lambda s: posted(s, joined([b"Content-Disposition: form-data\r\n\r\na"])),
    ),
    Refusal(
        "form-part-encoded",
        501,
        "NotImplemented",
        lambda s: posted(
            s,
            joined(
                [
                    b'Content-Disposition: form-data; name="key"\r\n'
                    b"Content-Transfer-Encoding: base64\r\n\r\nYQ=="
                ],
            ),
        ),
    ),
    Refusal(
        "form-field-of-30-kib",
        400,
        "MaxPostPreDataLengthExceededError",
        with_fields({"x-ignore-a": "x" * 30_000}),
    ),
    Refusal(
        "form-of-200-fields",
        400,
        "MaxPostPreDataLengthExceededError",
        with_fields({f"x-ignore-{n}": "" for n in range(200)}),
    ),
    Refusal("form-type-not-allowed", 400, "InvalidArgument", holding(), (LIMITED,)),
    Refusal(
        "form-over-the-limit",
        400,
        "EntityTooLarge",
        lambda s: form(
            s,
            fields(s, {"content-type": "text/plain"}) | {"content-type": "text/plain"},
            b"x" * (64 * 1024 + 1),
        ),
        (LIMITED,),
    ),
)
