"""Every configuration that a page shows can be used; every mark of a block is one that does something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mizuchi_site.config import ConfigError, load_config
from tests.docs.pages import ALL, MARKS, Block, blocks

CONFIGURATIONS = [block for block in ALL if block.language in ("yaml", "yml") and block.mark != "not ours"]
VALUES = {"OPENFGA_STORE_ID": "01HVMMBCMGZNT3SED4Z17ECXCA"}


def variables(text: str) -> dict[str, str]:
    """A value for each ``${VAR}``: long enough for a secret, and Base64, unless its name tells of another."""
    return {name: VALUES.get(name, "0123456789abcdefghijklmnopqrstuv") for name in _names(text)}


def _names(text: str) -> set[str]:
    return set(re.findall(r"\$\{(\w+)", text))


@pytest.mark.parametrize("block", CONFIGURATIONS, ids=str)
def test_it_loads(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(block.text)
    try:
        load_config(file, variables(block.text))
    except ConfigError as error:
        pytest.fail(f"{error}\nYAML that is no configuration of the gateway is marked <!-- not ours -->")


def test_there_are_some() -> None:
    assert len(CONFIGURATIONS) > 15


def test_marks_are_known() -> None:
    """A mark that is misspelt would leave a block untested."""
    assert [str(block) for block in ALL if block.mark not in ("", *MARKS)] == []


def test_output_follows_what_prints_it(tmp_path: Path) -> None:
    for page in {block.page for block in ALL}:
        before = ""
        for block in blocks(page):
            assert block.mark != "output" or before == "run", block
            before = block.mark
