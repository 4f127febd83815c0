#!/usr/bin/env python3
"""Upload a small object, then fetch its trace from Jaeger or Tempo and print it as a tree.

    . var/dev.env && python3 examples/first_trace.py --jaeger http://127.0.0.1:16686
    . var/dev.env && python3 examples/first_trace.py --tempo http://127.0.0.1:3200

The key is that of the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL.
Needs Python 3.11 and nothing else. Exit codes: 0 the trace is there, 1 it is not, or nothing was uploaded.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

CONTENT = b"An object to see the trace of.\n"
TIMEOUT_SECONDS = 10


def main() -> int:
    options = arguments()
    url = f"{options.endpoint.rstrip('/')}/{options.bucket}/first-trace.txt"
    try:
        trace_id = upload(url)
        print(f"uploaded {url}, request id {trace_id}")
        spans = wait_for(options.jaeger, options.tempo, trace_id, options.wait)
    except (Failure, OSError) as failure:
        print(failure, file=sys.stderr)
        return 1
    print("\n".join(tree(spans)))
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--jaeger", metavar="URL", help="of Jaeger's query API, like http://127.0.0.1:16686")
    where.add_argument("--tempo", metavar="URL", help="of Tempo's API, like http://127.0.0.1:3200")
    default = os.environ.get("AWS_ENDPOINT_URL", "http://127.0.0.1:8080")
    parser.add_argument("--endpoint", metavar="URL", default=default, help="of the gateway (%(default)s)")
    parser.add_argument("--bucket", default="uploads", help="(%(default)s)")
    parser.add_argument(
        "--wait", type=float, default=30, metavar="SECONDS", help="for the trace (%(default)s)"
    )
    return parser.parse_args()


class Failure(Exception):
    """Why there is no trace to show."""


def upload(url: str) -> str:
    """PUT the object. Returns the request id, which is the trace id."""
    request = urllib.request.Request(url, data=CONTENT, method="PUT", headers=signed(url, CONTENT))
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.headers["x-amz-request-id"]
    except urllib.error.HTTPError as error:
        raise Failure(f"not uploaded: {error.code} {error.read().decode(errors='replace')}") from None
    except OSError as error:
        raise Failure(f"not uploaded, is the gateway running at {url}? {error}") from None


def signed(url: str, body: bytes) -> dict[str, str]:
    """The headers of a PUT by AWS Signature Version 4."""
    try:
        key_id, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    except KeyError as missing:
        raise Failure(f"{missing} is not set; var/dev.env has it: . var/dev.env") from None
    where = urllib.parse.urlsplit(url)
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = (now[:8], os.environ.get("AWS_REGION", "us-east-1"), "s3", "aws4_request")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": where.netloc, "x-amz-content-sha256": digest, "x-amz-date": now}
    names = ";".join(headers)
    lines = [f"{name}:{value}\n" for name, value in headers.items()]
    canonical = "\n".join(["PUT", where.path, "", "".join(lines), names, digest])
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", now, "/".join(scope), hashed])
    key = f"AWS4{secret}".encode()
    for part in (*scope, to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    credential = f"Credential={'/'.join((key_id, *scope))}"
    parts = f"AWS4-HMAC-SHA256 {credential},SignedHeaders={names},Signature={key.hex()}"
    return {**headers, "authorization": parts}


def wait_for(jaeger: str | None, tempo: str | None, trace_id: str, seconds: float) -> list[dict]:
    """The spans of a trace, once its root is there."""
    base, path = (jaeger, "/api/v3/traces/") if jaeger else (tempo, "/api/v2/traces/")
    url = f"{str(base).rstrip('/')}{path}{trace_id}"
    deadline = time.monotonic() + seconds
    while True:
        spans = fetch(url)
        if any(is_root(span) for span in spans):
            return spans
        if time.monotonic() > deadline:
            raise Failure(f"uploaded, but {url} has no trace after {seconds:g} s: is it exported there?")
        time.sleep(0.5)


def fetch(url: str) -> list[dict]:
    """The spans of a trace by now: OTLP in JSON, which Jaeger calls ``result`` and Tempo ``trace``."""
    request = urllib.request.Request(url, headers={"accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            document = json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        raise Failure(f"{url} answered {error.code}") from None
    except OSError as error:
        raise Failure(f"uploaded, but nobody answers at {url}: {error}") from None
    trace = document.get("result") or document.get("trace") or {}
    resources = trace.get("resourceSpans") or trace.get("batches") or []
    return [span for each in resources for scope in each["scopeSpans"] for span in scope["spans"]]


def is_root(span: dict) -> bool:
    return not span.get("parentSpanId")


def tree(spans: list[dict]) -> list[str]:
    """A line for each span, below its parent, with what it took."""
    rows: list[tuple[str, dict]] = []

    def add(parents: list[dict], indent: str) -> None:
        for span in sorted(parents, key=lambda each: int(each["startTimeUnixNano"])):
            rows.append((indent + span["name"], span))
            add([each for each in spans if each.get("parentSpanId") == span["spanId"]], indent + "  ")

    add([span for span in spans if is_root(span)], "")
    width = max(len(name) for name, _ in rows)
    return [f"{name:{width}}  {milliseconds(span):9.1f} ms{failed(span)}" for name, span in rows]


def milliseconds(span: dict) -> float:
    return (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e6


def failed(span: dict) -> str:
    return "  ERROR" if span.get("status", {}).get("code") in (2, "STATUS_CODE_ERROR") else ""


if __name__ == "__main__":
    sys.exit(main())
