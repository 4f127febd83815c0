from __future__ import annotations

import logging

import pytest

from tracing_app.logs.levels import OFF, LogLevels, parse_levels


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("info", LogLevels(logging.INFO)),
        ("WARN", LogLevels(logging.WARNING)),
        ("uploads=debug", LogLevels(None, {"uploads": logging.DEBUG})),
        (
            " info , uploads.backends = error,django.db=off",
            LogLevels(logging.INFO, {"uploads.backends": logging.ERROR, "django.db": OFF}),
        ),
        ("_native=warning,my-lib=critical", LogLevels(None, {"_native": 30, "my-lib": 50})),
        ("root=info,off", LogLevels(OFF, {"root": logging.INFO})),
    ],
)
def test_a_filter_is_levels_for_all_and_for_names(text: str, levels: LogLevels) -> None:
    assert parse_levels(text) == levels


def test_off_is_above_every_level() -> None:
    assert OFF > logging.CRITICAL


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "item 1 does not end in a level; levels are off, critical"),
        ("info,", "item 2 does not end in a level"),
        ("uploads", "item 1 does not end in a level"),
        ("info,uploads=loud", "item 2 does not end in a level"),
        ("uploads=", "item 1 does not end in a level"),
        ("uploads:debug", "item 1 does not end in a level"),
        ("=debug", "item 1 does not begin with the name of a logger"),
        ("a=b=debug", "item 1 does not begin with the name of a logger"),
        ("uploads.=debug", "item 1 does not begin with the name of a logger"),
        ("my module=debug", "item 1 does not begin with the name of a logger"),
        ("info,debug", "item 2 is a second level for everything"),
        ("x=info,x=debug", "item 2 names a logger that was named before"),
    ],
)
def test_what_is_wrong_is_told_with_what_would_be_right(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        parse_levels(text)
    assert '"info,uploads=debug,django.db=off"' in str(refused.value)
    assert "loud" not in str(refused.value)
