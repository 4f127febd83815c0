"""Open Policy Agent over its data API: ``POST /v1/data/...`` with the question as ``input``.

Source: OPA documentation, "REST API", "Get a Document (with Input)".
"""

from __future__ import annotations

import json
import re
from typing import Any

from authz.config import OpaConfig
from authz.decisions import PolicyQuestion

from .answers import read_object, refused
from .base import EngineAnswer, EngineFailure, EngineName
from .http_pool import HttpPool

_DECISION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Opa:
    """Asks one decision. Its result is a boolean, or an object ``{"allow": boolean, "reason": text, ...}``;
    an undefined one is a deny, anything else a failure."""

    name: EngineName = "opa"

    def __init__(self, config: OpaConfig) -> None:
        self._path = config.path
        self._pool = HttpPool(
            config.url, timeout_seconds=config.timeout_seconds, token=config.token, ca_file=config.ca_file
        )
        self.host, self.port = self._pool.host, self._pool.port

    def cache_key(self, question: PolicyQuestion) -> bytes:
        return _encoded(opa_input(question))

    def ask(self, question: PolicyQuestion) -> EngineAnswer:
        document = opa_input(question)
        document["context"]["request_id"] = question.request_id
        answer = self._pool.post(self._path, b'{"input":%b}' % _encoded(document))
        if answer.status != 200:
            raise _refused(answer.status, answer.body)
        return _read(read_object(answer.body))

    def close(self) -> None:
        self._pool.close()


def opa_input(question: PolicyQuestion) -> dict[str, Any]:
    """What a policy sees as ``input``, without the request id."""
    identity = question.identity
    return {
        "subject": identity.subject,
        "principal": identity.principal,
        "groups": identity.groups,
        "claims": dict(identity.claims),
        "action": question.action,
        "resource": {
            "bucket": question.bucket,
            "key": question.key,
            "size": question.size,
            "content_type": question.content_type,
        },
        "context": {
            "method": question.method,
            "operation": question.operation,
            "authentication": identity.method,
            "ip": question.client_ip,
        },
    }


def _encoded(document: dict[str, Any]) -> bytes:
    """As UTF-8: what cannot be told to an engine fails here instead of becoming something else there."""
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as error:
        raise EngineFailure("unaskable", "the question is not Unicode text", is_outage=False) from error


def _read(document: dict[str, Any]) -> EngineAnswer:
    decision_id = document.get("decision_id")
    if not (isinstance(decision_id, str) and _DECISION_ID.fullmatch(decision_id)):
        decision_id = ""
    if "result" not in document:
        return EngineAnswer(False, "undefined", decision_id)
    match document["result"]:
        case bool(is_allowed):
            return EngineAnswer(is_allowed, "", decision_id)
        case {"allow": bool(is_allowed), "reason": str(reason)}:
            return EngineAnswer(is_allowed, reason, decision_id)
        case {"allow": bool(is_allowed), **rest} if rest.get("reason") is None:
            return EngineAnswer(is_allowed, "", decision_id)
    raise EngineFailure("malformed_answer", "the result is no boolean and no {allow}", is_outage=False)


def _refused(status: int, body: bytes) -> EngineFailure:
    """A policy that fails over one question (rules in conflict) is answered with 500, and is no outage."""
    if b'"eval_' in body:
        return EngineFailure("evaluation", "the policy failed to evaluate this question", is_outage=False)
    return refused(status)
