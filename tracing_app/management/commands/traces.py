"""``manage.py traces``: what is kept on this machine, as a list or as a waterfall."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError
from django.utils import timezone

from tracing_app.redaction import upload_hash
from tracing_app.sampling.fields import parse_value
from tracing_app.store.moment import parse_moment
from tracing_app.store.otlp_json import load_otlp_json
from tracing_app.store.search import TraceQuery, find_traces, load_tree
from tracing_app.store.terminal import list_lines, waterfall_lines

NOTHING, NO_STORE = 1, 2


class Command(BaseCommand):
    help = (
        "List the traces kept on this machine, newest first, or show one as a waterfall. "
        "Exit codes: 0 found, 1 nothing found, 2 there is no store."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", nargs="?", type=_trace_id, help="a request id: show its trace")
        parser.add_argument(
            "--otlp-json", action="store_true", help="with a request id: as OTLP/JSON, for other tools"
        )
        parser.add_argument("--error", action="store_true", help="failed on our side only")
        parser.add_argument("--code", default="", help="this S3 error code only, like AccessDenied")
        parser.add_argument(
            "--slow", type=_milliseconds, metavar="TIME", help="at least so long, like 500ms, 2s"
        )
        parser.add_argument("--bucket", default="")
        parser.add_argument("--operation", default="", help="like PutObject")
        parser.add_argument("--key-prefix", default="", help="of keys as traces show them")
        parser.add_argument(
            "--upload",
            default="",
            metavar="ID",
            help="of one multipart upload: the id its client has, or its hash",
        )
        parser.add_argument(
            "--principal", default="", metavar="HASH", help="of who it was, as traces show it"
        )
        parser.add_argument("--status", type=int)
        parser.add_argument(
            "--since",
            type=_moment,
            metavar="TIME",
            help="began at or after it: ISO 8601 (UTC), or ago like 15m, 2h, 1d",
        )
        parser.add_argument("--until", type=_moment, metavar="TIME", help="began before it")
        parser.add_argument("--limit", type=int, default=30)
        parser.add_argument("--last", action="store_true", help="the newest of them as a waterfall")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["otlp_json"] and not options["id"]:
            raise CommandError("--otlp-json goes with a request id.")
        try:
            lines = self._lines(options)
        except (OperationalError, ProgrammingError) as error:
            self.stderr.write(f"There is no store of traces to read ({error}). Is tracing.local_store on?")
            sys.exit(NO_STORE)
        if not lines:
            self.stderr.write("No such trace is kept here.")
            sys.exit(NOTHING)
        for line in lines:
            self.stdout.write(line)

    def _lines(self, options: dict[str, Any]) -> list[str]:
        if options["id"]:
            return _trace(options["id"], as_otlp_json=options["otlp_json"])
        found = find_traces(_query(options))
        if not options["last"]:
            return list(list_lines(found[: max(options["limit"], 1)]))
        newest = found.first()
        return [] if newest is None else _trace(newest.trace_id)


def _trace(trace_id: str, *, as_otlp_json: bool = False) -> list[str]:
    if as_otlp_json:
        document = load_otlp_json(trace_id)
        return [] if document is None else [json.dumps(document)]
    tree = load_tree(trace_id)
    return [] if tree is None else list(waterfall_lines(tree))


def _query(options: dict[str, Any]) -> TraceQuery:
    return TraceQuery(
        upload_hash=_upload_hash(options["upload"]),
        principal_hash=options["principal"],
        bucket=options["bucket"],
        operation=options["operation"],
        key_prefix=options["key_prefix"],
        error=options["code"],
        is_error=True if options["error"] else None,
        status=options["status"],
        slower_than_ms=options["slow"],
        since=options["since"],
        until=options["until"],
    )


def _milliseconds(text: str) -> float:
    try:
        return float(parse_value(text, "duration"))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _moment(text: str) -> datetime:
    try:
        return parse_moment(text, now=timezone.now())
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _upload_hash(text: str) -> str:
    """Traces have hashes; clients have ids, which are longer."""
    return text if not text or re.fullmatch("[0-9a-f]{32}", text) else upload_hash(text)


def _trace_id(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{32}", text):
        raise ArgumentTypeError("a request id has 32 hexadecimal digits")
    return text.lower()
