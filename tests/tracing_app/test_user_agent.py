"""What traces may tell of the client: a name that is on the list, and nothing the client wrote."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from hypothesis import given
from hypothesis import strategies as st

from tests.tracing_app.recording.recorders import Collected
from tracing_app.middleware import TraceMiddleware
from tracing_app.recording.choices import Always
from tracing_app.recording.data import SpanData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.sampling.expression import parse_condition
from tracing_app.user_agent import NAMES, OTHER, client_name

CANARY = "cana-ry-1414"

SENT = [
    ("Boto3/1.35.36 md/Botocore#1.35.36 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.2", "Boto3"),
    ("Botocore/1.42.0 ua/2.1 os/linux#6.12", "Botocore"),
    ("aiobotocore/2.15.2 md/Botocore#1.35.36 ua/2.0", "aiobotocore"),
    ("aws-cli/2.24.1 md/awscrt#0.23.8 ua/2.1 os/linux#6.1 md/command#s3.cp", "aws-cli"),
    ("aws-sdk-go-v2/1.32.2 ua/2.1 os/linux lang/go#1.23.2 api/s3#1.65.3", "aws-sdk-go-v2"),
    ("aws-sdk-go/1.55.5 (go1.23; linux; amd64) S3Manager", "aws-sdk-go"),
    ("aws-sdk-java/2.28.21 md/io#sync md/http#Apache ua/2.1 os/Linux", "aws-sdk-java"),
    ("Hadoop 3.4.0, aws-sdk-java/2.23.19 Linux/5.15", "Hadoop"),
    ("aws-sdk-js/3.670.0 ua/2.0 os/linux#6.1 lang/js md/nodejs#22.9.0", "aws-sdk-js"),
    ("aws-sdk-rust/1.3.3 ua/2.1 api/s3/1.55.0 os/linux lang/rust/1.81", "aws-sdk-rust"),
    ("aws-sdk-cpp/1.11.412 ua/2.1 api/S3 os/Linux#6.1", "aws-sdk-cpp"),
    ("MinIO (Linux; x86_64) minio-py/7.2.9", "MinIO"),
    ("rclone/v1.68.1", "rclone"),
    ("s3fs/1.93 (commit hash unknown; OpenSSL)", "s3fs"),
    ("curl/8.10.1", "curl"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "Mozilla"),
    ("BOTO3/1", "Boto3"),
    ("Boto3", "Boto3"),
    (f"{CANARY}/1 Boto3/1.35", OTHER),
    ("Boto3x/1", OTHER),
    ("curl" * 1000, OTHER),
    (" curl/8", OTHER),
    ("/8", OTHER),
    ("-", OTHER),
]


@pytest.mark.parametrize(("sent", "told"), SENT, ids=[sent[:24] for sent, _ in SENT])
def test_known_clients_have_a_name(sent: str, told: str) -> None:
    assert client_name(sent) == told


@given(st.text(min_size=1))
def test_whatever_is_sent_only_names_of_the_list_come_out(sent: str) -> None:
    assert client_name(sent) in {*NAMES, OTHER}


def root_of(**headers: str) -> SpanData:
    sink = Collected()
    tracer = LightTracerProvider(HeadSampler(Always(), tail=False), sink).get_tracer("tests")
    request = HttpRequest()
    request.META.update({"REQUEST_METHOD": "PUT", "wsgi.url_scheme": "http"} | headers)
    TraceMiddleware(lambda request: HttpResponse(), tracer)(request).close()
    return sink.spans[-1]


def test_the_root_span_tells_the_client() -> None:
    root = root_of(HTTP_USER_AGENT=f"Boto3/{CANARY} ({CANARY})")

    assert root.attributes["user_agent.name"] == "Boto3"
    assert CANARY not in repr(dict(root.attributes))


def test_a_client_that_says_nothing_has_no_name() -> None:
    assert "user_agent.name" not in root_of().attributes


def test_sampling_rules_can_ask_for_the_client() -> None:
    is_rclone = parse_condition("client = rclone")

    assert is_rclone([root_of(HTTP_USER_AGENT="rclone/v1.68.1")])
    assert not is_rclone([root_of(HTTP_USER_AGENT=f"{CANARY} rclone/v1.68.1")])
    assert parse_condition("not client exists")([root_of()])
