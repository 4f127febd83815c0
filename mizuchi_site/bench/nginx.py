"""nginx beside the gateway and before it: PUT to files by its DAV module, a proxy that buffers no body."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .processes import children_of
from .server import ServerFailed, free_port, stop

_PLACES = ("/usr/sbin", "/usr/local/sbin")  # not on everybody's PATH
_READY_SECONDS = 10.0
_CONFIGURATION = """\
{user}worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
lock_file {folder}/nginx.lock;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_buffer_size 1m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream behind {{ {servers} keepalive 64; }}
    merge_slashes off;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/objects;
        location /dav/ {{ dav_methods PUT; create_full_put_path on; }}
        location / {{
            proxy_pass http://behind;
            proxy_request_buffering off;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx: ``/dav/`` are files, all else leads to the upstreams."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def pids(self) -> Sequence[int]:
        """Its main process and its workers."""
        return [self.process.pid, *children_of(self.process.pid)]


def nginx_program() -> str | None:
    """Where it is; None when it is not installed."""
    return shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), *_PLACES]))


def nginx_version() -> str | None:
    """None when it is not installed."""
    program = nginx_program()
    if program is None:
        return None
    said = subprocess.run([program, "-v"], capture_output=True, text=True)  # noqa: S603 - the installed one
    return said.stderr.strip().rpartition("/")[2]


@contextmanager
def running_nginx(program: str, folder: Path, *, upstreams: Sequence[str]) -> Iterator[Nginx]:
    """Serve with one worker from ``folder`` until the block ends. Each of ``upstreams`` is a host and port,
    which take turns. Raises ServerFailed."""
    (folder / "objects").mkdir(parents=True)
    port, file = free_port(), folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    servers = " ".join(f"server {upstream};" for upstream in upstreams)
    file.write_text(_CONFIGURATION.format(user=user, folder=folder, port=port, servers=servers))
    error_log = folder / "error.log"
    process = subprocess.Popen(  # noqa: S603 - the one that is installed
        [program, "-p", str(folder), "-e", str(error_log), "-c", str(file)]
    )
    try:
        _wait_until_ready(process, port, error_log)
        yield Nginx(port, process)
    finally:
        stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, error_log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    said = error_log.read_text(errors="replace")[-2000:] if error_log.exists() else ""
    raise ServerFailed(f"nginx is not ready:\n{said}")
