"""Where this gateway's traces are: on this machine, at a collector, or nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from tracing_app.config import TracingConfig
from tracing_app.ui_url import ui_url


@dataclass(frozen=True, slots=True)
class TraceStore:
    """``is_recorded``: traces are made at all. ``is_kept``: on this machine. ``collector``: where they are
    sent, "" for nowhere. ``ui_template``: ``tracing.ui_url``."""

    is_recorded: bool
    is_kept: bool
    collector: str
    ui_template: str

    @property
    def ui_host(self) -> str:
        """The host of the collector's pages; "" when none are configured."""
        return urlsplit(self.ui_template).netloc

    @property
    def ui_home(self) -> str:
        """The first of the collector's pages; "" when none are configured."""
        return f"{urlsplit(self.ui_template).scheme}://{self.ui_host}/" if self.ui_template else ""

    def ui_url(self, trace_id: str) -> str:
        """A trace in the collector's pages; "" when none are configured."""
        return ui_url(self.ui_template, trace_id) if self.ui_template else ""


def trace_store() -> TraceStore:
    """By the configuration of this process."""
    config: TracingConfig = settings.TRACING
    otlp = config.export.otlp if config.export else None
    return TraceStore(
        is_recorded=config.is_enabled,
        is_kept=config.store is not None,
        collector=otlp.endpoint if otlp else "",
        ui_template=config.ui_url or "",
    )
