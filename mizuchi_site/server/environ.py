"""The WSGI environ of one request, built from what the HTTP parser read.

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

_CONSTANTS: dict[str, Any] = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
_WITHOUT_PREFIX = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def build_environ(scope: dict[str, Any]) -> dict[str, Any]:
    """The environ for an ASGI connection scope of type ``http``; ``wsgi.input`` is left to the caller."""
    raw_path: bytes = scope["raw_path"]
    headers = tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in scope["headers"])
    environ = {
        **_CONSTANTS,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": "HTTP/1.0" if scope["http_version"] == "1" else "HTTP/" + scope["http_version"],
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "REMOTE_ADDR": scope["client"][0],
        "REMOTE_PORT": str(scope["client"][1]),
        "wsgi.url_scheme": scope["scheme"],
        "mizuchi.raw_path": raw_path,
        "mizuchi.headers": headers,
    }
    for name, value in headers:
        if "_" not in name:
            _add(environ, _WITHOUT_PREFIX.get(name) or "HTTP_" + name.upper().replace("-", "_"), value)
    return environ


def _add(environ: dict[str, Any], key: str, value: str) -> None:
    if key not in environ:
        environ[key] = value
    elif key == "HTTP_COOKIE":
        environ[key] += "; " + value
    elif key not in _WITHOUT_PREFIX.values():  # the parser refuses lengths that differ
        environ[key] += "," + value


def body_length(environ: dict[str, Any]) -> int | None:
    """Bytes of the body on the wire: None when it is chunked, 0 when there is none."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return None
    return int(environ.get("CONTENT_LENGTH") or 0)
