"""Tokens exchanged for sessions, by SDKs as they come, and what a session can and cannot do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.e2e.clients.aws_cli import CLIENTS
from tests.e2e.clients.cases import content_of_size
from tests.e2e.clients.target import Client, Target, run
from tests.e2e.gateway import FILES, SEAWEED
from tests.e2e.sessions import ROLE, allowing, exchanged, in_form, in_header, in_url, with_session
from tests.e2e.token_site import OWN, TokenSite, attributes, spans_of
from tests.e2e.wire.client import Answer
from tests.e2e.wire.signing import Signer

BOTH = (FILES, SEAWEED)
MIB = 1024 * 1024
ACTION = "AssumeRoleWithWebIdentity"
FORM = "application/x-www-form-urlencoded"


def test_the_answer_is_that_of_sts(token_site: TokenSite) -> None:
    answer = exchanged(token_site, "alice", DurationSeconds=900)

    keys = answer["Credentials"]
    assert re.fullmatch(r"MZ[A-Z2-7]{18}", keys["AccessKeyId"])
    assert len(keys["SessionToken"]) < 1024
    assert 880 < keys["Expiration"].timestamp() - time.time() <= 900
    assert answer["SubjectFromWebIdentityToken"] == "alice"
    assert answer["Provider"] == token_site.issuer.url
    assert answer["Audience"] == "mizuchi"
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/uploader/tests"
    assert re.fullmatch("[0-9a-f]{32}", answer["ResponseMetadata"]["RequestId"])


@pytest.fixture
def login(token_site: TokenSite, tmp_path: Path) -> Mapping[str, str]:
    """What a user exports to log in by OIDC; the SDKs do the rest."""
    file = tmp_path / "token"
    file.write_text(token_site.issuer.token("alice"))
    return {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
        "AWS_ROLE_ARN": ROLE,
        "AWS_ROLE_SESSION_NAME": "tests",
        "AWS_ENDPOINT_URL": token_site.gateway.endpoint,
        "AWS_ENDPOINT_URL_STS": token_site.gateway.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.mark.parametrize("bucket", BOTH)
@pytest.mark.parametrize("size", [1000, 30 * MIB], ids=["small", "large"])
def test_boto3_logs_in_by_itself(
    token_site: TokenSite, bucket: str, size: int, login: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in login.items():
        monkeypatch.setenv(name, value)
    file = Path(login["AWS_WEB_IDENTITY_TOKEN_FILE"]).with_name("content")
    file.write_bytes(content_of_size(size))

    boto3.session.Session().client("s3").upload_file(str(file), bucket, f"boto3/{size}")

    arrived = token_site.gateway.read(bucket, f"boto3/{size}")
    assert (len(arrived), arrived == content_of_size(size)) == (size, True)


CLIS = [client for client in CLIENTS if re.fullmatch("aws-cli-v[12]-cp", client.name)]


def exchanged_by(program: Path, site: TokenSite, login: Mapping[str, str]) -> Mapping[str, str]:
    """What a user of an AWS CLI before 2.13 does, which reads no AWS_ENDPOINT_URL_STS: one more command."""
    file = login["AWS_WEB_IDENTITY_TOKEN_FILE"]
    words = ["--role-arn", ROLE, "--role-session-name", "tests", "--web-identity-token", f"file://{file}"]
    ended = subprocess.run(
        [program, "--endpoint-url", site.gateway.endpoint, "sts", "assume-role-with-web-identity", *words],
        env={"PATH": os.environ["PATH"], "HOME": str(Path(file).parent), "AWS_REGION": "us-east-1"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    keys = json.loads(ended.stdout)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


@pytest.mark.parametrize("bucket", BOTH)
@pytest.mark.parametrize("size", [1000, 30 * MIB], ids=["small", "large"])
@pytest.mark.parametrize("client", [pytest.param(client, id=client.name) for client in CLIS])
def test_the_aws_cli_logs_in(
    token_site: TokenSite, client: Client, size: int, bucket: str, login: Mapping[str, str], tmp_path: Path
) -> None:
    client.require()
    (program,) = client.needs
    file = tmp_path / "content"
    file.write_bytes(content_of_size(size))
    target = Target(token_site.gateway.endpoint, "", "", bucket, home=tmp_path)
    if "v2" in client.name:
        variables = exchanged_by(program, token_site, login)
    else:
        variables = {**login, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}

    words = ("--endpoint-url", target.endpoint, "s3", "cp", file, f"s3://{bucket}/{client.name}/{size}")
    run(target, program, *words, variables=dict(variables))

    arrived = token_site.gateway.read(bucket, f"{client.name}/{size}")
    assert (len(arrived), arrived == content_of_size(size)) == (size, True)


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


def test_minio_clients_ask_in_the_query(token_site: TokenSite) -> None:
    query = urlencode(asked(token_site, RoleArn=None, RoleSessionName=None))

    answer = token_site.send(token_site.scene().request("POST", "/", query))

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
    token_site: TokenSite, changes: dict[str, str | None], status: int, code: str
) -> None:
    answer = ask(token_site, asked(token_site, **changes))

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
def test_sdks_know_why_a_token_is_refused(token_site: TokenSite, claims: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        exchanged(token_site, WebIdentityToken=token_site.issuer.token("alice", **claims))

    assert refused.value.response["Error"]["Code"] == code


def test_an_exchange_is_traced_and_nothing_of_it_is_told(token_site: TokenSite) -> None:
    canary = "cana-ry-6160"
    token = token_site.issuer.token(f"{canary}@example.org", department=f"{canary}-d", groups=[f"{canary}-g"])
    answer = ask(token_site, asked(token_site, WebIdentityToken=token, RoleSessionName=f"{canary}-session"))
    assert answer.status == 200
    keys = {name: answer.text(name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    session = {"Credentials": keys}
    scene = token_site.scene()
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
        with_session(token_site.scene(OWN).put(), session),
    ]
    answers = [answer, *(token_site.send(request) for request in requests_sent)]
    answers.append(
        ask(token_site, asked(token_site, WebIdentityToken=token + "x", Policy=f"{canary}-policy"))
    )
    answers.append(
        token_site.send(scene.request("POST", "/", urlencode(asked(token_site, WebIdentityToken=token))))
    )
    for each in answers:
        spans_of(token_site, each)

    told = attributes(spans_of(token_site, answer)["auth.sts"])
    assert told["mizuchi.auth.outcome"] == "success"
    assert re.fullmatch("[0-9a-f]{16}", told["user.hash"])
    assert (
        spans_of(token_site, answer)["auth.sts"].parent_span_id
        == spans_of(token_site, answer)[f"POST sts.{ACTION}"].span_id
    )
    failed = attributes(spans_of(token_site, answers[-2])[f"POST sts.{ACTION}"])
    assert failed["error.type"] == answers[-2].text("Code")
    exported = b"".join(request.SerializeToString() for request in token_site.receiver.requests)
    logged = token_site.gateway.log.read_bytes()
    for place in (exported, logged):
        assert canary.encode() not in place
        assert token.split(".")[1].encode() not in place
        for name in ("SecretAccessKey", "SessionToken"):
            assert keys[name].encode() not in place
