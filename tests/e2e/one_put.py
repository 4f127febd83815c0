"""A worker's application in a process that imports nothing of the tests: serves one PUT, tells what it holds.

Run as a program: a request as JSON comes in on stdin, a report as JSON goes out on stdout.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
from io import BytesIO
from typing import Any

TELEMETRY = (
    "google.protobuf",
    "grpc",
    "opentelemetry.exporter",
    "opentelemetry.instrumentation",
    "opentelemetry.proto",
    "opentelemetry.sdk",
    "tracing_app.assembly",
    "tracing_app.exporting.worker",
    "tracing_app.pages",
    "tracing_app.recording.provider",
)


def serve(request: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """What a server would send: status and headers of the answer, read and closed."""
    from mizuchi_site.server.environ import build_environ
    from mizuchi_site.server.request_head import parse_head
    from mizuchi_site.wsgi import application

    lines = [f"{name}: {value}" for name, value in request["headers"]]
    head = parse_head(
        "\r\n".join([f"{request['method']} {request['path']} HTTP/1.1", *lines, "", ""]).encode()
    )
    body: Any = BytesIO(request["body"].encode())
    environ = build_environ(head, body, server=("127.0.0.1", 8080), peer=("127.0.0.1", 50000))
    sent: list[Any] = []
    answer = application(environ, lambda status, headers, exc_info=None: sent.extend((status, headers)))
    list(answer)
    answer.close()  # type: ignore[attr-defined]  # Django's responses have it
    status, headers = sent
    return status, {name.lower(): value for name, value in headers}


def is_telemetry(name: str) -> bool:
    return name.startswith(TELEMETRY)


def main() -> None:
    status, headers = serve(json.load(sys.stdin))
    gc.collect()
    types = {type(each) for each in gc.get_objects()}
    names = {f"{each.__module__}.{each.__name__}" for each in types}
    json.dump(
        {
            "status": status,
            "headers": headers,
            "modules": sorted(filter(is_telemetry, sys.modules)),
            "objects": sorted(filter(is_telemetry, names)),
            "threads": sorted(thread.name for thread in threading.enumerate()),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
