"""Nothing that a client, a storage or an operator's visitor sends is exported or logged.

Canaries go into every input, on success and on every failure path; then the bytes that an OTLP receiver
got, the local store of traces and the whole log are searched for them, in every disguise.
"""

from __future__ import annotations

import base64
import http.client
import re
import sqlite3
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateway import FILES, SEAWEED, TRUSTED_PROXY
from tests.e2e.test_refusals import HEADS, REFUSALS
from tests.e2e.watched import DJANGO, FAULTS, GONE, KEY, ODD, Watched, watched_gateway
from tests.e2e.wire.canaries import CLIENT, CORE, FORWARDED, PERSON, Needles, disguises, planted
from tests.e2e.wire.client import Request, connected
from tests.e2e.wire.planted import ACCEPTED, EITHER, REFUSED
from tests.e2e.wire.scene import BODY, PART, Scene
from tests.servers.seaweedfs import SeaweedFS


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[Watched]:
    with watched_gateway(tmp_path_factory.mktemp("canaries"), seaweedfs) as running:
        yield running


@pytest.mark.parametrize(
    "disguise",
    [
        CORE,
        CORE.upper(),
        f"x{CORE.encode().hex()}y",
        "%7A%71%37%6B%78%34%77%76%39%6A",
        urllib.parse.quote(PERSON),
        "\\u007a\\u0071\\u0037\\u006b\\u0078\\u0034\\u0077\\u0076\\u0039\\u006a",
        *(base64.b64encode(b"." * n + PERSON.encode()).decode() for n in range(4)),
    ],
)
def test_a_canary_is_found_in_every_disguise(disguise: str) -> None:
    assert Needles().found_in(f"before {disguise} after".encode())
    assert len({needle for _, needle, _ in disguises(CORE)}) == 11


