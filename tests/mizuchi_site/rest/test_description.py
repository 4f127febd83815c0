"""The OpenAPI description is whole, and the documentation has every address of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import yaml
from django.core.management import call_command

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "rest.md"


def test_it_is_valid_and_nothing_in_it_was_guessed() -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=StringIO(), stderr=StringIO())


def test_every_operation_is_documented_and_no_other() -> None:
    out = StringIO()
    call_command("spectacular", stdout=out, stderr=StringIO())
    paths = yaml.safe_load(out.getvalue())["paths"]

    assert {(path, method.upper()) for path, methods in paths.items() for method in methods} == set(rows())


def rows() -> Iterator[tuple[str, str]]:
    """Address and method; a row without an address is about the one above."""
    address = ""
    for named, method in re.findall(
        r"^\| (?:`([^`]+)`)? ?\| ([A-Z]+) \|", DOCUMENT.read_text(), re.MULTILINE
    ):
        address = named or address
        yield address, method
