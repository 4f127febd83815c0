"""The sections about the service itself: server, security, database, access keys, multipart, logging."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from authz.reserved_names import RESERVED, reserved_prefix
from tracing_app.logs.levels import parse_levels

from .values import Flag, Listed, NotEmpty, Nullable, Number, Section, Whole, matching

_HOST = (
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


def _bind(text: str) -> str:
    match = re.fullmatch(rf"(?:{_HOST}|\[[0-9A-Fa-f:.]+\]):([0-9]{{1,5}})", text)
    if not match or not 1 <= int(match[1]) <= 65535:
        raise ValueError('must be "host:port", like "127.0.0.1:8080" or "[::]:8080"')
    return text


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise ValueError('must be an IP address or a network, like "10.0.0.0/8"') from None
    return text


Bind = Annotated[str, AfterValidator(_bind)]
Network = Annotated[str, AfterValidator(_network)]
Domain = Annotated[
    str,
    matching(_HOST, 'a host name without scheme and port, like "s3.example.org"'),
    AfterValidator(str.lower),
]
AllowedHost = Annotated[
    str,
    matching(
        rf"\*|\.?{_HOST}|\[[0-9A-Fa-f:.]+\]", 'a host name without scheme and port, ".example.org" or "*"'
    ),
]


class ServerSection(Section):
    """How the gateway listens, and how much it serves at once."""

    bind: Bind = "127.0.0.1:8080"
    workers: Whole = Field(default=2, ge=1, le=256)
    threads: Whole = Field(default=64, ge=1, le=4096)
    domain: Nullable[Domain] = None
    max_connections: Whole = Field(default=1000, ge=1, le=1_000_000)
    body_stall_seconds: Number = Field(default=30.0, ge=1, le=3600)
    drain_seconds: Number = Field(default=30.0, ge=0, le=3600)
    trusted_proxies: Listed[Network] = ()
    allowed_hosts: Listed[AllowedHost] = ("localhost", "127.0.0.1", "[::1]")

    @property
    def host(self) -> str:
        """The address to listen on, IPv6 without brackets."""
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.bind.rpartition(":")[2])


def _secret_key(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) < 32 or len(set(text)) < 10:
        raise ValueError(
            "must have at least 32 characters, 10 of them different; make one with: openssl rand -hex 32"
        )
    return secret


class HstsSection(Section):
    """HTTP Strict Transport Security (RFC 6797) of the pages: browsers remember to come over HTTPS only."""

    seconds: Whole = Field(default=0, ge=0, le=2 * 365 * 24 * 3600)
    include_subdomains: Flag = False


class SecuritySection(Section):
    """Master secrets, from which every key of the gateway is derived, and how pages are reached."""

    secret_keys: Listed[Annotated[SecretStr, AfterValidator(_secret_key)]] = ()
    hsts: HstsSection = HstsSection()


def _database_url(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    try:
        url = urlsplit(text)
        known = url.scheme in {"sqlite", "postgres", "postgresql"} and text.startswith(f"{url.scheme}://")
        complete = len(url.path) > 1 and (url.scheme != "sqlite" or not url.netloc)
        url.port  # noqa: B018 - raises ValueError for a port that is none
    except ValueError:
        known = complete = False
    if not (known and complete):
        raise ValueError(
            "must be sqlite:///relative/path, sqlite:////absolute/path or "
            "postgres://user:password@host:5432/name (special characters percent-encoded)"
        )
    return secret


class DatabaseSection(Section):
    """Where records, access keys and admin accounts are."""

    url: Annotated[SecretStr, AfterValidator(_database_url)] = SecretStr("sqlite:///var/mizuchi.sqlite3")


def _cache_url(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    try:
        url = urlsplit(text)
        is_known = bool(url.hostname) if url.scheme in {"redis", "rediss"} else url.scheme == "unix"
        url.port  # noqa: B018 - raises ValueError for a port that is none
    except ValueError:
        is_known = False
    if not is_known or not re.fullmatch("/[0-9]*|", url.path if url.scheme != "unix" else ""):
        raise ValueError(
            "must be redis://user:password@host:6379/0, rediss:// with TLS, or unix:///path/of/socket "
            "(special characters percent-encoded)"
        )
    return secret


class CacheSection(Section):
    """What workers and nodes share besides the database."""

    url: Nullable[Annotated[SecretStr, AfterValidator(_cache_url)]] = None


def _principal(text: str) -> str:
    if text == "anonymous":
        raise ValueError('must not be "anonymous": that is the name of callers without a key')
    if prefix := reserved_prefix(text):
        raise ValueError(f'must not begin with "{prefix}": so begin the names of {RESERVED[prefix]}')
    return text


def _secret_access_key(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{16,128}", secret.get_secret_value()):
        raise ValueError("must be 16 to 128 printable ASCII characters without spaces")
    return secret


class AccessKeySection(Section):
    """An access key, whom it stands for, and the buckets it is good for."""

    access_key_id: Annotated[
        str, matching(r"[A-Za-z0-9._-]{3,128}", "3 to 128 letters, digits, dots, hyphens or underscores")
    ]
    secret_access_key: Annotated[SecretStr, AfterValidator(_secret_access_key)]
    principal: Annotated[
        str,
        matching(r"[!-~](?:[ -~]{0,126}[!-~])?", "1 to 128 printable ASCII characters"),
        AfterValidator(_principal),
    ]
    buckets: Annotated[Listed[str], NotEmpty] = ("*",)


class MultipartSection(Section):
    """What happens to multipart uploads that nobody finishes."""

    expiry_hours: Number = Field(default=168.0, ge=1, le=8760)


def _log_filter(text: str) -> str:
    parse_levels(text)
    return text


class LoggingSection(Section):
    """What is logged, and where it goes: to standard error, to the collector of ``tracing.otlp``."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    filter: Nullable[Annotated[str, AfterValidator(_log_filter)]] = None
    console: Flag = True
    format: Literal["console", "json"] = "console"
    otlp: Flag = False
