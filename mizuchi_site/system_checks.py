"""What Django's system checks have to say about this gateway, those for deployments included."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from django.core.checks import CheckMessage, run_checks

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One message; ``hint`` says what to do about it, "" when the check does not."""

    id: str
    level: Level
    message: str
    hint: str


def findings() -> list[Finding]:
    """What no one has silenced, the gravest first."""
    messages = run_checks(include_deployment_checks=True)
    told = [message for message in messages if not message.is_silenced()]
    return [
        Finding(message.id or "", _level(message), str(message.msg), str(message.hint or ""))
        for message in sorted(told, key=lambda message: (-message.level, message.id or ""))
    ]


def _level(message: CheckMessage) -> Level:
    if message.level >= logging.ERROR:
        return "error"
    return "warning" if message.level >= logging.WARNING else "info"
