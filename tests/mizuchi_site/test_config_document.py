"""The YAML that a configuration file may be."""

from __future__ import annotations

import pytest

from mizuchi_site.config import ConfigError
from mizuchi_site.config.document import MAX_BYTES, parse_document, read_document


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param("# only a comment\n", {}, id="comment"),
        pytest.param("{a: 1, b: -2, c: 1.5}", {"a": 1, "b": -2, "c": 1.5}, id="numbers"),
        pytest.param("{a: true, b: False}", {"a": True, "b": False}, id="flags"),
        pytest.param("{a: null, b: ~, c: }", {"a": None, "b": None, "c": None}, id="nulls"),
        pytest.param("{a: no, b: on, c: y}", {"a": "no", "b": "on", "c": "y"}, id="yes-and-no-are-text"),
        pytest.param(
            "{a: 010, b: 0x1F, c: 1_000}", {"a": "010", "b": "0x1F", "c": "1_000"}, id="odd-numbers"
        ),
        pytest.param("{a: 1:30, b: 2026-01-02}", {"a": "1:30", "b": "2026-01-02"}, id="times-are-text"),
        pytest.param("{a: '1', b: \"true\"}", {"a": "1", "b": "true"}, id="quoted-is-text"),
        pytest.param("{a: .inf, b: .nan}", {"a": ".inf", "b": ".nan"}, id="no-infinity"),
        pytest.param("a: &x {k: 1}\nb: *x\n", {"a": {"k": 1}, "b": {"k": 1}}, id="alias"),
        pytest.param("<<: {k: 1}\n", {"<<": {"k": 1}}, id="no-merging"),
    ],
)
def test_reads(text: str, data: object) -> None:
    assert parse_document(text.encode()) == (data, [])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("- a\n", "must be a mapping of sections", id="list"),
        pytest.param("just text", "must be a mapping of sections", id="scalar"),
        pytest.param("a: 1\nb: 2\na: 3\n", "a: is given twice (again on line 3)", id="duplicate"),
        pytest.param("a: {b: {c: 1, c: 2}}", "a.b.c: is given twice", id="nested-duplicate"),
        pytest.param("a:\n  - b: 1\n    b: 2\n", "a[0].b: is given twice (again on line 3)", id="in-list"),
        pytest.param("a: 1\n'a': 2\n", "a: is given twice", id="quoted-duplicate"),
        pytest.param("1: a\n", "a key on line 1 is not text", id="number-key"),
        pytest.param("a: {true: b}\n", "a: a key on line 1 is not text", id="bool-key"),
        pytest.param("? [a, b]\n: c\n", "a key on line 1 is not text", id="list-key"),
        pytest.param("a: !!python/object:os.system x", "a: YAML tags are not used here", id="python-tag"),
        pytest.param("a: !!binary aGk=", "a: YAML tags are not used here", id="binary"),
        pytest.param("a: !secret x", "a: YAML tags are not used here", id="own-tag"),
        pytest.param("a: [1", "is not YAML: line 1, column 6", id="open-bracket"),
        pytest.param("a: b: c", "is not YAML: line 1, column 5", id="two-colons"),
        pytest.param("a: *missing", "is not YAML: line 1, column 4: found undefined alias;", id="alias"),
        pytest.param("a: 1\n---\nb: 2\n", "is not YAML: line 2", id="two-documents"),
        pytest.param("a: \x00", "holds a character that YAML does not allow", id="nul"),
        pytest.param("a: &a [*a]", "unfolds into more than", id="alias-inside-itself"),
        pytest.param(bomb(9), "unfolds into more than", id="alias-bomb"),
        pytest.param(f"a: {'[' * 500}", "is nested deeper than", id="deep"),
        pytest.param("#" * (MAX_BYTES + 1), "is larger than", id="large"),
    ],
)
def test_refuses(text: str, complaint: str) -> None:
    data, faults = parse_document(text.encode())
    assert data == {}
    assert complaint in "\n".join(map(str, faults))


def test_reports_every_duplicate() -> None:
    _, faults = parse_document(b"{a: {b: 1, b: 2}, c: [{d: 1, d: 2}]}")
    assert [fault.location for fault in faults] == [("a", "b"), ("c", 0, "d")]


def test_refuses_bytes_that_are_not_utf8() -> None:
    assert "is not UTF-8 text" in str(parse_document(b"a: \xff")[1][0])


@pytest.mark.parametrize(
    "text", ["k: *hunter2hunter2", "k: !hunter2hunter2 x", "k: 'hunter2hunter2", "k: @hunter2"]
)
def test_never_quotes_the_file(text: str) -> None:
    assert "hunter2" not in "\n".join(map(str, parse_document(text.encode())[1]))


def test_names_a_file_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml has 1 fault:\n  cannot be read: No such file"):
        read_document(tmp_path / "nowhere.yaml")
