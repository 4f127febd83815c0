"""What benchmarks send is what they say they send, and a real gateway takes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mizuchi_site.bench.body_forms import BODY_FORMS, Upload, block
from mizuchi_site.bench.sender import Sender, running_sender
from mizuchi_site.bench.server import BUCKET, Server, running_server
from mizuchi_site.bench.sizes import KIBIBYTE, MEBIBYTE
from mizuchi_site.bench.slow_uploads import slow_uploads
from mizuchi_site.bench.uploads import UploadRefused, put_request
from tests.tracing_app.exporting.export_setup import until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sending") / "server"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with running_server(folder) as server:
        yield server


@pytest.fixture(scope="module")
def sender() -> Iterator[Sender]:
    with running_sender() as sender:
        yield sender


def stored(folder: Path, name: str) -> bytes:
    return (folder / "objects" / BUCKET / name).read_bytes()


@pytest.mark.parametrize("size", [KIBIBYTE, 3 * MEBIBYTE])
@pytest.mark.parametrize("form", BODY_FORMS)
def test_every_form_of_a_body_is_stored(
    folder: Path, server: Server, sender: Sender, form: str, size: int
) -> None:
    name = hashlib.md5(f"{form}{size}".encode()).hexdigest()
    upload = BODY_FORMS[form](server, f"/{BUCKET}/{name}", size)
    sent = sender.send(server.port, [[upload]])
    content = stored(folder, name)
    assert len(content) == size
    assert content == block()[: upload.block_bytes] * len(upload.frames)
    assert 0 < sent.took[0] <= sent.seconds


def test_lanes_are_sent_at_once_and_each_upload_is_timed(server: Server, sender: Sender) -> None:
    lanes = [[Upload(put_request(server, b"body")) for _ in range(3)] for _ in range(4)]
    sent = sender.send(server.port, lanes)
    assert len(sent.took) == 12
    assert sent.seconds <= sum(sent.took)


def test_a_refused_upload_is_told_with_its_reason(server: Server, sender: Sender) -> None:
    whole = put_request(server, b"body")
    with pytest.raises(UploadRefused, match="XAmzContentSHA256Mismatch"):
        sender.send(server.port, [[Upload(whole.replace(b"body", b"Body"))]])
    with pytest.raises(UploadRefused, match="Refused"):
        sender.send(1, [[Upload(whole)], [Upload(whole)]])
    assert sender.send(server.port, [[Upload(put_request(server, b"body"))]]).took


def test_slow_uploads_are_in_progress_until_the_end_and_whole_then(folder: Path, server: Server) -> None:
    scratch = folder / "objects" / ".mizuchi" / "tmp"
    before = {file.name for file in (folder / "objects" / BUCKET / "bench").glob("*")}
    with slow_uploads(server, 3):
        until(lambda: sum(file.stat().st_size >= MEBIBYTE // 8 for file in scratch.iterdir()) == 3)
    new = [file for file in (folder / "objects" / BUCKET / "bench").iterdir() if file.name not in before]
    assert [file.read_bytes() == block() for file in new] == [True] * 3
