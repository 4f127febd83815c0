"""Every test here sends requests to the same scene."""

from __future__ import annotations

from tests.tracing_app.propagation.scene import scene

__all__ = ["scene"]