def test_traces_logs_and_the_local_store_are_there_to_be_searched(watched: Watched) -> None:
    scene = watched.scene(FILES)
    answer = watched.send(scene.owner.sign(scene.put()))
    assert answer is not None
    request_id = answer.headers["x-amz-request-id"]
    deadline = time.monotonic() + 20
    while not (
        any(f"{trace_id:032x}" == request_id for trace_id in watched.receiver.trace_ids())
        and any(record.trace_id.hex() == request_id for record in watched.receiver.log_records())
        and any(request_id.encode() in path.read_bytes() for path in watched.kept())
        and request_id in watched.gateway.log.read_text()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    watched.check()


@pytest.mark.parametrize("bucket", [FILES, SEAWEED])
def test_accepted_requests(watched: Watched, bucket: str) -> None:
    for name, build in ACCEPTED.items():
        scene = watched.scene(bucket)
        answer = watched.send(build(scene))
        assert answer is not None
        assert answer.status < 400, (name, answer)
        scene.abort_uploads()
    watched.check()


def test_what_is_told_of_a_webhook(watched: Watched) -> None:
    """Its URL, its secret and what it answers hold canaries, as the key does that it is told. It refuses all,
    so it may be left alone by now: of any upload."""
    scene = watched.scene(FILES)
    answer = watched.send(scene.owner.sign(scene.put()))
    assert answer is not None
    deadline = time.monotonic() + 20
    while not any(span.name == "webhook.deliver" for span in watched.receiver.spans()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    watched.check()


@pytest.mark.parametrize("bucket", [FILES, SEAWEED])
def test_a_whole_multipart_upload(watched: Watched, bucket: str) -> None:
    scene = watched.scene(bucket)
    upload = scene.upload()
    parts = [(number, scene.part(upload, number, body)) for number, body in [(1, PART), (2, BODY)]]
    for method, query in [("GET", f"uploadId={upload}"), ("GET", f"uploadId={upload}&max-parts=1")]:
        answer = watched.send(scene.owner.sign(scene.request(method, query=query)))
        assert answer is not None
        assert answer.status == 200
    for _ in range(2):
        answer = watched.send(scene.owner.sign(scene.completion(upload, parts)))
        assert answer is not None
        assert answer.status == 200
    head = watched.send(scene.owner.sign(scene.request("HEAD")))
    assert head is not None
    assert head.status == 200
    scene.upload()
    scene.abort_uploads()
    watched.check()


@pytest.mark.parametrize("bucket", [FILES, SEAWEED])
def test_refused_requests(watched: Watched, bucket: str) -> None:
    for name, build in {**REFUSED, **EITHER}.items():
        scene = watched.scene(bucket)
        answer = watched.send(build(scene), is_cut=name == "cut-body")
        assert answer is None or answer.status >= 400 or name in EITHER, (name, answer)
        scene.abort_uploads()
    watched.check()


def test_every_refusal_of_the_tables(watched: Watched) -> None:
    codes = set()
    for refusal in REFUSALS:
        for bucket in refusal.buckets:
            scene = watched.scene(bucket)
            answer = watched.send(refusal.build(scene), is_cut=refusal.is_cut)
            if answer is not None and answer.body:
                codes.add(answer.code)
            scene.abort_uploads()
    for _, _, build in HEADS:
        watched.send(build(watched.scene(FILES)).without_headers("content-length"))
    assert {refusal.code for refusal in REFUSALS} <= codes
    watched.check()


def every_call(scene: Scene) -> Iterator[Request]:
    """A request of each operation that the storage takes part in, of an upload that was begun before."""
    sign, upload = scene.owner.sign, scene.upload()
    yield sign(scene.put())
    yield sign(scene.request("POST", query="uploads="))
    yield sign(scene.request("PUT", query=f"partNumber=1&uploadId={upload}", body=BODY))
    yield sign(scene.request("GET", query=f"uploadId={upload}"))
    yield sign(scene.completion(upload, [(1, "0" * 32)]))
    yield sign(scene.request("DELETE", query=f"uploadId={upload}"))


@pytest.mark.parametrize("fault", FAULTS)
def test_an_upstream_that_fails_and_says_too_much(watched: Watched, fault: str) -> None:
    scene = watched.scene(ODD)
    scene.key += f".{fault}"
    for request in every_call(scene):
        watched.send(request)
    assert max(watched.statuses[-6:]) >= 400
    watched.check()


def test_an_upstream_that_is_gone(watched: Watched) -> None:
    requests = [*every_call(watched.scene(GONE))]
    watched.gone.close()
    for request in requests:
        answer = watched.send(request)
        assert answer is not None
        assert answer.status == 503
    readyz(watched)
    watched.check()


@pytest.mark.parametrize("fault", ["runtime", "os", "suspicious", "renamed"])
def test_a_django_storage_that_raises_with_the_name(watched: Watched, fault: str) -> None:
    scene = watched.scene(DJANGO)
    scene.key += f".{fault}"
    answer = watched.send(scene.owner.sign(scene.put()))
    assert answer is not None
    assert answer.status >= 400
    watched.check()


@contextmanager
def replaced_by_a_file(folder: Path) -> Iterator[None]:
    kept = folder.rename(folder.with_name("kept"))
    folder.write_text(CORE)
    try:
        yield
    finally:
        folder.unlink()
        kept.rename(folder)


@contextmanager
def without_permission(folder: Path) -> Iterator[None]:
    """Of effect for everybody but root."""
    modes = {path: path.stat().st_mode for path in (folder, folder / ".mizuchi", *folder.glob("*/*"))}
    for path in modes:
        path.chmod(0o500)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@contextmanager
def loop_of_links(folder: Path) -> Iterator[None]:
    link = folder / FILES / PERSON
    link.parent.mkdir(exist_ok=True)
    moved = link.rename(link.with_name("moved")) if link.exists() else None
    link.symlink_to(link)
    try:
        yield
    finally:
        link.unlink()
        if moved:
            moved.rename(link)


@contextmanager
def spoiled_sidecars(folder: Path) -> Iterator[None]:
    sidecars = [*(folder / ".mizuchi").rglob("*.json")]
    assert sidecars
    for path in sidecars:
        path.write_text(f'{{"format": "{PERSON}", "key": "{KEY}"}}')
    yield


@pytest.mark.parametrize(
    "broken",
    [replaced_by_a_file, without_permission, loop_of_links, spoiled_sidecars],
    ids=["no-folder", "no-permission", "links", "sidecars"],
)
def test_a_folder_that_is_broken(watched: Watched, broken: Callable[[Path], Any]) -> None:
    scene = watched.scene(FILES)
    scene.stored()
    requests = [*every_call(scene), scene.owner.sign(scene.put(headers={"If-None-Match": "*"}))]
    with broken(watched.gateway.objects):
        for request in requests:
            watched.send(request)
        readyz(watched)
    watched.check()


def test_a_database_that_is_locked(watched: Watched) -> None:
    scene = watched.scene(FILES)
    upload = scene.upload()
    with closing(sqlite3.connect(watched.gateway.database, timeout=10)) as database:
        database.execute("BEGIN EXCLUSIVE")
        for request in (
            scene.put(),
            scene.request("POST", query="uploads="),
            scene.request("DELETE", query=f"uploadId={upload}"),
        ):
            watched.send(scene.owner.sign(request))
        database.rollback()
    assert 503 in watched.statuses[-3:]
    watched.check()


def test_clients_behind_a_proxy_and_clients_that_leave(watched: Watched) -> None:
    scene = watched.scene(FILES)
    proxied = scene.owner.sign(scene.put()).with_headers({"X-Forwarded-For": FORWARDED})
    answer = watched.send(proxied, source=TRUSTED_PROXY)
    assert answer is not None
    assert answer.status == 200
    changed = proxied.with_headers({"X-Forwarded-Host": "elsewhere.example.org", "X-Forwarded-Proto": CORE})
    watched.send(changed, source=TRUSTED_PROXY)

    request = scene.owner.sign(scene.put())
    with connected(scene.port, CLIENT) as connection:
        connection.send(planted(request, number=1).head() + b"x")
        connection.reset()
    with connected(scene.port, CLIENT) as connection:
        connection.send(request.head() + b"x")
        stalled = connection.answer("PUT")
    assert stalled is not None
    assert stalled.code == "RequestTimeout"
    watched.check()


def test_requests_that_are_no_http(watched: Watched) -> None:
    scene = watched.scene(FILES)
    host = f"Host: {scene.host}\r\n"
    for head in (
        f"GET /{CORE} HTTP/9.9\r\n{host}\r\n",
        f"{CORE}\r\n\r\n",
        f"GET /{CORE} HTTP/1.1\r\n\r\n",
        f"GET http://{CORE}:{CORE}@{scene.host}/files/{CORE} HTTP/1.1\r\n{host}\r\n",
        f"PUT /files/{CORE} HTTP/1.1\r\n{host}Content-Length: {CORE}\r\n\r\n",
        f"PUT /files/{CORE} HTTP/1.1\r\n{host}Transfer-Encoding: {CORE}\r\n\r\n",
        f"PUT /files/{CORE} HTTP/1.1\r\n{host}{CORE}\x01: {CORE}\r\n\r\n",
        f"PUT /files/{'x' * 70000}{CORE} HTTP/1.1\r\n{host}\r\n",
        f"OPTIONS * HTTP/1.1\r\n{host}X: {CORE}\r\n\r\n",
    ):
        with connected(scene.port, CLIENT) as connection:
            connection.send(head.encode("latin-1"))
            connection.end()
            connection.statuses(5)
    watched.check()


def test_visitors_of_the_admin_and_of_health(watched: Watched) -> None:
    scene = watched.scene(FILES)
    basic = base64.b64encode(f"{PERSON}:{CORE}".encode()).decode()
    for method, path, query, headers in (
        ("GET", "/livez", f"who={CORE}", {}),
        ("GET", "/readyz", f"who={CORE}", {}),
        ("GET", "/health/tracing", "", {"Authorization": f"Basic {basic}"}),
        ("GET", "/health/tracing", f"token={CORE}", {"Authorization": f"Bearer {CORE}"}),
        ("GET", "/admin/", f"next={CORE}", {}),
        ("GET", "/admin/uploads/uploadrecord/", f"q={PERSON}", {}),
        ("GET", f"/admin/uploads/uploadrecord/{CORE}/change/", "", {}),
        ("GET", f"/admin/{quoted(PERSON)}/", "", {}),
        ("GET", f"/static/{CORE}.css", "", {}),
        ("GET", "/admin/login/", "", {"Host": f"{CORE}.example.org"}),
    ):
        watched.send(scene.request(method, path, query, {"X-Plain": CORE, **headers}))
    log_in(watched)
    watched.check()


def log_in(watched: Watched) -> None:
    """Try a password in the admin, with the form's own token and without."""
    connection = http.client.HTTPConnection(watched.gateway.endpoint.removeprefix("http://"))
    with closing(connection):
        connection.request("GET", "/admin/login/")
        page = connection.getresponse()
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
        cookie = re.search(r"csrftoken=\w+", page.getheader("Set-Cookie", ""))
        assert token
        assert cookie
        for csrf in (token[1], CORE):
            form = {"username": PERSON, "password": CORE, "csrfmiddlewaretoken": csrf, "next": f"/{CORE}"}
            headers = {"Cookie": cookie[0], "Content-Type": "application/x-www-form-urlencoded"}
            for origin in ({}, {"Origin": f"https://{CORE}.example.org"}):
                connection.request(
                    "POST", "/admin/login/", urllib.parse.urlencode(form), {**headers, **origin}
                )
                answer = connection.getresponse()
                answer.read()
                assert answer.status in (200, 403)


def readyz(watched: Watched) -> None:
    connection = http.client.HTTPConnection(watched.gateway.endpoint.removeprefix("http://"))
    with closing(connection):
        connection.request("GET", "/readyz")
        connection.getresponse().read()


def quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
