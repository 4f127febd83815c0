"""``manage.py serve``: run the gateway."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mizuchi_site.server.gateway_server import GatewayServer, ServerOptions
from mizuchi_site.server.listening import BindAddress, BindError
from tracing_app.logs.log_export import hurry_log_export
from tracing_app.store.tables import ensure_tables

APPLICATION = "mizuchi_site.wsgi:application"
# For the last log records of the main process: its workers have had their time before.
LOG_SECONDS = 0.5


class Command(BaseCommand):
    """Exit codes: 0 after a stop that was asked for, 1 when the server cannot start."""

    help = "Run the gateway. SIGTERM and Ctrl-C let uploads in progress finish; a second one stops at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", metavar="HOST:PORT", help="where to listen (server.bind)")
        parser.add_argument("--workers", type=int, metavar="N", help="worker processes (server.workers)")
        parser.add_argument(
            "--threads", type=int, metavar="N", help="threads of each worker (server.threads)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        server = settings.SERVER
        if settings.TRACING.store is not None:
            ensure_tables()
        try:
            code = GatewayServer(
                ServerOptions(
                    address=BindAddress.parse(options["bind"] or server.bind),
                    application=APPLICATION,
                    workers=_at_least_one("--workers", options["workers"], server.workers),
                    threads=_at_least_one("--threads", options["threads"], server.threads),
                    max_connections=server.max_connections,
                    body_stall_seconds=server.body_stall_seconds,
                    drain_seconds=server.drain_seconds,
                )
            ).run()
        except BindError as error:
            raise CommandError(f"{error} Another address: server.bind, or --bind HOST:PORT.") from error
        hurry_log_export(LOG_SECONDS)
        sys.exit(code)


def _at_least_one(option: str, given: int | None, configured: int) -> int:
    if given is not None and given < 1:
        raise CommandError(f"{option} must be 1 or more.")
    return configured if given is None else given
