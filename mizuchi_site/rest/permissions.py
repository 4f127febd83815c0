"""Who may use a view of the REST API: the same permissions as on the desk's pages."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


class HasPermission(BasePermission):
    """Staff with the view's ``permission``; methods that change something want its ``change_permission``, or
    the one that ``method_permissions`` has for them.

    A view without one of them is closed to such methods.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        wanted = wanted_permission(view, request.method or "")
        return wanted is not None and request.user.is_staff and request.user.has_perm(wanted)


def wanted_permission(view: Any, method: str) -> str | None:
    """What a view, or a class of views, asks for; None: nobody may."""
    of_method: str | None = getattr(view, "method_permissions", {}).get(method)
    name = "permission" if method in SAFE_METHODS else "change_permission"
    return of_method or getattr(view, name, None)
