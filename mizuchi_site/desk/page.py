"""What a page of the desk is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.generic import TemplateView


class DeskView(TemplateView):
    """A page inside the admin's chrome, for staff with ``permission`` (``app_label.codename``).

    The admin site lets nobody in who is not staff; without the permission the answer is 403.
    """

    title: ClassVar[str]
    permission: ClassVar[str]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(self.permission):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        chrome = admin.site.each_context(self.request)
        return super().get_context_data(**{**chrome, "title": self.title, **kwargs})


@dataclass(frozen=True, slots=True)
class Page:
    """A page with its place: ``path`` below ``/admin/``, ``name`` as in ``{% url "admin:name" %}``."""

    path: str
    name: str
    view: type[DeskView]
