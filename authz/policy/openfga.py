"""OpenFGA over its HTTP API: Check, and BatchCheck where one of several objects is enough.

Source: OpenFGA API reference, "Relationship Queries". The official SDK is not used here: it has no
deadline for an answer as a whole, sleeps between tries of its own, brings an asynchronous HTTP stack and
costs twice the CPU.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from authz.config import OpenFgaConfig
from authz.decisions import PolicyQuestion

from .answers import read_object, refused
from .base import EngineAnswer, EngineFailure, EngineName
from .http_pool import HttpPool
from .templates import expand

MAX_USER_BYTES = 512
MAX_OBJECT_BYTES = 256
MAX_CONTEXTUAL_TUPLES = 100

_Tuple = dict[str, str]


class _Unanswerable(Exception):
    """A question about which no tuple can exist: the answer is no, without asking."""


class OpenFga:
    """Asks whether the caller has the relation to one of the objects."""

    name: EngineName = "openfga"

    def __init__(self, config: OpenFgaConfig) -> None:
        self._config = config
        self._store = f"/stores/{config.store_id}"
        self._pool = HttpPool(
            config.url, timeout_seconds=config.timeout_seconds, token=config.api_token, ca_file=config.ca_file
        )
        self.host, self.port = self._pool.host, self._pool.port

    def cache_key(self, question: PolicyQuestion) -> bytes:
        try:
            return _encoded([self._tuples(question), self._memberships(question)])
        except _Unanswerable as refusal:
            return str(refusal).encode()

    def ask(self, question: PolicyQuestion) -> EngineAnswer:
        try:
            tuples, memberships = self._tuples(question), self._memberships(question)
        except _Unanswerable as refusal:
            return EngineAnswer(False, str(refusal))
        if len(tuples) == 1:
            return self._check(tuples[0], memberships)
        return self._batch_check(tuples, memberships)

    def close(self) -> None:
        self._pool.close()

    def _check(self, asked: _Tuple, memberships: Sequence[_Tuple]) -> EngineAnswer:
        answer = self._post("check", self._about(asked, memberships))
        return _answered(_allowed(answer))

    def _batch_check(self, tuples: Sequence[_Tuple], memberships: Sequence[_Tuple]) -> EngineAnswer:
        checks = [
            self._about(asked, memberships) | {"correlation_id": str(index)}
            for index, asked in enumerate(tuples)
        ]
        results = self._post("batch-check", {"checks": checks}).get("result")
        if not isinstance(results, dict):
            raise _malformed()
        answers = [results.get(check["correlation_id"]) for check in checks]
        # One yes is enough; a check that failed must not pass for a no.
        if any(isinstance(answer, dict) and answer.get("allowed") is True for answer in answers):
            return _answered(True)
        return _answered(any(_allowed(answer) for answer in answers))

    def _about(self, asked: _Tuple, memberships: Sequence[_Tuple]) -> dict[str, Any]:
        body: dict[str, Any] = {"tuple_key": asked}
        if memberships:
            body["contextual_tuples"] = {"tuple_keys": memberships}
        return body

    def _post(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        if self._config.model_id is not None:
            body["authorization_model_id"] = self._config.model_id
        answer = self._pool.post(f"{self._store}/{call}", _encoded(body))
        if answer.status != 200:
            raise refused(answer.status, _said(answer.status, answer.body))
        return read_object(answer.body)

    def _tuples(self, question: PolicyQuestion) -> list[_Tuple]:
        """What is asked: one for each object that the question is about. Raises _Unanswerable."""
        key = question.key or ""
        values = {"bucket": question.bucket, "key": key, "folder": key.rpartition("/")[0]}
        objects = [name for name in (expand(each, values) for each in self._config.objects) if name]
        if not objects:
            raise _Unanswerable("no object of this kind")
        fitting = [name for name in objects if len(name) <= MAX_OBJECT_BYTES]
        if not fitting:
            raise _Unanswerable("object name too long")
        user, relation = self._user(question), self._relation(question)
        return [{"user": user, "relation": relation, "object": name} for name in fitting]

    def _memberships(self, question: PolicyQuestion) -> list[_Tuple]:
        """The caller's groups as contextual tuples. Raises _Unanswerable."""
        config, groups = self._config, question.identity.groups
        if config.group is None:
            return []
        if len(groups) > MAX_CONTEXTUAL_TUPLES:
            raise _Unanswerable("too many groups")
        names = [expand(config.group, {"group": group}) for group in groups]
        if any(name is not None and len(name) > MAX_OBJECT_BYTES for name in names):
            raise _Unanswerable("group name too long")
        user = self._user(question)
        return [{"user": user, "relation": config.group_relation, "object": name} for name in names if name]

    def _user(self, question: PolicyQuestion) -> str:
        identity = question.identity
        user = expand(self._config.user, {"subject": identity.subject, "principal": identity.principal})
        if user is None or len(user) > MAX_USER_BYTES:
            raise _Unanswerable("user name too long")
        return user

    def _relation(self, question: PolicyQuestion) -> str:
        relations = self._config.relations
        by_action = relations.get(question.action, self._config.relation)
        return relations.get(question.operation, by_action)


def _encoded(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _answered(is_allowed: bool) -> EngineAnswer:
    return EngineAnswer(is_allowed, "related" if is_allowed else "not related")


def _allowed(answer: Any) -> bool:
    """The ``allowed`` of one check. Raises EngineFailure."""
    match answer:
        case {"error": _}:
            raise EngineFailure("check_error", "a check of the batch failed", is_outage=False)
        case {"allowed": bool(is_allowed)}:
            return is_allowed
    raise _malformed()


def _malformed() -> EngineFailure:
    return EngineFailure("malformed_answer", "the answer does not say whether it is allowed", is_outage=False)


def _said(status: int, body: bytes) -> str:
    """OpenFGA's error code, which tells an operator what to correct; its message may quote who asked."""
    try:
        code = json.loads(body)["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f"HTTP {status}, {code[:64]}" if isinstance(code, str) and code.isidentifier() else ""
