"""A test span to the collector, as ``manage.py tracing_check`` sends it, for who waits for a page."""

from __future__ import annotations

from dataclasses import dataclass

from tracing_app.apps import tracing_config
from tracing_app.check_export import Step, check_export
from tracing_app.resource import build_resource

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SpanSent:
    """How the span to ``endpoint`` fared, up to the first step that failed."""

    endpoint: str
    steps: tuple[Step, ...]

    @property
    def is_accepted(self) -> bool:
        return not self.steps[-1].advice


def send_test_span() -> SpanSent | None:
    """Try for ``SECONDS`` at most. None: there is no collector."""
    config = tracing_config()
    otlp = config.export.otlp if config.export else None
    if otlp is None:
        return None
    return SpanSent(otlp.endpoint, tuple(check_export(otlp, build_resource(config), within_seconds=SECONDS)))
