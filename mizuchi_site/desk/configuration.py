"""The configuration that this gateway runs with, and what there is to say about it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.conf import settings

from mizuchi_site.config.defaults import EffectiveValue, effective_values
from mizuchi_site.system_checks import findings

from .page import DeskView


@dataclass(frozen=True, slots=True)
class Row:
    """A value as the page has it: values are JSON, as in the output of ``check_config``."""

    path: str
    value: str
    source: str
    default: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    rows: tuple[Row, ...]
    differing: int


class ConfigurationPage(DeskView):
    """Every effective value with its source, secrets masked; what differs from the defaults; checks."""

    title = "Configuration"
    permission = "mizuchi_site.view_configuration"
    template_name = "desk/configuration.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        values = list(effective_values(settings.CONFIGURATION))
        differing = [value for value in values if value.differs]
        is_short = self.request.GET.get("show") == "differing"
        return super().get_context_data(
            file=settings.CONFIGURATION.file,
            sections=_sections(differing if is_short else values),
            is_short=is_short,
            total=len(values),
            differing=len(differing),
            findings=findings(),
            **kwargs,
        )


def _sections(values: Iterable[EffectiveValue]) -> list[Section]:
    sections = []
    for name, found in groupby(values, key=lambda value: value.section):
        rows = tuple(_row(value) for value in found)
        sections.append(Section(name, rows, sum(row.differs for row in rows)))
    return sections


def _row(value: EffectiveValue) -> Row:
    default = _as_json(value.default) if value.has_default else ""
    return Row(value.path, _as_json(value.value), value.source, default, value.differs)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
