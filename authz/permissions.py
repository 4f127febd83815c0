"""Asks whether the authenticated identity may do what the request asks, before any body byte is read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from authz.apps import authz_app
from authz.decisions import PolicyQuestion, decide_by_scope
from authz.errors import AccessDenied, PolicyUnavailable
from authz.metrics import REFUSALS
from authz.policy.bucket_policy import BucketPolicy
from authz.policy.combine import Combined
from tracing_app.api import FixedAttributes, note

logger = logging.getLogger(__name__)


class AsksPolicy(Protocol):
    """What a view gives to ``UploadPermission``."""

    def policy_question(self) -> PolicyQuestion: ...


class UploadPermission(BasePermission):
    """For views that are ``AsksPolicy``. Raises an AuthError with the reason; never returns False."""

    def has_permission(self, request: Request, view: APIView | AsksPolicy) -> bool:
        authz_app().authorizer.authorize(view.policy_question())  # type: ignore[union-attr]
        return True


class Authorizer:
    """The scope of the caller's key first, which costs nothing, then the policy of the bucket. Thread-safe.

    ``note`` is told of each outcome of a policy, with whether it is obeyed.
    """

    def __init__(
        self,
        policies: Mapping[str, BucketPolicy],
        note: Callable[[PolicyQuestion, Combined, bool], None],
    ) -> None:
        self.policies = policies
        self._note = note

    def authorize(self, question: PolicyQuestion) -> None:
        """Raises AccessDenied, and PolicyUnavailable when an engine that must agree does not answer."""
        _check_scope(question)
        policy = self.policies.get(question.bucket)
        if policy is None:
            return
        if policy.is_enforced:
            combined = policy.decide(question)
            self._note(question, combined, True)
            _obey(question, combined)
        else:
            self._watch(policy, question)

    def _watch(self, policy: BucketPolicy, question: PolicyQuestion) -> None:
        """In shadow: whatever happens, the request goes on."""
        try:
            combined = policy.decide(question)
            self._note(question, combined, False)
        except Exception:
            logger.exception("request %s: the policy in shadow failed unforeseen", question.request_id)
            return
        if combined.outcome != "allow":
            logger.info("request %s %s", question.request_id, _told(combined, "would be refused by"))


def _check_scope(question: PolicyQuestion) -> None:
    decision = decide_by_scope(question)
    note(_of_scope(decision.is_allowed, decision.reason))
    if not decision.is_allowed:
        REFUSALS.add(("scope",))
        raise AccessDenied(_scope_message(question), reason=decision.reason)


@lru_cache(maxsize=64)
def _of_scope(is_allowed: bool, reason: str) -> FixedAttributes:
    told = {"mizuchi.authz.scope.decision": "allow" if is_allowed else "deny"}
    return FixedAttributes({**told, "mizuchi.authz.scope.reason": reason})


def _scope_message(question: PolicyQuestion) -> str:
    if question.identity.scope.allows(question.bucket):
        return (
            "Access Denied: the object's key is outside of what is yours in this bucket. Keep to your own "
            "folder, and to the prefixes of your session's policy."
        )
    return (
        f"Access Denied: this key may not do {question.action} on this bucket. Ask the operator to widen it."
    )


def _obey(question: PolicyQuestion, combined: Combined) -> None:
    """The client is told what it may know: never the policy's own words."""
    if combined.outcome == "error":
        REFUSALS.add(("no_answer",))
        raise PolicyUnavailable(reason=_told(combined, "no answer of"))
    if combined.outcome == "deny":
        REFUSALS.add(("policy",))
        raise AccessDenied(
            f"Access Denied: the policy of this bucket does not let you do {question.action} here. "
            "The operator can look this request id up.",
            reason=_told(combined, "denied by"),
        )
    if combined.fell_open:
        logger.warning("request %s is let in without an answer: fails_open", question.request_id)


def _told(combined: Combined, verb: str) -> str:
    return f"{verb} {combined.engine}: {combined.reason}"
