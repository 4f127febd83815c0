"""Uploads with tokens of a running identity provider, good and hostile, to the running gateway."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import jwt
import pytest
from botocore.config import Config
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.contracts.hostile_tokens import HOSTILE, Forge
from tests.e2e.clients.cases import content_of_size
from tests.e2e.gateway import FILES, SEAWEED
from tests.e2e.token_site import (
    AWAY,
    KEYLESS,
    KEYS_ONLY,
    OWN,
    SECRET,
    SHARED,
    TokenSite,
    attributes,
    bearing,
    in_header,
    in_query,
    spans_of,
)
from tests.e2e.wire.client import Answer, Request, connected
from tests.e2e.wire.forms import form
from tests.e2e.wire.refused_tokens import HOSTILE_REQUESTS, Build
from tests.e2e.wire.scene import BODY, parts_xml

BOTH = (FILES, SEAWEED)
MIB = 1024 * 1024
PART = 5 * MIB


def curl(*words: str | Path, stdin: bytes | None = None) -> str:
    ended = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail-with-body", *map(str, words)],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout.decode() + ended.stderr.decode()
    return ended.stdout.decode()


@pytest.mark.parametrize("bucket", BOTH)
@pytest.mark.parametrize("size", [0, 1000, 30 * MIB])
def test_curl_uploads_with_a_bearer_token(
    token_site: TokenSite, bucket: str, size: int, tmp_path: Path
) -> None:
    content = content_of_size(size)
    file = tmp_path / "file"
    file.write_bytes(content)
    url = f"{token_site.gateway.endpoint}/{bucket}/curl/{size}"
    authorization = f"Authorization: Bearer {token_site.issuer.token()}"

    curl("-H", authorization, "--upload-file", file, url)
    curl("-H", authorization, "--upload-file", "-", f"{url}-stream", stdin=content)

    for key in (f"curl/{size}", f"curl/{size}-stream"):
        arrived = token_site.gateway.read(bucket, key)
        assert (len(arrived), arrived == content) == (size, True)


@pytest.mark.parametrize("carry", [bearing, in_query, in_header], ids=["bearer", "query", "header"])
@pytest.mark.parametrize("bucket", BOTH)
def test_every_source_carries_a_token(
    token_site: TokenSite, bucket: str, carry: Callable[[Request, str], Request]
) -> None:
    scene = token_site.scene(bucket)

    answer = token_site.send(carry(scene.put(), token_site.issuer.token()))

    assert answer.status == 200, answer
    assert scene.read() == BODY
    assert scene.records()[-1][0] == "STORED"


def test_a_token_makes_a_form_upload(token_site: TokenSite) -> None:
    scene = token_site.scene()

    answer = token_site.send(bearing(form(scene, {"key": scene.key}), token_site.issuer.token()))

    assert answer.status == 204, answer
    assert scene.read() == BODY


def test_metadata_keeps_its_names(token_site: TokenSite) -> None:
    scene = token_site.scene(SEAWEED)
    headers = {"x-amz-meta-my_key": "1", "x-amz-meta-other-key": "2"}

    assert token_site.send(bearing(scene.put(headers=headers), token_site.issuer.token())).status == 200

    upstream = token_site.gateway.upstream.client
    head = upstream.head_object(Bucket=token_site.gateway.upstream_bucket, Key=scene.key)
    assert head["Metadata"] == {"my_key": "1", "other-key": "2"}


@pytest.mark.parametrize(
    ("claimed", "status", "code"),
    [
        (None, 200, ""),
        ("UNSIGNED-PAYLOAD", 200, ""),
        (
            "7d" * 32,
            400,
            "XAmzContentSHA256Mismatch",
        ),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 400, "InvalidRequest"),
    ],
    ids=["nothing", "unsigned", "wrong-digest", "signed-chunks"],
)
def test_what_the_body_is_said_to_be(
    token_site: TokenSite, claimed: str | None, status: int, code: str
) -> None:
    headers = {} if claimed is None else {"x-amz-content-sha256": claimed}
    if claimed and claimed.startswith("STREAMING"):
        headers["x-amz-decoded-content-length"] = str(len(BODY))

    answer = token_site.put(token_site.issuer.token(), headers=headers)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("carry", [bearing, in_header], ids=["bearer", "header"])
@pytest.mark.parametrize(("forge", "reason"), [pytest.param(f, r, id=name) for name, f, r in HOSTILE])
def test_hostile_tokens_leave_nothing(
    token_site: TokenSite, forge: Forge, reason: str, carry: Callable[[Request, str], Request]
) -> None:
    scene = token_site.scene()
    before = scene.holdings()

    answer = token_site.send(carry(scene.put(), forge(token_site.issuer)))

    assert answer.status == 401, answer
    assert answer.code == ("ExpiredToken" if reason == "expired" else "InvalidToken")
    assert f'error="invalid_token", error_description="{reason}"' in answer.headers["www-authenticate"]
    assert answer.text("RequestId") == answer.headers["x-amz-request-id"]
    assert scene.holdings() == before
    assert scene.records() == []


@pytest.mark.parametrize(
    ("bucket", "build", "status", "code", "says"),
    [pytest.param(*row[1:], id=row[0]) for row in HOSTILE_REQUESTS],
)
def test_hostile_requests_leave_nothing(
    token_site: TokenSite, bucket: str, build: Build, status: int, code: str, says: str
) -> None:
    scene = token_site.scene(bucket)
    before = scene.holdings()

    answer = token_site.send(build(token_site, scene))

    assert (answer.status, answer.code) == (status, code), answer
    assert says in answer.text("Message")
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert ("retry-after" in answer.headers) == (status == 503)
    assert scene.holdings() == before
    assert scene.records() == []


def test_everybody_has_a_folder_of_his_own(token_site: TokenSite) -> None:
    for subject, folder in (("alice", "alice"), ("a/../b", "a%2F..%2Fb"), ("..", "%2E%2E")):
        scene = token_site.scene(OWN)
        scene.key = f"users/{folder}/x"
        assert token_site.put(token_site.issuer.token(subject), scene.key, bucket=OWN).status == 200
        assert (token_site.gateway.objects / OWN / "users" / folder / "x").read_bytes() == BODY


def test_a_shared_secret_is_another_way(token_site: TokenSite) -> None:
    token = jwt.encode({"sub": "carol", "exp": time.time() + 60}, SECRET)

    assert token_site.put(token, bucket=SHARED).status == 200


def begin(site: TokenSite, token: str, path: str) -> str:
    answer = site.call(token, "POST", path, "uploads=")
    assert answer.status == 200, answer
    return answer.text("UploadId")


@pytest.mark.parametrize("bucket", BOTH)
def test_a_multipart_upload_belongs_to_who_began_it(token_site: TokenSite, bucket: str) -> None:
    """Another subject, the same subject of another issuer, and an access key of a like name see nothing."""
    scene = token_site.scene(bucket)
    alice = token_site.issuer.token("alice")
    upload_id = begin(token_site, alice, scene.path)
    part = token_site.call(alice, "PUT", scene.path, f"partNumber=1&uploadId={upload_id}", BODY)
    complete = parts_xml([(1, part.headers["etag"])])
    strangers: dict[str, Callable[[Request], Request]] = {
        "bob": lambda r: bearing(r, token_site.issuer.token("bob")),
        "alice-elsewhere": lambda r: bearing(
            r, token_site.issuer.token("alice", iss="https://second.example")
        ),
        "key": lambda r: scene.owner.sign(r),
        "neighbour": lambda r: scene.neighbour.sign(r),
    }
    query = f"uploadId={upload_id}"
    attempts = [
        scene.request("PUT", query=f"partNumber=2&{query}", body=BODY),
        scene.request("GET", query=query),
        scene.request("POST", query=query, body=complete),
        scene.request("DELETE", query=query),
    ]

    for prove in strangers.values():
        for request in attempts:
            answer = token_site.send(prove(request))
            assert (answer.status, answer.code) == (404, "NoSuchUpload")
        listed = token_site.send(prove(scene.request("GET", f"/{bucket}", "uploads=")))
        assert (listed.status, upload_id in listed.texts("UploadId")) == (200, False)
        assert token_site.send(prove(scene.request("HEAD"))).status == 404

    assert upload_id in token_site.call(alice, "GET", f"/{bucket}", "uploads=").texts("UploadId")
    assert token_site.call(alice, "POST", scene.path, query, complete).status == 200
    assert scene.read() == BODY
    for prove in strangers.values():
        assert token_site.send(prove(scene.request("HEAD"))).status == 404
    assert token_site.call(alice, "HEAD", scene.path).status == 200


def test_a_key_cannot_go_on_with_what_a_token_of_its_name_began(token_site: TokenSite) -> None:
    scene = token_site.scene()
    upload_id = begin(token_site, token_site.issuer.token("end-to-end"), scene.path)

    answer = scene.call("DELETE", f"uploadId={upload_id}")

    assert (answer.status, answer.code) == (404, "NoSuchUpload")


def test_a_token_counts_when_a_request_begins(token_site: TokenSite) -> None:
    """It may expire while the body comes; the next request with it is refused."""
    scene = token_site.scene()
    token = token_site.issuer.token("alice")
    upload_id = begin(token_site, token, scene.path)
    query = f"partNumber=1&uploadId={upload_id}"
    lifetime, leeway = 2.0, 10.0
    short = token_site.issuer.token("alice", lifetime=lifetime - leeway)
    request = bearing(scene.request("PUT", query=query, body=BODY), short)
    with connected(token_site.port) as connection:
        connection.send(request.head() + request.body[:-1])
        while token_site.put(short).status == 200:
            time.sleep(0.2)
        connection.send(request.body[-1:])
        answer = connection.answer("PUT")

    assert answer is not None
    assert answer.status == 200, answer
    refused = token_site.send(request)
    assert (refused.status, refused.code) == (401, "ExpiredToken")


def test_keys_are_rotated_without_a_failed_upload(token_site: TokenSite) -> None:
    """Uploads go on from several clients while the provider signs with one new key after the other."""
    ended = threading.Event()
    answers: list[Answer] = []
    issuer, fetches = token_site.issuer, token_site.issuer.fetches

    def upload(number: int) -> None:
        while not ended.is_set():
            answers.append(token_site.put(issuer.token(f"client-{number}"), f"rotated/{number}"))

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(upload, number) for number in range(6)]
        for algorithm in ("ES256", "EdDSA", "RS256"):
            # Longer than refetch_seconds, in which a key id that is unknown is asked about once.
            time.sleep(1.2)
            issuer.rotate(algorithm)
        time.sleep(1)
        ended.set()
        for future in futures:
            future.result()

    assert {answer.status for answer in answers} == {200}
    assert len(answers) > 50
    assert issuer.fetches - fetches <= 2 * 3 * 2  # workers, rotations; and once more each for luck


def test_a_trace_tells_how_the_caller_was_known(token_site: TokenSite) -> None:
    spans = spans_of(token_site, token_site.put(token_site.issuer.token("alice")))

    told = attributes(spans["auth.jwt"])
    assert (told["mizuchi.auth.method"], told["mizuchi.auth.outcome"]) == ("jwt", "success")
    assert re.fullmatch("[0-9a-f]{16}", told["user.hash"])
    assert spans["auth.jwt"].parent_span_id == spans["PUT s3.PutObject"].span_id
    assert "auth.sigv4" not in spans

    refused = attributes(
        spans_of(token_site, token_site.put(token_site.issuer.token(aud="other")))["auth.jwt"]
    )
    assert refused["mizuchi.auth.outcome"] == "failure"
    assert refused["mizuchi.auth.reason"] == "audience not accepted"
    assert refused["error.type"] == "InvalidToken"


def test_fetching_keys_is_part_of_the_trace(token_site: TokenSite) -> None:
    deadline = time.monotonic() + 20
    while True:
        before = len(token_site.issuer.heads)
        answer = token_site.put(token_site.issuer.keys[-1].token(token_site.issuer.claims(), kid="unknown"))
        if len(token_site.issuer.heads) > before:
            break
        assert time.monotonic() < deadline, "no key was asked about"
        time.sleep(0.2)

    spans = spans_of(token_site, answer)

    assert spans["GET"].parent_span_id == spans["auth.jwt"].span_id
    assert spans["GET"].kind == Span.SPAN_KIND_CLIENT
    assert attributes(spans["GET"])["http.response.status_code"] == 200
    sent = token_site.issuer.heads[-1]["traceparent"].split("-")
    assert sent[1:3] == [answer.headers["x-amz-request-id"], spans["GET"].span_id.hex()]


def test_nothing_of_a_token_is_exported_or_logged(token_site: TokenSite) -> None:
    canary = "cana-ry-5150"
    claims = {
        "department": {"name": f"{canary}-department"},
        "groups": [f"{canary}-group"],
        "email": f"{canary}@x",
    }
    subject = f"{canary}@example.org"
    tokens = [token_site.issuer.token(subject, **claims)]
    answers = []
    for bucket in (FILES, SEAWEED, OWN):
        for carry in (bearing, in_query, in_header):
            scene = token_site.scene(bucket)
            answers.append(
                token_site.send(carry(scene.put().with_path(f"/{bucket}/users/{subject}/x"), tokens[0]))
            )
    assert {answer.status for answer in answers} == {200}
    for more in (
        {"aud": f"{canary}-audience"},
        {"lifetime": -60},
        {"iss": f"https://{canary}"},
        {"sub": f"{canary}\n"},
    ):
        tokens.append(token_site.issuer.token(**({"subject": subject} | more if "sub" not in more else more)))
        answers.append(token_site.put(tokens[-1], bucket=OWN))
        answers.append(token_site.send(in_query(token_site.scene().put(), tokens[-1])))
        answers.append(token_site.send(in_query(token_site.scene(KEYS_ONLY).put(), tokens[-1])))
        answers.append(
            token_site.send(
                token_site.scene(KEYS_ONLY)
                .owner.but(secret="x" * 40)
                .sign(in_query(token_site.scene(KEYS_ONLY).put(), tokens[-1]))
            )
        )
    tokens.append(token_site.issuer.token(subject))
    answers.append(token_site.put(tokens[-1], "elsewhere", bucket=OWN))
    tokens.append(token_site.issuer.token(subject, iss=AWAY))
    answers.append(token_site.put(tokens[-1], bucket=KEYLESS))
    for answer in answers:
        spans_of(token_site, answer)

    exported = b"".join(request.SerializeToString() for request in token_site.receiver.requests)
    logged = token_site.gateway.log.read_bytes()
    told = b"".join(answer.body + json.dumps(dict(answer.headers)).encode() for answer in answers)
    for place in (exported, logged, told):
        assert canary.encode() not in place
        for token in tokens:
            for segment in token.split("."):
                # The header of a token is the same for many, and no secret.
                assert segment == token.partition(".")[0] or segment.encode() not in place


def test_tokens_of_two_issuers_and_a_key_share_a_bucket_but_no_receipt(token_site: TokenSite) -> None:
    key = "shared/receipt"
    client = boto3.client(
        "s3",
        endpoint_url=token_site.gateway.endpoint,
        aws_access_key_id=token_site.gateway.access_key_id,
        aws_secret_access_key=token_site.gateway.secret_access_key,
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    client.put_object(Bucket=FILES, Key=key, Body=b"by a key")

    answer = token_site.call(token_site.issuer.token("end-to-end"), "HEAD", f"/{FILES}/{key}")

    assert answer.status == 404
