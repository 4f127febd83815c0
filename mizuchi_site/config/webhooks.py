"""Webhooks of a bucket: who is told of its objects, how that is signed, and how often it is tried."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from uploads.notifications.signing import MAX_BYTES, MIN_BYTES, PREFIX, parse_secret

from .storages import ExistingFile
from .values import Listed, NotEmpty, Nullable, Number, Section, Whole, matching

EventName = Literal[
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:CompleteMultipartUpload",
]


def _url(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    try:
        url = urlsplit(text)
        is_url = bool(url.hostname) and url.scheme in {"http", "https"} and url.port != 0
    except ValueError:
        is_url = False
    if not is_url or not re.fullmatch(r"[!-~]+", text) or "@" in url.netloc or "#" in text:
        raise ValueError(
            'must be an http or https URL without login and fragment, like "https://events.example.org/uploads"'
        )
    return secret


def _secret(secret: SecretStr) -> SecretStr:
    try:
        parse_secret(secret.get_secret_value())
    except ValueError as error:
        raise ValueError(
            f"{error}; must be {MIN_BYTES} to {MAX_BYTES} bytes in Base64, with or without {PREFIX} before; "
            f'make one with: echo "{PREFIX}$(openssl rand -base64 32)"'
        ) from None
    return secret


class RetrySection(Section):
    """How long a receiver may be away. A wait is twice the one before, and up to half of it less by lot."""

    initial_seconds: Number = Field(default=5.0, ge=0.1, le=3600)
    max_seconds: Number = Field(default=6 * 3600.0, ge=1, le=7 * 86400)
    max_attempts: Whole = Field(default=16, ge=1, le=1000)
    max_age_hours: Number = Field(default=72.0, ge=0.01, le=31 * 24)

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.max_seconds < self.initial_seconds:
            raise ValueError("has a max_seconds below its initial_seconds; waits only grow")
        return self


class WebhookSection(Section):
    """One receiver of a bucket's events."""

    name: Annotated[
        str,
        matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "1 to 63 letters, digits, dots, hyphens, underscores"),
    ]
    url: Annotated[SecretStr, AfterValidator(_url)]
    secrets: Annotated[Listed[Annotated[SecretStr, AfterValidator(_secret)]], NotEmpty, Field(max_length=5)]
    format: Literal["cloudevents", "s3"] = "cloudevents"
    events: Annotated[Listed[EventName], NotEmpty] = ("s3:ObjectCreated:*",)
    prefix: str = Field(default="", max_length=1024)
    suffix: str = Field(default="", max_length=1024)
    timeout_seconds: Number = Field(default=10.0, ge=0.1, le=120)
    concurrency: Whole = Field(default=4, ge=1, le=32)
    ca_file: Nullable[ExistingFile] = None
    retry: RetrySection = RetrySection()

    @model_validator(mode="after")
    def _certificates(self) -> Self:
        if self.ca_file is not None and self.url.get_secret_value().startswith("http:"):
            raise ValueError("ca_file needs an https url; this one has no certificate to check")
        return self


class DeliveriesSection(Section):
    """How long deliveries are kept after their end."""

    keep_delivered_days: Number = Field(default=7.0, ge=0.01, le=3650)
    keep_dead_days: Number = Field(default=30.0, ge=0.01, le=3650)
