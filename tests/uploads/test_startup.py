"""What a worker puts right before it serves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.db import DatabaseError

from authz.identity import Identity
from uploads import abandoned, records, startup
from uploads.backends.errors import BackendUnavailable
from uploads.models import UploadRecord
from uploads.worker import is_dead, worker_name

ALICE = Identity("alice", "sigv4")
PRINT_NAME = "from uploads.worker import worker_name; print(worker_name(), flush=True); "


@pytest.fixture
def ended_worker() -> str:
    """The name of a process that is no more."""
    code = PRINT_NAME.rstrip("; ")
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def killed_worker() -> Iterator[str]:
    """The name of a process that was killed, and that its parent has not waited for yet."""
    child = subprocess.Popen(
        [sys.executable, "-c", PRINT_NAME + "input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    name = child.stdout.readline().strip()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    yield name
    child.wait()
    child.stdin.close()
    child.stdout.close()


def received_by(worker: str, method: UploadRecord.Method = records.Method.SIMPLE) -> UploadRecord:
    record = records.begin(ALICE, "uploads", "k", method, content_type=None)
    UploadRecord.objects.filter(pk=record.pk).update(worker=worker)
    return record


def state_of(record: UploadRecord) -> tuple[str, str]:
    record.refresh_from_db()
    return record.state, record.error_code


def test_a_killed_worker_is_dead_although_nobody_waited_for_it(killed_worker: str) -> None:
    """Its parent may be one that never does: in a container, often process 1."""
    assert is_dead(killed_worker)


@pytest.mark.django_db
def test_what_dead_workers_were_receiving_has_failed(ended_worker: str, killed_worker: str) -> None:
    dead = [
        received_by(ended_worker),
        received_by(killed_worker),
        received_by(ended_worker, records.Method.FORM),
    ]
    alive = received_by(worker_name())
    elsewhere = received_by("elsewhere:1:1")
    multipart = received_by(ended_worker, records.Method.MULTIPART)

    assert abandoned.fail_orphans() == 3

    assert {state_of(record) for record in dead} == {("FAILED", "WorkerDied")}
    assert {state_of(record) for record in (alive, elsewhere, multipart)} == {("RECEIVING", "")}
    assert abandoned.fail_orphans() == 0


@pytest.mark.django_db
def test_an_upload_that_ends_meanwhile_is_not_failed(
    ended_worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker may store it and end, both after the records were listed."""
    record = received_by(ended_worker)

    def ending(name: str) -> bool:
        UploadRecord.objects.filter(pk=record.pk).update(state="STORED")
        return True

    monkeypatch.setattr(abandoned, "is_dead", ending)

    assert abandoned.fail_orphans() == 0
    assert state_of(record) == ("STORED", "")


class Storage:
    """A backend as far as it is swept."""

    def __init__(self, removed: int | None) -> None:
        self._removed = removed

    def sweep(self) -> int:
        if self._removed is None:
            raise BackendUnavailable(detail="gone")
        return self._removed


def recover_with(monkeypatch: pytest.MonkeyPatch, **storages: Storage) -> None:
    gateway = SimpleNamespace(backends=storages)
    monkeypatch.setattr(startup, "configured_gateway", lambda: gateway)
    startup.recover()


@pytest.mark.django_db
def test_every_storage_is_swept_also_after_one_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recover_with(monkeypatch, broken=Storage(None), clean=Storage(0), left=Storage(2))

    said = [record.getMessage() for record in caplog.records]
    assert said[0].startswith("storage broken could not be swept: ")
    assert said[1:] == ["storage left: 2 files of dead workers were removed"]


@pytest.mark.django_db
def test_the_log_says_how_many_uploads_were_cut(
    ended_worker: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    received_by(ended_worker)

    recover_with(monkeypatch)

    assert "1 uploads were cut off" in caplog.text


def test_a_database_that_is_not_ready_keeps_no_worker_from_starting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> int:
        raise DatabaseError("no such table")

    monkeypatch.setattr(abandoned, "fail_orphans", missing)

    recover_with(monkeypatch, left=Storage(1))

    assert "manage.py migrate" in caplog.text
    assert "storage left: 1 files" in caplog.text
