"""The storages that buckets can lead to: files, an S3 service, or any Django storage class."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, SecretStr, Tag, model_validator

from .values import AnyPath, NotEmpty, Nullable, Number, Section, Whole, matching

BACKENDS = "filesystem, s3, or the dotted path of a Django storage class"


class FilesystemStorage(Section):
    """Objects as files, one folder for each bucket target."""

    backend: Literal["filesystem"]
    location: AnyPath


_ENDPOINT = re.compile(r"https?://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/?")


def _endpoint(text: str) -> str:
    match = _ENDPOINT.fullmatch(text)
    if not match or not 1 <= int(match["port"] or 443) <= 65535:
        raise ValueError('must be a URL without path and login, like "https://s3.example.org:9000"')
    return text.removesuffix("/")


def _existing_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("must be a file that exists")
    return path


ExistingFile = Annotated[AnyPath, AfterValidator(_existing_file)]
Secret = Annotated[SecretStr, NotEmpty]


class S3Storage(Section):
    """An S3 service; without an endpoint, AWS itself; without keys, those that boto3 finds."""

    backend: Literal["s3"]
    endpoint: Nullable[Annotated[str, AfterValidator(_endpoint)]] = None
    region: Annotated[str, matching(r"[A-Za-z0-9-]{1,64}", 'a region, like "us-east-1"')] = "us-east-1"
    addressing: Literal["path", "virtual", "auto"] = "path"
    access_key: Nullable[Annotated[str, matching(r"[!-~]{1,128}", "printable ASCII without spaces")]] = None
    secret_key: Nullable[Secret] = None
    session_token: Nullable[Secret] = None
    ca_file: Nullable[ExistingFile] = None
    connect_timeout_seconds: Number = Field(default=5.0, ge=0.1, le=600)
    read_timeout_seconds: Number = Field(default=60.0, ge=0.1, le=3600)
    max_connections: Whole = Field(default=64, ge=1, le=4096)

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key go together; give both or neither")
        if self.session_token is not None and self.secret_key is None:
            raise ValueError("session_token needs access_key and secret_key beside it")
        if self.ca_file is not None and (self.endpoint or "https:").startswith("http:"):
            raise ValueError("ca_file needs an https endpoint; this one has no certificate to check")
        return self


class DjangoStorage(Section):
    """Any Django storage class; bodies are verified in ``staging`` before it saves them."""

    backend: Annotated[str, matching(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", BACKENDS)]
    options: dict[str, Any] = Field(default={}, repr=False)
    staging: AnyPath = Field(default="var/staging", validate_default=True)


def _kind(value: Any) -> str | None:
    """Which of the three a storage is, by its backend; a value that is no mapping is reported as files."""
    backend = value.get("backend") if isinstance(value, dict) else getattr(value, "backend", "filesystem")
    if backend is None:
        return None
    return {"filesystem": "FilesystemStorage", "s3": "S3Storage"}.get(str(backend), "DjangoStorage")


Storage = Annotated[
    Annotated[FilesystemStorage, Tag("FilesystemStorage")]
    | Annotated[S3Storage, Tag("S3Storage")]
    | Annotated[DjangoStorage, Tag("DjangoStorage")],
    Discriminator(_kind),
]
