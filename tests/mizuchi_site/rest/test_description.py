"""The OpenAPI description is whole, and the documentation has every address of it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import yaml
from django.core.management import call_command

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "rest.md"


def test_it_is_valid_and_nothing_in_it_was_guessed() -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=StringIO(), stderr=StringIO())


def test_every_address_is_documented() -> None:
    out = StringIO()
    call_command("spectacular", stdout=out, stderr=StringIO())
    page = DOCUMENT.read_text()
    paths = yaml.safe_load(out.getvalue())["paths"]
    assert [path for path in paths if path.removeprefix("/api/v1") not in page] == []
