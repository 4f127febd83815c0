"""What leaves the machine: by construction nothing that a client or person said."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tracing_app.logs.records import raised, record_of
from tracing_app.api import trace
from tracing_app.logs.exported_record import LogEntry, RecordExport, frames_of

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("mizuchi_site", "uploads", "authz", "tracing_app")
CANARY = "jane@example.org"
CLEAN, OWN, OTHER = "mizuchi.access", "uploads.views", "botocore.auth"


def entry(*args: object, **kwargs: object) -> LogEntry:
    export = RecordExport(clean=("mizuchi.access",), own=("uploads", "mizuchi"))
    return export.entry(record_of(*args, **kwargs))  # type: ignore[arg-type]


class Rude:
    def __str__(self) -> str:
        raise RuntimeError(CANARY)

    __repr__ = __str__


@pytest.mark.parametrize(
    ("name", "message", "args", "text"),
    [
        (CLEAN, "%s %d %s", ("PUT", 200, "NoSuchKey"), "PUT 200 NoSuchKey"),
        (CLEAN, "%s", (Rude(),), "%s"),
        (CLEAN, "%d", ("x",), "%d"),
        (OWN, "as it is, 100 %", (), "as it is, 100 %"),
        (
            OWN,
            "key %s, %r of %d in %.1f s",
            (CANARY, CANARY, 3, 0.25),
            "key [redacted], [redacted] of 3 in 0.2 s",
        ),
        (OWN, "%(key)s %(number)d", ({"key": CANARY, "number": 3},), "[redacted] 3"),
        (OWN, "is %s", (True,), "is True"),
        (OWN, "%s", (Rude(),), "[redacted]"),
        (OWN, "number %d", (CANARY,), "number %d"),
        (OWN, "too few %s %s", (CANARY,), "too few %s %s"),
        (OWN, ValueError(CANARY), (), "[redacted]"),
        (OTHER, "Retrying %s: %d left", (CANARY, 2), "Retrying [redacted]: 2 left"),
        (OTHER, f"made of {CANARY}", (), "[redacted]"),
        ("uploadsmore", f"made of {CANARY}", (), "[redacted]"),
    ],
)
def test_the_text_is_what_the_program_says(
    name: str, message: object, args: tuple[object, ...], text: str
) -> None:
    assert entry(message, *args, name=name).text == text


def test_the_id_of_the_own_trace_is_told() -> None:
    with trace("f" * 32):
        told = entry("request %s refused: %s", "f" * 32, CANARY)

    assert told.text == f"request {'f' * 32} refused: [redacted]"
    assert told.trace_id == "f" * 32
    assert entry("request %s refused", "f" * 32).text == "request [redacted] refused"
    assert entry("%s", "").text == "[redacted]"


FIELDS = {
    "method": "PUT",
    "status": 200,
    "duration_ms": 1.5,
    "bytes": None,
    "principal": CANARY,
    "code": [CANARY],
}


def test_fields_of_clean_loggers_go_by_an_allow_list() -> None:
    attributes = entry("x", name=CLEAN, extra=FIELDS).attributes

    assert {name: value for name, value in attributes.items() if not name.startswith("code.")} == {
        "http.request.method": "PUT",
        "http.response.status_code": 200,
        "mizuchi.duration_ms": 1.5,
    }


@pytest.mark.parametrize("name", [OWN, OTHER])
def test_fields_of_others_stay(name: str) -> None:
    assert set(entry("x", name=name, extra=FIELDS).attributes) == {"code.file.path", "code.line.number"}


def nested() -> BaseException:
    try:
        try:
            raised(ValueError(CANARY))
            raise KeyError(CANARY)
        except KeyError as first:
            raise RuntimeError(CANARY) from first
    except RuntimeError:
        try:
            raise OSError(5, CANARY, CANARY)
        except OSError as error:
            return error


def test_an_exception_is_told_by_types_and_frames() -> None:
    attributes = entry("failed", name=CLEAN, error=nested()).attributes

    assert attributes["exception.type"] == "OSError"
    trace_text = str(attributes["exception.stacktrace"])
    assert CANARY not in str(attributes)
    kinds = [line for line in trace_text.splitlines() if line in ("KeyError", "RuntimeError", "OSError")]
    assert kinds == ["KeyError", "RuntimeError", "OSError"]
    assert "direct cause of:" in trace_text
    assert "while handling it:" in trace_text
    assert "in nested" in trace_text


def test_a_ring_of_causes_and_a_hidden_one() -> None:
    one, two = ValueError(CANARY), KeyError(CANARY)
    one.__cause__, two.__cause__ = two, one
    assert frames_of(one).count("Error\n") == 2
    hidden = OSError(CANARY)
    hidden.__context__, hidden.__suppress_context__ = one, True
    assert frames_of(hidden).count("Error\n") == 1


def test_texts_are_bounded() -> None:
    assert len(entry("%s", "x" * 100_000, name=CLEAN).text) == 16 * 1024


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a logger's method in the rooms."""
    methods = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    for file in (file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            if node.func.attr in methods and isinstance(owner, ast.Name) and owner.id in LOGGERS:
                yield f"{file.relative_to(ROOT)}:{node.lineno}", node


LOGGERS = {"logger", "_logger", "access_log", "doctor", "log"}


def test_own_loggers_have_literals_as_messages() -> None:
    """What the export of own loggers rests on. ``log`` of the export's states is that of a clean logger."""
    found = dict(calls())
    assert len(found) > 30

    made = [
        place
        for place, call in found.items()
        if not isinstance(call.args[0], ast.Constant) and "exporting/state_log" not in place
    ]
    assert made == []


def test_every_logger_of_the_rooms_is_known_by_these_names() -> None:
    """A logger under another name would escape the test above."""
    names = set()
    for file in (file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Call)
                and ast.unparse(node.value.func) == "logging.getLogger"
            ):
                names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    assert names <= LOGGERS


def test_a_record_that_carries_no_context_is_none_the_worse() -> None:
    record = logging.makeLogRecord({"msg": "x", "name": OWN})
    told = RecordExport(clean=(), own=()).entry(record)
    assert (told.trace_id, told.span_id, told.trace_flags) == ("", "", 0)
