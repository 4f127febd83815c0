"""nginx alone, as deploy/ has it, before a gateway that is a script: what it passes on and never repeats."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.etree import ElementTree

from tests.e2e.production.front import Front, running_front
from tests.servers.process import free_ports
from tests.servers.scripted import Peer, scripted_server

BODY = bytes(3_000_000)


class Recorder:
    """A gateway that keeps heads and says yes, or resets a connection in the middle of a body."""

    def __init__(self, *, dies: bool = False) -> None:
        self.heads: list[bytes] = []
        self._dies = dies

    def __call__(self, peer: Peer, number: int) -> None:
        while head := peer.read_head():
            self.heads.append(head)
            if self._dies:
                peer.read_body(len(BODY) // 2)
                return peer.reset()
            peer.read_body(len(BODY))
            peer.answer()


@contextmanager
def before(folder: Path, first: Recorder, second: Recorder | None = None) -> Iterator[Front]:
    """nginx before two nodes; the second of them is gone when there is none."""
    with scripted_server(first) as one, scripted_server(second or first) as two:
        ports = [one.port, two.port] if second else [one.port, *free_ports(1)]
        with running_front(folder / "nginx", ports) as front:
            yield front


def sent(front: Front, target: str, *headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    """The answer to a PUT, and its body."""
    lines = [f"PUT {target} HTTP/1.1", "Host: s3.example.org", f"Content-Length: {len(BODY)}", *headers]
    with front.connected() as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        with suppress(BrokenPipeError, ConnectionResetError):  # who answers before the end may close
            connection.sendall(BODY)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer, answer.read()


def test_paths_and_headers_arrive_as_they_were_signed(tmp_path: Path) -> None:
    node = Recorder()
    with before(tmp_path, node) as front:
        target = "/uploads//a/../b%2Fc%20d?partNumber=1&uploadId=x%2By"
        forged = ("X-Forwarded-Host: evil", "X-Forwarded-Proto: http", "X-Forwarded-For: 10.0.0.1")
        answers = [sent(front, target, "x-amz-meta-my_key: 1", "Forwarded: host=evil", *forged)[0]]
        answers += [sent(front, target)[0] for _ in range(3)]
    assert {answer.status for answer in answers} == {200}, "the node that is gone is left alone"
    line, *lines = node.heads[0].decode().split("\r\n")
    headers = dict(each.split(": ", 1) for each in lines)
    assert line == f"PUT {target} HTTP/1.1"
    assert headers["Host"] == headers["X-Forwarded-Host"] == "s3.example.org"
    assert (headers["X-Forwarded-Proto"], headers["X-Forwarded-For"]) == ("https", "127.0.0.1")
    assert headers["x-amz-meta-my_key"] == "1"
    assert "Forwarded" not in headers


def test_a_body_that_was_half_sent_is_never_sent_again(tmp_path: Path) -> None:
    nodes = [Recorder(dies=True), Recorder(dies=True)]
    with before(tmp_path, *nodes) as front:
        answer, document = sent(front, "/uploads/key")
    assert answer.status == 503
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["retry-after"] == "1"
    assert ElementTree.fromstring(document).findtext("Code") == "ServiceUnavailable"
    assert sum(len(node.heads) for node in nodes) == 1


def test_pages_and_probes_are_not_for_the_world(tmp_path: Path) -> None:
    node = Recorder()
    with before(tmp_path, node) as front:
        for path in ("/admin/", "/readyz", "/api/v1/status", "/static/a.js", "/health/tracing", "/%61dmin/"):
            assert sent(front, path)[0].status == 404, path
        assert node.heads == []
        assert sent(front, "/administration/key")[0].status == 200
        assert [path for line in front.lines() for path in line.values() if "admin" in str(path)] == []
