"""Tokens exchanged for sessions, by SDKs as they come, and what a session can and cannot do."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from authz.sts.session import Grant, Session, SessionSealer
from mizuchi_site.keyring import Keyring
from tests.e2e.clients.aws_cli import CLIENTS
from tests.e2e.clients.cases import content_of_size
from tests.e2e.clients.target import Client, Target, run
from tests.e2e.gateway import FILES, SEAWEED
from tests.e2e.test_jwt import attributes, spans_of
from tests.e2e.token_site import KEYS_ONLY, OWN, SHARED, TOKENS_ONLY, TokenSite, bearing, running_token_site
from tests.e2e.wire.client import Answer, Request
from tests.e2e.wire.forms import fields, form
from tests.e2e.wire.scene import BODY, Scene, parts_xml, surprises_in
from tests.e2e.wire.signing import Signer
from tests.servers.seaweedfs import SeaweedFS

BOTH = (FILES, SEAWEED)
MIB = 1024 * 1024
ROLE = "arn:aws:iam::123456789012:role/uploader"
ACTION = "AssumeRoleWithWebIdentity"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[TokenSite]:
    with running_token_site(tmp_path_factory.mktemp("sts"), seaweedfs) as running:
        yield running


@pytest.fixture(autouse=True)
def foreseen(site: TokenSite) -> Iterator[None]:
    """No refusal is an accident."""
    start = site.gateway.log.stat().st_size
    yield
    with site.gateway.log.open("rb") as log:
        log.seek(start)
        assert surprises_in(log.read().decode(errors="replace")) == []


def exchanged(site: TokenSite, subject: str = "alice", **more: Any) -> Mapping[str, Any]:
    """What boto3's STS client makes of the answer."""
    sts = boto3.client(
        "sts",
        endpoint_url=site.gateway.endpoint,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )
    answer: Mapping[str, Any] = sts.assume_role_with_web_identity(
        **{
            "RoleArn": ROLE,
            "RoleSessionName": "tests",
            "WebIdentityToken": site.issuer.token(subject),
            **more,
        }
    )
    return answer


def signer_of(answer: Mapping[str, Any]) -> tuple[Signer, str]:
    keys = answer["Credentials"]
    return Signer(keys["AccessKeyId"], keys["SecretAccessKey"]), keys["SessionToken"]


def with_session(scene_request: Request, answer: Mapping[str, Any]) -> Request:
    """Signed by the session's keys, token and all."""
    signer, token = signer_of(answer)
    return signer.sign(scene_request.and_header("x-amz-security-token", token))


def s3_of(site: TokenSite, answer: Mapping[str, Any]) -> Any:
    keys = answer["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=site.gateway.endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}, signature_version="s3v4"),
    )


def test_the_answer_is_that_of_sts(site: TokenSite) -> None:
    answer = exchanged(site, "alice", DurationSeconds=900)

    keys = answer["Credentials"]
    assert re.fullmatch(r"MZ[A-Z2-7]{18}", keys["AccessKeyId"])
    assert len(keys["SessionToken"]) < 1024
    assert 880 < keys["Expiration"].timestamp() - time.time() <= 900
    assert answer["SubjectFromWebIdentityToken"] == "alice"
    assert answer["Provider"] == site.issuer.url
    assert answer["Audience"] == "mizuchi"
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/uploader/tests"
    assert re.fullmatch("[0-9a-f]{32}", answer["ResponseMetadata"]["RequestId"])


