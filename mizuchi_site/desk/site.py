"""The admin site: its first page is the status page, its menu the desk's."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from .menu import menu_for


class DeskSite(AdminSite):
    """Django's admin site; the desk's pages share its login, its chrome and its URL names (``admin:...``)."""

    site_header = site_title = "Mizuchi Uploadr"
    index_title = "Status"
    site_url = None  # / is the S3 API
    enable_nav_sidebar = False  # the desk's menu is in its place

    def get_urls(self) -> list[URLPattern | URLResolver]:
        # Not at import: pages read models.
        from .pages import PAGES

        own: list[URLPattern | URLResolver] = [
            path(page.path, self.admin_view(page.view.as_view()), name=page.name) for page in PAGES
        ]
        return own + list(super().get_urls())

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "desk_menu": menu_for(request)}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page that the user may see: the status page for all roles."""
        from .pages import first_page

        view = first_page(request)
        if view is None:
            return super().index(request, extra_context)
        answer = view.as_view()(request)
        assert isinstance(answer, TemplateResponse)
        return answer
