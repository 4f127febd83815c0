"""REST framework without the packages that it would import only because they are installed."""

from __future__ import annotations

import sys

EXTRAS = ("django.contrib.postgres", "markdown", "requests", "pygments")
"""What nothing here uses of it: array fields of PostgreSQL, with a driver; a client for tests; markup and
colours for documents. They are 15 MiB of a worker."""


def import_rest_framework() -> None:
    """Import it as where the extras are not installed, which it provides for. They stay importable for
    others. Not while a second thread imports."""
    hidden = [name for name in EXTRAS if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to say: not installed
    try:
        import rest_framework.compat  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]
