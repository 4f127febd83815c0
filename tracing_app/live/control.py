"""Puts live settings in force in this process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from tracing_app.config import SamplingConfig
from tracing_app.recording.choices import Never
from tracing_app.recording.samplers import HeadSampler
from tracing_app.sampling.policy import head_choice, tail_policy
from tracing_app.sampling.tail import TailSampler

from .overrides import LiveSettings, OverridesInvalid, apply_overrides

logger = logging.getLogger("mizuchi.tracing.live")


class SamplingControl:
    """Holds what decides about traces; ``apply`` replaces its settings while requests run. ``revision`` is
    the number of those in force, 0 for the file's."""

    def __init__(self, base: SamplingConfig, head: HeadSampler, tail: TailSampler) -> None:
        self._base = base
        self._head = head
        self._tail = tail
        self.settings = LiveSettings(True, base)
        self.revision = 0

    def apply(self, revision: int, overrides: Mapping[str, Any]) -> None:
        """Put the file's settings with a revision's overrides in force. What cannot be right changes
        nothing."""
        try:
            settings = apply_overrides(self._base, overrides)
        except OverridesInvalid as error:
            logger.error("tracing settings are wrong, those in force stay: %s", error)
            return
        self._tail.policy = tail_policy(settings.sampling)
        if settings.enabled:
            self._head.replace(head_choice(settings.sampling), tail=True)
        else:
            self._head.replace(Never(), tail=False)
        self.settings, self.revision = settings, revision
        logger.info("tracing settings are in force: %s", ", ".join(sorted(overrides)) or "those of the file")
