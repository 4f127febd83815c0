"""Requests signed by botocore, as they reach the gateway."""

import datetime
import json
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from authz.sigv4.parts import RequestParts

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NOW = datetime.datetime(2026, 11, 5, 12, 30, 15, tzinfo=datetime.UTC)


@pytest.fixture
def secret():
    return SECRET


@pytest.fixture
def now():
    return NOW.timestamp()


@pytest.fixture
def frozen_botocore(monkeypatch):
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)


@pytest.fixture
def aws():
    """The examples that AWS publishes, and what they must come to."""
    path = Path(__file__).parents[2] / "vectors" / "sigv4" / "aws_examples.json"
    return json.loads(path.read_text())


def as_parts(request):
    """What a WSGI server makes of a request: lower-case names, ``_`` read as ``-``, values in latin-1."""
    url = urlsplit(request.url)
    headers = {"host": url.netloc}
    for name, value in request.headers.items():
        raw = value if isinstance(value, bytes) else str(value).encode("utf-8")
        headers[name.lower().replace("_", "-")] = raw.decode("latin-1").strip()
    return RequestParts(
        method=request.method,
        path=unquote_to_bytes(url.path),
        query=url.query,
        headers=headers,
        scheme=url.scheme,
        host=url.netloc,
    )


@pytest.fixture
def sign(frozen_botocore):
    """Sign with botocore: ``sign(url, ...)`` -> RequestParts."""

    def sign(
        url="http://uploads.example/bucket/key",
        *,
        method="PUT",
        headers=None,
        data=b"hello",
        presigned_for=None,
        region="eu-west-1",
        secret=SECRET,
        token=None,
        context=None,
    ):
        request = AWSRequest(
            method=method, url=url, headers=headers or {}, data=data if presigned_for is None else b""
        )
        request.context.update(context or {})
        credentials = Credentials(ACCESS_KEY_ID, secret, token)
        if presigned_for is None:
            S3SigV4Auth(credentials, "s3", region).add_auth(request)
        else:
            S3SigV4QueryAuth(credentials, "s3", region, presigned_for).add_auth(request)
        return as_parts(request)

    return sign
