"""The record of a request is one that the logger would have made."""

from __future__ import annotations

import logging
import threading

import pytest

from uploads.access_log import log_request

LOGGER = logging.getLogger("mizuchi.access")
VARIES = {"created", "msecs", "relativeCreated", "pathname", "filename", "module", "lineno", "funcName"}


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    handler = Kept()
    monkeypatch.setattr(LOGGER, "handlers", [handler])
    monkeypatch.setattr(LOGGER, "level", logging.INFO)
    LOGGER.manager._clear_cache()  # type: ignore[attr-defined]
    return handler


def log() -> None:
    log_request("PUT", "PutObject", 200, None, duration_ms=1.26, received_bytes=7)


def test_a_record_is_one_that_the_logger_makes(kept: Kept) -> None:
    fields = {
        "method": "PUT",
        "operation": "PutObject",
        "status": 200,
        "code": None,
        "duration_ms": 1.3,
        "bytes": 7,
    }

    def on_a_thread() -> None:
        log()
        LOGGER.info("%s %s %s %s %.1f ms", "PUT", "PutObject", 200, "-", 1.26, extra=fields)

    thread = threading.Thread(target=on_a_thread, name="request-7")
    thread.start()
    thread.join()
    ours, usual = kept.records
    assert ours.getMessage() == "PUT PutObject 200 - 1.3 ms"
    assert ours.__dict__.keys() == usual.__dict__.keys()
    assert {name: value for name, value in vars(ours).items() if name not in VARIES} == {
        name: value for name, value in vars(usual).items() if name not in VARIES
    }
    assert 0 <= usual.created - ours.created < 1
    assert 0 <= usual.relativeCreated - ours.relativeCreated < 1000
    assert int(ours.created * 1000) % 1000 == pytest.approx(ours.msecs, abs=1)


def test_records_share_nothing(kept: Kept) -> None:
    log()
    kept.records[0].args = ("changed",)
    kept.records[0].added = True
    log()
    assert kept.records[1].getMessage() == "PUT PutObject 200 - 1.3 ms"
    assert not hasattr(kept.records[1], "added")


def test_nothing_is_made_where_nobody_listens(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LOGGER, "level", logging.WARNING)
    LOGGER.manager._clear_cache()  # type: ignore[attr-defined]
    log()
    assert not kept.records
