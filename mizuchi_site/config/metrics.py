"""The section about metrics."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from .tracing import OtlpSection
from .values import Flag, Nullable, Number, Section


def _token(secret: SecretStr) -> SecretStr:
    """RFC 6750, section 2.1: what fits behind "Bearer"."""
    text = secret.get_secret_value()
    if len(text) < 16 or not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError(
            "must have at least 16 printable ASCII characters without spaces; make one with: "
            "openssl rand -hex 32"
        )
    return secret


class MetricsOtlpSection(OtlpSection):
    """The collector that metrics are sent to: that of ``tracing.otlp`` unless an endpoint is given here, and
    then nothing of that one is used."""

    enabled: Flag = False
    interval_seconds: Number = Field(default=60.0, ge=1, le=3600)


class MetricsSection(Section):
    """Who may read ``/metrics``, and whether they are sent to a collector, too."""

    enabled: Flag = True
    token: Nullable[Annotated[SecretStr, AfterValidator(_token)]] = None
    otlp: MetricsOtlpSection = MetricsOtlpSection()
