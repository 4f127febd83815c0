"""The section about telemetry."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from tracing_app.exporting.endpoint import check_headers, parse_endpoint
from tracing_app.sampling.rules import RULE_NAME, RuleText, parse_rules
from tracing_app.ui_url import check_ui_url

from .values import AnyPath, Flag, Listed, Nullable, Number, Section, Whole, matching

ResourceName = Annotated[
    str, matching(r"[A-Za-z][A-Za-z0-9_.-]{0,127}", 'an attribute name like "deployment.environment.name"')
]
ServiceName = Annotated[str, matching(r"[!-~](?:[ -~]{0,126}[!-~])?", "1 to 128 printable ASCII characters")]
HeaderName = Annotated[str, matching(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}", "the name of a header")]


class TlsSection(Section):
    """Whom to trust when the endpoint is https."""

    ca_file: Nullable[AnyPath] = None


class OtlpSection(Section):
    """The collector. Without an endpoint nothing is exported."""

    protocol: Literal["grpc", "http/protobuf"] = "grpc"
    endpoint: Nullable[str] = None
    timeout_seconds: Number = Field(default=3.0, ge=0.1, le=60)
    compression: Literal["auto", "gzip", "none"] = "auto"
    headers: dict[HeaderName, SecretStr] = {}
    tls: TlsSection = TlsSection()

    @field_validator("endpoint")
    @classmethod
    def _fits_the_protocol(cls, endpoint: str | None, info: ValidationInfo) -> str | None:
        protocol = info.data.get("protocol")
        if endpoint is not None and protocol is not None:
            parse_endpoint(endpoint, protocol)
        return endpoint

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        protocol = info.data.get("protocol")
        if protocol is not None:
            check_headers(((name, text.get_secret_value()) for name, text in headers.items()), protocol)
        return headers


class RuleSection(Section):
    """Traces that match ``when`` (all without one) are kept as ``keep`` says."""

    name: Annotated[str, matching(RULE_NAME, "1 to 64 letters, digits and spaces")]
    when: str = ""
    keep: str | Number

    @property
    def text(self) -> RuleText:
        return RuleText(self.name, str(self.keep), self.when)


class SamplingSection(Section):
    """Which traces are kept: decided when they begin, and again when they have ended."""

    strategy: Literal["always", "never", "ratio", "parent_based"] = "parent_based"
    ratio: Number = Field(default=1.0, ge=0, le=1)
    errors: Flag = True
    slow_request_ms: Nullable[Annotated[Number, Field(ge=0, le=86_400_000)]] = 2000.0
    max_traces_per_second: Nullable[Annotated[Number, Field(gt=0, le=1_000_000)]] = None
    rules: Listed[RuleSection] = ()

    @field_validator("rules")
    @classmethod
    def _can_be_read(cls, rules: tuple[RuleSection, ...]) -> tuple[RuleSection, ...]:
        parse_rules(rule.text for rule in rules)
        return rules


class BatchSection(Section):
    """How many spans wait at most, how long, and how many go at once."""

    max_queue_size: Whole = Field(default=2048, ge=1, le=1_000_000)
    scheduled_delay_millis: Whole = Field(default=5000, ge=1, le=600_000)
    max_export_batch_size: Whole = Field(default=512, ge=1, le=100_000)


class BreakerSection(Section):
    """After how many failures on end the collector is left alone, and for how long."""

    failures: Whole = Field(default=5, ge=1, le=1000)
    reset_seconds: Number = Field(default=30.0, ge=0.1, le=3600)


def _spool_bytes(size: int) -> int:
    if 0 < size < 1024 * 1024:
        raise ValueError("must be 0 (no spool) or at least 1048576")
    return size


class SpoolSection(Section):
    """Where traces wait on disk while the collector is away."""

    directory: Annotated[str, matching(r"[^\0]+", "the path of a folder")] = "var/spool"
    max_bytes: Annotated[Whole, Field(ge=0), AfterValidator(_spool_bytes)] = 64 * 1024 * 1024


class LocalStoreSection(Section):
    """Kept traces on this machine. ``enabled`` null: only while no collector is configured. ``path`` null: in
    the main database, which all nodes share."""

    enabled: Nullable[Flag] = None
    path: Nullable[Annotated[str, matching(r"[^\0]+", "the path of a SQLite file")]] = "var/traces.sqlite3"
    max_traces: Whole = Field(default=10_000, ge=1, le=10_000_000)
    max_age_hours: Number = Field(default=72.0, ge=0.01, le=24 * 365)


Host = Annotated[
    str,
    matching(
        r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?",
        'a host in lower case, like "storage.internal" or "127.0.0.1:9000"',
    ),
]


class PropagationSection(Section):
    """What goes along with requests to storages and policy engines, besides the trace itself."""

    baggage_hosts: Listed[Host] = ()


class RedactionSection(Section):
    """How much of an object's key traces show."""

    keys: Literal["full", "prefix", "hash"] = "prefix"


class TracingSection(Section):
    """Whether uploads are traced, and where the traces go."""

    enabled: Flag = True
    service_name: Annotated[
        str, matching(r"[!-~](?:[ -~]{0,126}[!-~])?", "1 to 128 printable characters")
    ] = "mizuchi-uploadr"
    resource: dict[ResourceName, str] = {}
    otlp: OtlpSection = OtlpSection()
    console: Flag = False
    sampling: SamplingSection = SamplingSection()
    batch: BatchSection = BatchSection()
    breaker: BreakerSection = BreakerSection()
    spool: SpoolSection = SpoolSection()
    local_store: LocalStoreSection = LocalStoreSection()
    propagation: PropagationSection = PropagationSection()
    redaction: RedactionSection = RedactionSection()
    multipart: Literal["join", "link"] = "join"
    ui_url: Nullable[str] = None

    @field_validator("ui_url")
    @classmethod
    def _is_an_address(cls, ui_url: str | None) -> str | None:
        if ui_url is not None:
            check_ui_url(ui_url)
        return ui_url