@pytest.fixture
def login(site: TokenSite, tmp_path: Path) -> Mapping[str, str]:
    """What a user exports to log in by OIDC; the SDKs do the rest."""
    file = tmp_path / "token"
    file.write_text(site.issuer.token("alice"))
    return {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
        "AWS_ROLE_ARN": ROLE,
        "AWS_ROLE_SESSION_NAME": "tests",
        "AWS_ENDPOINT_URL": site.gateway.endpoint,
        "AWS_ENDPOINT_URL_STS": site.gateway.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.mark.parametrize("bucket", BOTH)
@pytest.mark.parametrize("size", [1000, 30 * MIB], ids=["small", "large"])
def test_boto3_logs_in_by_itself(
    site: TokenSite, bucket: str, size: int, login: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in login.items():
        monkeypatch.setenv(name, value)
    file = Path(login["AWS_WEB_IDENTITY_TOKEN_FILE"]).with_name("content")
    file.write_bytes(content_of_size(size))

    boto3.session.Session().client("s3").upload_file(str(file), bucket, f"boto3/{size}")

    arrived = site.gateway.read(bucket, f"boto3/{size}")
    assert (len(arrived), arrived == content_of_size(size)) == (size, True)


CLIS = [client for client in CLIENTS if re.fullmatch("aws-cli-v[12]-cp", client.name)]


@pytest.mark.parametrize("bucket", BOTH)
@pytest.mark.parametrize("size", [1000, 30 * MIB], ids=["small", "large"])
@pytest.mark.parametrize("client", [pytest.param(client, id=client.name) for client in CLIS])
def test_the_aws_cli_logs_in_by_itself(
    site: TokenSite, client: Client, size: int, bucket: str, login: Mapping[str, str], tmp_path: Path
) -> None:
    if client.missing():
        pytest.skip(f"{client.name}: no {', '.join(client.missing())}")
    (program,) = client.needs
    file = tmp_path / "content"
    file.write_bytes(content_of_size(size))
    target = Target(site.gateway.endpoint, "", "", bucket, home=tmp_path)
    login = {**login, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    # Before 2.13 the CLI reads no AWS_ENDPOINT_URL_STS: such a user takes the session with one more command.
    words = ("--endpoint-url", site.gateway.endpoint)
    if "v2" in client.name:
        keys = exchanged(site)["Credentials"]
        login |= {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    run(
        target,
        program,
        *words,
        "s3",
        "cp",
        file,
        f"s3://{bucket}/{client.name}/{size}",
        variables=dict(login),
    )

    arrived = site.gateway.read(bucket, f"{client.name}/{size}")
    assert (len(arrived), arrived == content_of_size(size)) == (size, True)


def in_header(scene: Scene, answer: Mapping[str, Any]) -> Request:
    return with_session(scene.put(), answer)


def in_url(scene: Scene, answer: Mapping[str, Any]) -> Request:
    signer, token = signer_of(answer)
    return signer.presign(scene.put().with_query(f"X-Amz-Security-Token={token}"))


def in_form(scene: Scene, answer: Mapping[str, Any]) -> Request:
    signer, token = signer_of(answer)
    session = {"x-amz-security-token": token}
    return form(scene, fields(scene, session, signer=signer) | session)


CARRIERS = [in_header, in_url, in_form]


@pytest.mark.parametrize("carry", CARRIERS, ids=["header", "url", "form"])
@pytest.mark.parametrize("bucket", BOTH)
def test_a_session_signs_in_every_way(
    site: TokenSite, bucket: str, carry: Callable[[Scene, Mapping[str, Any]], Request]
) -> None:
    scene = site.scene(bucket)

    answer = site.send(carry(scene, exchanged(site)))

    assert answer.status in (200, 204), answer
    assert scene.read() == BODY


def test_boto3_presigns_with_a_session(site: TokenSite) -> None:
    client = s3_of(site, exchanged(site))

    url = client.generate_presigned_url("put_object", {"Bucket": FILES, "Key": "presigned"}, ExpiresIn=60)
    post = client.generate_presigned_post(FILES, "posted")

    assert requests.put(url, data=b"by url", timeout=10).status_code == 200
    sent = requests.post(post["url"], data=post["fields"], files={"file": b"by form"}, timeout=10)
    assert sent.status_code == 204
    assert site.gateway.read(FILES, "presigned") == b"by url"
    assert site.gateway.read(FILES, "posted") == b"by form"


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


def allowing(*resources: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": list(resources)}],
    }


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
    site: TokenSite,
    bucket: str,
    build: Callable[[TokenSite, Scene], Request],
    refusal: tuple[int, str],
) -> None:
    scene = site.scene(bucket)
    before = scene.holdings()

    answer = site.send(build(site, scene))

    assert (answer.status, answer.code) == refusal, answer
    assert scene.holdings() == before
    assert scene.records() == []


def test_a_policy_leaves_its_prefix(site: TokenSite) -> None:
    narrow = exchanged(site, Policy=json.dumps(allowing("arn:aws:s3:::files/in/*")))
    scene = site.scene()
    scene.key = "in/x"
    wide_upload = exchanged(site)
    begun = site.send(with_session(scene.request("POST", "/files/out/y", "uploads="), wide_upload))
    assert begun.status == 200

    assert site.send(in_header(scene, narrow)).status == 200
    listed = site.send(with_session(scene.request("GET", "/files", "uploads="), narrow))
    assert (listed.status, listed.texts("UploadId")) == (200, [])
    everything = site.send(with_session(scene.request("GET", "/files", "uploads="), wide_upload))
    assert begun.text("UploadId") in everything.texts("UploadId")


@pytest.mark.parametrize("bucket", BOTH)
def test_sessions_of_one_subject_share_an_upload_and_others_do_not_see_it(
    site: TokenSite, bucket: str
) -> None:
    scene = site.scene(bucket)
    begun = site.send(with_session(scene.request("POST", query="uploads="), exchanged(site)))
    query = f"uploadId={begun.text('UploadId')}"
    part_request = scene.request("PUT", query=f"partNumber=1&{query}", body=BODY)
    part = site.send(with_session(part_request, exchanged(site)))
    assert part.status == 200, part
    complete = scene.request("POST", query=query, body=parts_xml([(1, part.headers["etag"])]))
    bob = exchanged(site, "bob")
    strangers: list[Callable[[Request], Request]] = [
        lambda r: with_session(r, bob),
        lambda r: bearing(r, site.issuer.token("bob")),
        lambda r: scene.owner.sign(r),
    ]
    for prove in strangers:
        for request in (
            part_request,
            scene.request("GET", query=query),
            complete,
            scene.request("DELETE", query=query),
        ):
            answer = site.send(prove(request))
            assert (answer.status, answer.code) == (404, "NoSuchUpload")
        listed = site.send(prove(scene.request("GET", f"/{bucket}", "uploads=")))
        assert begun.text("UploadId") not in listed.texts("UploadId")

    # The same person, by token this time.
    assert site.send(bearing(complete, site.issuer.token("alice"))).status == 200
    assert scene.read() == BODY


def ask(site: TokenSite, parameters: Mapping[str, str], **more: str) -> Answer:
    request = site.scene().request(
        "POST", "/", headers={"Content-Type": FORM, **more}, body=urlencode(parameters).encode()
    )
    return site.send(request)


def asked(site: TokenSite, **changes: str | None) -> dict[str, str]:
    parameters = {
        "Action": ACTION,
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "tests",
        "WebIdentityToken": site.issuer.token(),
        **changes,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def test_minio_clients_ask_in_the_query(site: TokenSite) -> None:
    query = urlencode(asked(site, RoleArn=None, RoleSessionName=None))

    answer = site.send(site.scene().request("POST", "/", query))

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text("SessionToken")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"Action": None}, 400, "MissingAction"),
        ({"Action": "GetCallerIdentity"}, 400, "InvalidAction"),
        ({"Version": "2012-01-01"}, 400, "InvalidAction"),
        ({"WebIdentityToken": None}, 400, "ValidationError"),
        ({"WebIdentityToken": "a.b.c"}, 400, "InvalidIdentityToken"),
        ({"WebIdentityToken": "x" * 9000}, 400, "InvalidIdentityToken"),
        ({"WebIdentityToken": "x" * 40_000}, 400, "ValidationError"),
        ({"DurationSeconds": "899"}, 400, "ValidationError"),
        ({"DurationSeconds": "3601"}, 400, "ValidationError"),
        ({"RoleArn": "x"}, 400, "ValidationError"),
        ({"RoleSessionName": "<x>"}, 400, "ValidationError"),
        ({"PolicyArns.member.1.arn": "x"}, 400, "ValidationError"),
        ({"Policy": "{}"}, 400, "MalformedPolicyDocument"),
        ({"Policy": "x" * 2049}, 400, "PackedPolicyTooLarge"),
        ({"Policy": json.dumps(allowing("arn:aws:s3:::nowhere/*"))}, 403, "AccessDenied"),
    ],
)
def test_exchanges_that_are_refused(
    site: TokenSite, changes: dict[str, str | None], status: int, code: str
) -> None:
    answer = ask(site, asked(site, **changes))

    assert (answer.status, answer.code) == (status, code), answer
    assert answer.headers["content-type"] == "text/xml"
    assert answer.text("Type") == "Sender"
    assert answer.text("RequestId") == answer.headers["x-amz-request-id"]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"lifetime": -60}, "ExpiredTokenException"),
        ({"aud": "other"}, "InvalidIdentityToken"),
        ({"iss": "https://evil.example"}, "InvalidIdentityToken"),
    ],
)
def test_sdks_know_why_a_token_is_refused(site: TokenSite, claims: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        exchanged(site, WebIdentityToken=site.issuer.token("alice", **claims))

    assert refused.value.response["Error"]["Code"] == code


def test_a_session_ends(site: TokenSite, tmp_path: Path) -> None:
    """Sealed by the gateway's own code with its own keys, since the shortest session lasts 15 minutes."""
    config = json.loads((site.gateway.log.parent / "config.yaml").read_text())
    sealer = SessionSealer(Keyring.derive(config["security"]["secret_keys"]).sessions)
    grant = Grant("0" * 16, site.issuer.url, "alice")
    token, secret = sealer.seal("MZENDED0000000000000", Session(int(time.time()), (grant,)))
    scene = site.scene()

    answer = site.send(
        Signer("MZENDED0000000000000", secret).sign(scene.put(headers={"x-amz-security-token": token}))
    )

    assert (answer.status, answer.code) == (400, "ExpiredToken")


def test_an_exchange_is_traced_and_nothing_of_it_is_told(site: TokenSite) -> None:
    canary = "cana-ry-6160"
    token = site.issuer.token(f"{canary}@example.org", department=f"{canary}-d", groups=[f"{canary}-g"])
    answer = ask(site, asked(site, WebIdentityToken=token, RoleSessionName=f"{canary}-session"))
    assert answer.status == 200
    keys = {name: answer.text(name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    session = {"Credentials": keys}
    scene = site.scene()
    requests_sent = [
        in_header(scene, session),
        in_url(scene, session),
        in_form(scene, session),
        Signer(keys["AccessKeyId"], "x" * 40).presign(
            scene.put().with_query(f"X-Amz-Security-Token={keys['SessionToken']}")
        ),
        Signer(keys["AccessKeyId"], "x" * 40).sign(
            scene.put(headers={"x-amz-security-token": keys["SessionToken"]})
        ),
        with_session(site.scene(OWN).put(), session),
    ]
    answers = [answer, *(site.send(request) for request in requests_sent)]
    answers.append(ask(site, asked(site, WebIdentityToken=token + "x", Policy=f"{canary}-policy")))
    answers.append(site.send(scene.request("POST", "/", urlencode(asked(site, WebIdentityToken=token)))))
    for each in answers:
        spans_of(site, each)

    told = attributes(spans_of(site, answer)["auth.sts"])
    assert told["mizuchi.auth.outcome"] == "success"
    assert re.fullmatch("[0-9a-f]{16}", told["user.hash"])
    assert (
        spans_of(site, answer)["auth.sts"].parent_span_id
        == spans_of(site, answer)[f"POST sts.{ACTION}"].span_id
    )
    exported = b"".join(request.SerializeToString() for request in site.receiver.requests)
    logged = site.gateway.log.read_bytes()
    for place in (exported, logged):
        assert canary.encode() not in place
        assert token.split(".")[1].encode() not in place
        for name in ("SecretAccessKey", "SessionToken"):
            assert keys[name].encode() not in place
