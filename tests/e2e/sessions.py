"""Sessions of the running gateway, and requests that are signed with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from tests.e2e.token_site import TokenSite
from tests.e2e.wire.client import Request
from tests.e2e.wire.forms import fields, form
from tests.e2e.wire.scene import Scene
from tests.e2e.wire.signing import Signer

ROLE = "arn:aws:iam::123456789012:role/uploader"


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


def in_header(scene: Scene, answer: Mapping[str, Any]) -> Request:
    return with_session(scene.put(), answer)


def in_url(scene: Scene, answer: Mapping[str, Any]) -> Request:
    signer, token = signer_of(answer)
    return signer.presign(scene.put().with_query(f"X-Amz-Security-Token={token}"))


def in_form(scene: Scene, answer: Mapping[str, Any]) -> Request:
    signer, token = signer_of(answer)
    session = {"x-amz-security-token": token}
    return form(scene, fields(scene, session, signer=signer) | session)


def allowing(*resources: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": list(resources)}],
    }
