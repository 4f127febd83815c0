"""Who may use a view of the REST API: the same permissions as on the desk's pages."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


class HasPermission(BasePermission):
    """Staff with the view's ``permission``; methods that change something want its ``change_permission``.

    A view without one of them is closed to such methods.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        name = "permission" if request.method in SAFE_METHODS else "change_permission"
        wanted: str | None = getattr(view, name, None)
        return wanted is not None and request.user.is_staff and request.user.has_perm(wanted)
