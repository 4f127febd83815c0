"""``manage.py authz_explain``: may somebody do something, and who says so?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authz.apps import authz_app
from authz.explain import METHODS, Explanation, Inquiry, UnknownBucket, explain, parse_claims

EXIT_CODES = {"allow": 0, "deny": 1, "error": 2}


class Command(BaseCommand):
    help = (
        "Ask the engines of a bucket's policy, and print each answer, its time and what follows. Nothing "
        "is remembered or uploaded. Exit codes: 0 allowed, 1 denied, 2 an engine does not answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--subject", required=True, help="the principal of a key, or a token's subject")
        parser.add_argument("--bucket", required=True)
        parser.add_argument("--key", help="the object's key; without it, the bucket as a whole")
        parser.add_argument("--action", required=True, help="such as s3:PutObject")
        parser.add_argument("--operation", default="", help="such as UploadPart; default: the action's name")
        parser.add_argument("--method", choices=METHODS, help="default: jwt where it is taken")
        parser.add_argument("--groups", nargs="*", default=[], metavar="GROUP")
        parser.add_argument("--claims", default="{}", metavar="JSON", help="claims of the token, an object")
        parser.add_argument("--size", type=int, help="bytes of the body")
        parser.add_argument("--content-type")
        parser.add_argument("--ip", default="", help="the client's address")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            explanation = explain(authz_app().config, _inquiry(options))
        except UnknownBucket as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(explanation.report()))
        else:
            self.stdout.write("\n".join(_lines(explanation)))
        sys.exit(EXIT_CODES[explanation.outcome])


def _inquiry(options: dict[str, Any]) -> Inquiry:
    try:
        claims = parse_claims(options["claims"])
    except ValueError as error:
        raise CommandError(f"--claims {error}") from None
    return Inquiry(
        options["subject"],
        options["bucket"],
        options["action"],
        options["key"],
        operation=options["operation"],
        method=options["method"],
        groups=tuple(options["groups"]),
        claims=claims,
        size=options["size"],
        content_type=options["content_type"],
        client_ip=options["ip"],
    )


def _lines(explanation: Explanation) -> Iterator[str]:
    scope = explanation.scope
    yield f"{'scope':8} {'allow' if scope.is_allowed else 'deny':6} {'':10}  {scope.reason}"
    for verdict in explanation.verdicts:
        said = verdict.detail or verdict.reason
        decision = f", decision {verdict.decision_id}" if verdict.decision_id else ""
        yield f"{verdict.engine:8} {verdict.outcome:6} {verdict.seconds * 1e3:7.1f} ms  {said}{decision}"
    yield f"{'together':8} {explanation.outcome:6} {'':10}  {explanation.why}"
