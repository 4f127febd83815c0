"""What a session can do on the S3 API, and what it cannot."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests

from authz.sts.session import Grant, Session, SessionSealer
from mizuchi_site.keyring import Keyring
from tests.e2e.gateway import FILES, SEAWEED
from tests.e2e.sessions import allowing, exchanged, in_form, in_header, in_url, s3_of, signer_of, with_session
from tests.e2e.token_site import KEYS_ONLY, OWN, SHARED, TOKENS_ONLY, TokenSite, bearing
from tests.e2e.wire.client import Request
from tests.e2e.wire.forms import fields, form
from tests.e2e.wire.scene import BODY, Scene, parts_xml
from tests.e2e.wire.signing import Signer

BOTH = (FILES, SEAWEED)
CARRIERS = [in_header, in_url, in_form]


@pytest.mark.parametrize("carry", CARRIERS, ids=["header", "url", "form"])
@pytest.mark.parametrize("bucket", BOTH)
def test_a_session_signs_in_every_way(
    token_site: TokenSite, bucket: str, carry: Callable[[Scene, Mapping[str, Any]], Request]
) -> None:
    scene = token_site.scene(bucket)

    answer = token_site.send(carry(scene, exchanged(token_site)))

    assert answer.status in (200, 204), answer
    assert scene.read() == BODY


def test_boto3_presigns_with_a_session(token_site: TokenSite) -> None:
    client = s3_of(token_site, exchanged(token_site))

    url = client.generate_presigned_url("put_object", {"Bucket": FILES, "Key": "presigned"}, ExpiresIn=60)
    post = client.generate_presigned_post(FILES, "posted")

    assert requests.put(url, data=b"by url", timeout=10).status_code == 200
    sent = requests.post(post["url"], data=post["fields"], files={"file": b"by form"}, timeout=10)
    assert sent.status_code == 204
    assert token_site.gateway.read(FILES, "presigned") == b"by url"
    assert token_site.gateway.read(FILES, "posted") == b"by form"


def stolen_id(site: TokenSite, scene: Scene) -> Request:
    """A session's token beside another session's keys."""
    signer, _ = signer_of(exchanged(site))
    _, token = signer_of(exchanged(site))
    return signer.sign(scene.put(headers={"x-amz-security-token": token}))


def beside_permanent(site: TokenSite, scene: Scene) -> Request:
    _, token = signer_of(exchanged(site))
    return scene.owner.sign(scene.put(headers={"x-amz-security-token": token}))


def without_token(site: TokenSite, scene: Scene) -> Request:
    signer, _ = signer_of(exchanged(site))
    return signer.sign(scene.put())


def wrong_secret(site: TokenSite, scene: Scene) -> Request:
    signer, token = signer_of(exchanged(site))
    return signer.but(secret="x" * 40).sign(scene.put(headers={"x-amz-security-token": token}))


def unsigned_token(site: TokenSite, scene: Scene) -> Request:
    signer, token = signer_of(exchanged(site))
    return signer.sign(scene.put()).and_header("x-amz-security-token", token)


def changed_token(site: TokenSite, scene: Scene) -> Request:
    signer, token = signer_of(exchanged(site))
    changed = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    return signer.sign(scene.put(headers={"x-amz-security-token": changed}))


def token_in_another_place(site: TokenSite, scene: Scene) -> Request:
    """Presigned, with the session token in a header beside it."""
    signer, token = signer_of(exchanged(site))
    return signer.presign(scene.put(headers={"x-amz-security-token": token}))


def identity_token(site: TokenSite, scene: Scene) -> Request:
    signer, _ = signer_of(exchanged(site))
    return signer.sign(scene.put(headers={"x-amz-security-token": site.issuer.token()}))


def form_with_another_token(site: TokenSite, scene: Scene) -> Request:
    signer, _ = signer_of(exchanged(site))
    _, token = signer_of(exchanged(site))
    session = {"x-amz-security-token": token}
    return form(scene, fields(scene, session, signer=signer) | session)


def form_without_condition(site: TokenSite, scene: Scene) -> Request:
    signer, token = signer_of(exchanged(site))
    return form(scene, fields(scene, signer=signer) | {"x-amz-security-token": token})


def session_and_bearer(site: TokenSite, scene: Scene) -> Request:
    signer, token = signer_of(exchanged(site))
    signed = signer.sign(scene.put(headers={"x-amz-security-token": token}))
    return signed.and_header("X-Auth-Token", site.issuer.token())


def on(policy: Any = None) -> Callable[[TokenSite, Scene], Request]:
    def build(site: TokenSite, scene: Scene) -> Request:
        more = {} if policy is None else {"Policy": json.dumps(policy)}
        return in_header(scene, exchanged(site, **more))

    return build


INVALID, DENIED = (400, "InvalidToken"), (403, "AccessDenied")


@pytest.mark.parametrize(
    ("bucket", "build", "refusal"),
    [
        (FILES, stolen_id, INVALID),
        (FILES, beside_permanent, INVALID),
        (FILES, changed_token, INVALID),
        (FILES, identity_token, INVALID),
        (FILES, form_with_another_token, INVALID),
        (FILES, form_without_condition, DENIED),
        (FILES, without_token, (403, "InvalidAccessKeyId")),
        (FILES, token_in_another_place, (403, "InvalidAccessKeyId")),
        (FILES, wrong_secret, (403, "SignatureDoesNotMatch")),
        (FILES, unsigned_token, DENIED),
        (FILES, session_and_bearer, (400, "InvalidArgument")),
        (KEYS_ONLY, on(), DENIED),
        (TOKENS_ONLY, on(), DENIED),
        (SHARED, on(), DENIED),
        (OWN, on(), DENIED),
        ("nowhere", on(), DENIED),
        (SEAWEED, on(allowing("arn:aws:s3:::files/*")), DENIED),
        (FILES, on(allowing("arn:aws:s3:::files/other/*")), DENIED),
        (FILES, on(allowing("arn:aws:s3:::files")), DENIED),
    ],
    ids=[
        "token-of-another-session",
        "token-beside-a-permanent-key",
        "token-changed",
        "identity-token",
        "form-token-of-another-session",
        "form-token-without-condition",
        "no-token",
        "presigned-token-in-a-header",
        "secret-wrong",
        "token-unsigned",
        "session-and-bearer",
        "bucket-without-tokens",
        "bucket-without-signatures",
        "bucket-of-another-issuer",
        "bucket-with-folders",
        "no-bucket",
        "policy-of-another-bucket",
        "policy-of-another-prefix",
        "policy-without-keys",
    ],
)
def test_what_a_session_cannot_do(
    token_site: TokenSite,
    bucket: str,
    build: Callable[[TokenSite, Scene], Request],
    refusal: tuple[int, str],
) -> None:
    scene = token_site.scene(bucket)
    before = scene.holdings()

    answer = token_site.send(build(token_site, scene))

    assert (answer.status, answer.code) == refusal, answer
    assert scene.holdings() == before
    assert scene.records() == []


def test_a_policy_leaves_its_prefix(token_site: TokenSite) -> None:
    narrow = exchanged(token_site, Policy=json.dumps(allowing("arn:aws:s3:::files/in/*")))
    scene = token_site.scene()
    scene.key = "in/x"
    wide_upload = exchanged(token_site)
    begun = token_site.send(with_session(scene.request("POST", "/files/out/y", "uploads="), wide_upload))
    assert begun.status == 200

    assert token_site.send(in_header(scene, narrow)).status == 200
    listed = token_site.send(with_session(scene.request("GET", "/files", "uploads="), narrow))
    assert (listed.status, listed.texts("UploadId")) == (200, [])
    everything = token_site.send(with_session(scene.request("GET", "/files", "uploads="), wide_upload))
    assert begun.text("UploadId") in everything.texts("UploadId")


@pytest.mark.parametrize("bucket", BOTH)
def test_sessions_of_one_subject_share_an_upload_and_others_do_not_see_it(
    token_site: TokenSite, bucket: str
) -> None:
    scene = token_site.scene(bucket)
    begun = token_site.send(with_session(scene.request("POST", query="uploads="), exchanged(token_site)))
    query = f"uploadId={begun.text('UploadId')}"
    part_request = scene.request("PUT", query=f"partNumber=1&{query}", body=BODY)
    part = token_site.send(with_session(part_request, exchanged(token_site)))
    assert part.status == 200, part
    complete = scene.request("POST", query=query, body=parts_xml([(1, part.headers["etag"])]))
    bob = exchanged(token_site, "bob")
    strangers: list[Callable[[Request], Request]] = [
        lambda r: with_session(r, bob),
        lambda r: bearing(r, token_site.issuer.token("bob")),
        lambda r: scene.owner.sign(r),
    ]
    for prove in strangers:
        for request in (
            part_request,
            scene.request("GET", query=query),
            complete,
            scene.request("DELETE", query=query),
        ):
            answer = token_site.send(prove(request))
            assert (answer.status, answer.code) == (404, "NoSuchUpload")
        listed = token_site.send(prove(scene.request("GET", f"/{bucket}", "uploads=")))
        assert begun.text("UploadId") not in listed.texts("UploadId")

    # The same person, by token this time.
    assert token_site.send(bearing(complete, token_site.issuer.token("alice"))).status == 200
    assert scene.read() == BODY


def test_a_session_ends(token_site: TokenSite) -> None:
    """Sealed by the gateway's own code with its own keys, since the shortest session lasts 15 minutes."""
    config = json.loads((token_site.gateway.log.parent / "config.yaml").read_text())
    sealer = SessionSealer(Keyring.derive(config["security"]["secret_keys"]).sessions)
    grant = Grant("0" * 16, token_site.issuer.url, "alice")
    token, secret = sealer.seal("MZENDED0000000000000", Session(int(time.time()), (grant,)))
    scene = token_site.scene()

    answer = token_site.send(
        Signer("MZENDED0000000000000", secret).sign(scene.put(headers={"x-amz-security-token": token}))
    )

    assert (answer.status, answer.code) == (400, "ExpiredToken")
