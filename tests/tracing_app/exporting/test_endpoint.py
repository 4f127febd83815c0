from __future__ import annotations

import pytest

from tracing_app.exporting.config import OtlpConfig
from tracing_app.exporting.endpoint import Endpoint, Protocol, check_headers, parse_endpoint


@pytest.mark.parametrize(
    ("url", "protocol", "endpoint"),
    [
        ("http://collector:4317", "grpc", Endpoint(False, "collector", 4317, "")),
        ("https://collector:4317/", "grpc", Endpoint(True, "collector", 4317, "")),
        ("http://[::1]:4317", "grpc", Endpoint(False, "::1", 4317, "")),
        ("http://collector:4318", "http/protobuf", Endpoint(False, "collector", 4318, "/v1/traces")),
        ("http://collector:4318/", "http/protobuf", Endpoint(False, "collector", 4318, "/v1/traces")),
        ("https://api.example/otlp", "http/protobuf", Endpoint(True, "api.example", 443, "/otlp/v1/traces")),
        ("https://api.example/otlp/", "http/protobuf", Endpoint(True, "api.example", 443, "/otlp/v1/traces")),
        ("http://api.example/v1/traces", "http/protobuf", Endpoint(False, "api.example", 80, "/v1/traces")),
    ],
)
def test_an_endpoint_is_a_base(url: str, protocol: Protocol, endpoint: Endpoint) -> None:
    assert parse_endpoint(url, protocol) == endpoint


@pytest.mark.parametrize(("path", "posted"), [("", "/"), ("/", "/"), ("/api/spans", "/api/spans")])
def test_a_full_url_is_used_as_it_is(path: str, posted: str) -> None:
    assert parse_endpoint(f"http://c:4318{path}", "http/protobuf", is_full_url=True).path == posted


@pytest.mark.parametrize(
    ("url", "protocol", "hint"),
    [
        ("", "grpc", "http://collector:4317"),
        ("collector:4317", "grpc", "http://collector:4317"),
        ("ftp://collector:4317", "grpc", "http://"),
        ("http://:4317", "grpc", "no host"),
        ("http://coll ector:4317", "grpc", "no host"),
        ("http://collector", "grpc", "4317"),
        ("http://collector:0", "http/protobuf", "1 to 65535"),
        ("http://collector:x", "http/protobuf", "1 to 65535"),
        ("http://collector:70000", "http/protobuf", "1 to 65535"),
        ("http://collector:4318", "grpc", "http/protobuf"),
        ("http://collector:4317", "http/protobuf", "use 4318"),
        ("http://collector:4317/v1/traces", "grpc", "no path"),
        ("http://user:pw@collector:4317", "grpc", "headers"),
        ("http://collector:4318/?key=abc", "http/protobuf", "query"),
    ],
)
def test_what_cannot_be_right_is_told_with_what_would_be(url: str, protocol: Protocol, hint: str) -> None:
    with pytest.raises(ValueError, match=hint) as raised:
        OtlpConfig(url, protocol)
    assert "pw" not in str(raised.value)
    assert "abc" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "protocol"),
    [
        ("bad name", "x", "http/protobuf"),
        ("Host", "x", "http/protobuf"),
        ("grpc-timeout", "x", "grpc"),
        ("token-bin", "x", "grpc"),
        ("X-Key", "v4lue\r\nX: y", "http/protobuf"),
        ("X-Key", "v4lu\xe9", "grpc"),
    ],
)
def test_a_header_that_cannot_be_sent_is_named_without_its_value(
    name: str, value: str, protocol: Protocol
) -> None:
    with pytest.raises(ValueError, match=name) as raised:
        check_headers([(name, value)], protocol)
    assert "v4lu" not in str(raised.value)


@pytest.mark.parametrize(
    ("endpoint", "is_compressed"),
    [
        ("http://collector:4318", True),
        ("http://10.0.0.7:4318", True),
        ("http://localhost.example:4318", True),
        ("http://localhost:4318", False),
        ("http://127.0.0.9:4318", False),
        ("http://[::1]:4318", False),
    ],
)
def test_only_what_leaves_the_machine_is_compressed_unless_told(endpoint: str, is_compressed: bool) -> None:
    assert OtlpConfig(endpoint, "http/protobuf").is_compressed is is_compressed
    assert OtlpConfig(endpoint, "http/protobuf", compression="gzip").is_compressed
    assert not OtlpConfig(endpoint, "http/protobuf", compression="none").is_compressed
