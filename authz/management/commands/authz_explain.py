"""``manage.py authz_explain``: may somebody do something, and who says so?"""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authz.apps import authz_app
from authz.config import BucketAuth
from authz.decisions import PolicyQuestion
from authz.explain import Caller, Explanation, explain, identity_of
from authz.identity import AuthMethod

EXIT_CODES = {"allow": 0, "deny": 1, "error": 2}
_METHODS = ("jwt", "sigv4", "sigv4-query", "sigv4-post", "anonymous")


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
        parser.add_argument("--method", choices=_METHODS, help="default: jwt where it is taken")
        parser.add_argument("--groups", nargs="*", default=[], metavar="GROUP")
        parser.add_argument("--claims", default="{}", metavar="JSON", help="claims of the token, an object")
        parser.add_argument("--size", type=int, help="bytes of the body")
        parser.add_argument("--content-type")
        parser.add_argument("--ip", default="", help="the client's address")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        config = authz_app().config
        bucket: str = options["bucket"]
        rules = config.buckets.get(bucket)
        if rules is None:
            raise CommandError(f"There is no bucket {bucket!r}. Known: {', '.join(sorted(config.buckets))}.")
        explanation = explain(config.policies.get(bucket), _question(options, rules))
        if options["json"]:
            self.stdout.write(json.dumps(_report(explanation)))
        else:
            self.stdout.write("\n".join(_lines(explanation)))
        sys.exit(EXIT_CODES[explanation.outcome])


def _question(options: dict[str, Any], rules: BucketAuth) -> PolicyQuestion:
    method: AuthMethod = options["method"] or ("jwt" if rules.jwt else "sigv4")
    caller = Caller(options["subject"], method, tuple(options["groups"]), _claims(options["claims"]))
    action: str = options["action"]
    return PolicyQuestion(
        identity_of(caller, options["bucket"], rules),
        action,
        options["bucket"],
        options["key"],
        operation=options["operation"] or action.removeprefix("s3:"),
        size=options["size"],
        content_type=options["content_type"],
        client_ip=options["ip"],
        request_id="authz_explain",
    )


def _claims(text: str) -> dict[str, object]:
    try:
        claims = json.loads(text)
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        raise CommandError('--claims must be a JSON object, such as {"tier": "gold"}.')
    return claims


def _lines(explanation: Explanation) -> Iterator[str]:
    scope = explanation.scope
    yield f"{'scope':8} {'allow' if scope.is_allowed else 'deny':6} {'':10}  {scope.reason}"
    for verdict in explanation.verdicts:
        said = verdict.detail or verdict.reason
        decision = f", decision {verdict.decision_id}" if verdict.decision_id else ""
        yield f"{verdict.engine:8} {verdict.outcome:6} {verdict.seconds * 1e3:7.1f} ms  {said}{decision}"
    yield f"{'together':8} {explanation.outcome:6} {'':10}  {_why(explanation)}"


def _why(explanation: Explanation) -> str:
    if not explanation.scope.is_allowed:
        return "no policy can widen it"
    if explanation.combined is None:
        return "the bucket has no policy"
    decided = f"{explanation.combined.engine} {explanation.combined.reason}".strip()
    if not explanation.is_enforced:
        return f"shadow: {explanation.combined.outcome} is recorded and not obeyed ({decided})"
    return decided


def _report(explanation: Explanation) -> dict[str, Any]:
    return {
        "outcome": explanation.outcome,
        "why": _why(explanation),
        "scope": dataclasses.asdict(explanation.scope),
        "engines": [dataclasses.asdict(verdict) for verdict in explanation.verdicts],
        "is_enforced": explanation.is_enforced,
    }
