"""A request as the operator's log may show it: the shape that signatures depend on, without what it says.

Letters and digits become ``x``; slashes, spaces, signs and percent-encoded reserved characters stay, which
is where client and gateway disagree. Names and values that belong to the protocol are shown as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

REDACTED = "REDACTED"

_ESCAPE_OR_TEXT = re.compile(r"%([0-9A-Fa-f]{2})|[^\W_]")
_SECRET_NAMES = re.compile(
    r"authorization|cookie|uploadid|.*(?:token|signature|secret|password|customer-key).*", re.IGNORECASE
)
_KNOWN_NAMES = """
    accept accept-encoding authorization cache-control connection content-disposition content-encoding
    content-language content-length content-md5 content-type cookie date expect expires host if-match
    if-none-match origin range te transfer-encoding user-agent via
    x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-prefix x-forwarded-proto
    x-forwarded-server x-real-ip
    x-amz-acl x-amz-checksum-algorithm x-amz-checksum-crc32 x-amz-checksum-crc32c x-amz-checksum-crc64nvme
    x-amz-checksum-sha1 x-amz-checksum-sha256 x-amz-checksum-type x-amz-content-sha256 x-amz-copy-source
    x-amz-date x-amz-decoded-content-length x-amz-expected-bucket-owner x-amz-mp-object-size
    x-amz-sdk-checksum-algorithm x-amz-security-token x-amz-server-side-encryption
    x-amz-server-side-encryption-aws-kms-key-id x-amz-server-side-encryption-customer-algorithm
    x-amz-server-side-encryption-customer-key x-amz-server-side-encryption-customer-key-md5
    x-amz-storage-class x-amz-tagging x-amz-trailer x-amz-user-agent amz-sdk-invocation-id amz-sdk-request
    acl delete delimiter encoding-type key-marker list-type location max-keys max-parts max-uploads
    part-number-marker partNumber prefix response-content-disposition response-content-type start-after
    tagging upload-id-marker uploadId uploads versionId versioning versions x-id
    X-Amz-Algorithm X-Amz-Content-Sha256 X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-Security-Token
    X-Amz-Signature X-Amz-SignedHeaders
"""
_NAMES = frozenset(_KNOWN_NAMES.split())
_NUMBER = re.compile(r"[0-9]{0,20}")
_TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_PAYLOAD_HASH = re.compile(
    r"[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-(UNSIGNED-PAYLOAD|AWS4-HMAC-SHA256-PAYLOAD)(-TRAILER)?"
)
_VALUES: Mapping[str, re.Pattern[str]] = {
    "host": re.compile(r"[A-Za-z0-9._\-:\[\]]{1,255}"),
    "connection": re.compile(r"close|keep-alive", re.IGNORECASE),
    "content-encoding": re.compile(r"aws-chunked|gzip|identity"),
    "content-length": _NUMBER,
    "content-type": re.compile(r"(application|binary)/octet-stream|application/(xml|json)|text/plain|"),
    "expect": re.compile(r"100-continue"),
    "te": re.compile(r"trailers"),
    "transfer-encoding": re.compile(r"chunked"),
    "x-forwarded-port": _NUMBER,
    "x-forwarded-proto": re.compile(r"https?"),
    "x-amz-acl": re.compile(r"private|public-read|public-read-write|bucket-owner-full-control"),
    "x-amz-content-sha256": _PAYLOAD_HASH,
    "x-amz-date": _TIMESTAMP,
    "x-amz-decoded-content-length": _NUMBER,
    "x-amz-sdk-checksum-algorithm": re.compile(r"CRC32C?|CRC64NVME|SHA1|SHA256"),
    "x-amz-trailer": re.compile(r"x-amz-checksum-(crc32c?|crc64nvme|sha1|sha256)"),
    "list-type": _NUMBER,
    "max-parts": _NUMBER,
    "partNumber": _NUMBER,
    "X-Amz-Algorithm": re.compile(r"AWS4-HMAC-SHA256"),
    "X-Amz-Content-Sha256": _PAYLOAD_HASH,
    "X-Amz-Date": _TIMESTAMP,
    "X-Amz-Expires": _NUMBER,
}
_REGION = re.compile(r"[a-z]{2}(-[a-z]{2,10}){1,2}-[0-9]{1,2}|auto|")


def masked(text: str) -> str:
    """Every letter and digit, also percent-encoded ones and those beyond ASCII, as an ``x``."""
    return _ESCAPE_OR_TEXT.sub(_mask, text)


def masked_query(query: str) -> str:
    """A query of ``name=value`` pairs, in the order given."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join([f"{masked_name(name)}{sign}{_value(name, value)}" for name, sign, value in pairs])


def masked_headers(values: Mapping[str, str]) -> dict[str, str]:
    """Header values by name, in the order given. Names that look the same masked are told apart."""
    shown: dict[str, str] = {}
    for name, value in values.items():
        masked_as = masked_name(name)
        while masked_as in shown:
            masked_as += "'"
        shown[masked_as] = _value(name, value)
    return shown


def masked_name(name: str) -> str:
    """A header's or parameter's name as it is when the protocol has it."""
    if name in _NAMES:
        return name
    for prefix in ("x-amz-meta-", "x-amz-", "x-"):
        if name.startswith(prefix):
            return prefix + masked(name.removeprefix(prefix))
    return masked(name)


def shown_payload_hash(payload_hash: str) -> str:
    """``x-amz-content-sha256``, when it is one."""
    return payload_hash if _PAYLOAD_HASH.fullmatch(payload_hash) else masked(payload_hash)


def shown_region(region: str) -> str:
    """A region, when it is named as those of AWS are."""
    return region if _REGION.fullmatch(region) else masked(region)


def _value(name: str, value: str) -> str:
    if value and _SECRET_NAMES.fullmatch(name):
        return REDACTED
    allowed = _VALUES.get(name)
    return value if allowed and allowed.fullmatch(value) else masked(value)


def _mask(match: re.Match[str]) -> str:
    if match[1] is None:
        return "x"
    byte = int(match[1], 16)
    return match[0] if byte < 0x80 and not chr(byte).isalnum() else "%xx"
