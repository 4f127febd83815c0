"""Asks whether the authenticated identity may do what the request asks, before any body byte is read."""

from __future__ import annotations

from typing import Protocol

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from authz.decisions import PolicyQuestion, decide_by_scope
from authz.errors import AccessDenied
from tracing_app.api import stage


class AsksPolicy(Protocol):
    """What a view gives to ``UploadPermission``."""

    def policy_question(self) -> PolicyQuestion: ...


class UploadPermission(BasePermission):
    """For views that are ``AsksPolicy``. Raises AccessDenied with the reason; never returns False."""

    def has_permission(self, request: Request, view: APIView | AsksPolicy) -> bool:
        question = view.policy_question()  # type: ignore[union-attr]
        with stage("authz.scope") as current:
            decision = decide_by_scope(question)
            current.set("mizuchi.authz.decision", "allow" if decision.is_allowed else "deny")
            current.set("mizuchi.authz.reason", decision.reason)
        if not decision.is_allowed:
            raise AccessDenied(
                f"Access Denied: this key may not do {question.action} on this bucket. "
                "Ask the operator to widen it.",
                reason=decision.reason,
            )
        return True
