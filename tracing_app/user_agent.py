"""Which client sends a request, as far as traces may tell: a name from a list, never its own words."""

from __future__ import annotations

import re

NAMES = (
    "aiobotocore",
    "aws-cli",
    "aws-sdk-cpp",
    "aws-sdk-dotnet-45",
    "aws-sdk-dotnet-coreclr",
    "aws-sdk-go",
    "aws-sdk-go-v2",
    "aws-sdk-java",
    "aws-sdk-js",
    "aws-sdk-kotlin",
    "aws-sdk-nodejs",
    "aws-sdk-php",
    "aws-sdk-ruby3",
    "aws-sdk-rust",
    "aws-sdk-swift",
    "axios",
    "Boto3",
    "Botocore",
    "curl",
    "Cyberduck",
    "duckdb",
    "Go-http-client",
    "Hadoop",
    "MinIO",
    "Mozilla",
    "node",
    "object_store",
    "okhttp",
    "opendal",
    "python-httpx",
    "python-requests",
    "rclone",
    "s3fs",
    "s5cmd",
    "Wget",
    "WinSCP",
)
"""First products of the ``User-Agent`` headers of S3 clients and SDKs, as they write them. Browsers begin
with ``Mozilla``; MinIO's SDKs and its ``mc`` with ``MinIO``."""

OTHER = "other"

_BY_TOKEN = {name.lower(): name for name in NAMES}
_PRODUCT = re.compile(rf"[A-Za-z0-9_-]{{1,{max(map(len, NAMES)) + 1}}}")


def client_name(user_agent: str) -> str:
    """The first product of a ``User-Agent`` header (RFC 9110, section 10.1.5) if it is one of ``NAMES``, else
    ``other``."""
    product = _PRODUCT.match(user_agent)
    return OTHER if product is None else _BY_TOKEN.get(product[0].lower(), OTHER)
