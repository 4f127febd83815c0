"""The WSGI environ of one request.

Two keys are ours, because CGI's names lose what signatures cover:

``mizuchi.raw_path``
    The path as the client sent it, percent-encoded, ``bytes``.
``mizuchi.headers``
    Every header as ``(name in lower case, value)``, in order, repeated ones apart; values are latin-1.

A header whose name has an underscore is in ``mizuchi.headers`` only: as ``HTTP_*`` it could pass for the
header with a dash. Repeated headers are joined with a comma, cookies with a semicolon.
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import unquote_to_bytes

from .request_body import RequestBody
from .request_head import RequestHead

_CONSTANTS: dict[str, Any] = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.url_scheme": "http",
}

Address = tuple[str, int]


def build_environ(head: RequestHead, body: RequestBody, *, server: Address, peer: Address) -> dict[str, Any]:
    """The environ of the request that ``peer`` sent to ``server``."""
    path = head.path
    if "%" in path:
        path = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
    return {
        **_CONSTANTS,
        "REQUEST_METHOD": head.method,
        "PATH_INFO": path,
        "QUERY_STRING": head.query,
        "SERVER_PROTOCOL": "HTTP/1.1" if head.is_http_1_1 else "HTTP/1.0",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": peer[0],
        "REMOTE_PORT": str(peer[1]),
        "mizuchi.raw_path": head.path.encode("latin-1"),
        "mizuchi.headers": head.headers,
        "wsgi.input": body,
        **head.variables,
    }
