"""Where a sidecar can be: in its file, or, on a filesystem without extended attributes, beside it."""

from __future__ import annotations

import errno
import os

import pytest


def attributes(monkeypatch):
    """What this machine has."""


def no_attributes(monkeypatch):
    """A filesystem without extended attributes."""

    def refuse(*args):
        raise OSError(errno.ENOTSUP, "no")

    monkeypatch.setattr(os, "setxattr", refuse)
    monkeypatch.setattr(os, "getxattr", refuse)


#: Parameters of a fixture: call each with ``monkeypatch``.
PLACES = [pytest.param(attributes, id="attributes"), pytest.param(no_attributes, id="files")]
