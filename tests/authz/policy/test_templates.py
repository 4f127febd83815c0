from __future__ import annotations

import pytest

from authz.policy.templates import expand

NAMES = [
    "a",
    "a b",
    "a%20b",
    "a:b",
    "a#b",
    "*",
    "a/b",
    "a@b.example",
    "é",
    "e\u0301",
    "a|b",
    "A",
    " a",
    "a\n",
    "\ud800",
]


@pytest.mark.parametrize(
    ("template", "values", "name"),
    [
        ("user:{subject}", {"subject": "anne"}, "user:anne"),
        ("user:{subject}", {"subject": "anne@example.org"}, "user:anne@example.org"),
        ("user:{subject}", {"subject": "auth0|1"}, "user:auth0|1"),
        ("user:{subject}", {"subject": "a:b#c d*"}, "user:a%3Ab%23c%20d%2A"),
        ("user:{subject}", {"subject": "é"}, "user:%C3%A9"),
        ("user:{subject}", {"subject": "{bucket}", "bucket": "x"}, "user:%7Bbucket%7D"),
        ("user:{subject}", {"subject": ""}, None),
        ("folder:{bucket}/{folder}", {"bucket": "b", "folder": "x/y"}, "folder:b/x/y"),
        ("folder:{bucket}/{folder}", {"bucket": "b", "folder": ""}, None),
        ("folder:{bucket}/{folder}", {"bucket": "b"}, None),
        ("file:{bucket}-{key}", {"bucket": "b", "key": "k.txt"}, "file:b-k.txt"),
    ],
    ids=range(11),
)
def test_names(template: str, values: dict[str, str], name: str | None) -> None:
    assert expand(template, values) == name


def test_different_values_stay_different() -> None:
    assert len({expand("user:{subject}", {"subject": name}) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_nothing_ends_the_name(name: str) -> None:
    expanded = expand("user:{subject}", {"subject": name})

    assert expanded is not None
    assert expanded.isascii()
    assert not set(expanded.removeprefix("user:")) & set(":#*") | {c for c in expanded if c.isspace()}
