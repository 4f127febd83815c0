"""The audit log: who changed what."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse

from mizuchi_site.audit_log import ACTIONS, entries

from .newest_page import newest_page
from .page import DeskView

PER_PAGE = 50


class AuditLog(DeskView):
    """Changes by users of the desk and of the REST API, the newest first."""

    title = "Audit log"
    permission = "mizuchi_site.view_audit"
    template_name = "desk/audit.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = {
            name: request.GET.get(name, "").strip().replace("\0", "") for name in ("user", "kind", "action")
        }
        page = newest_page(request, entries(**asked), PER_PAGE)
        page["rows"] = [_row(entry) for entry in page["rows"]]
        context = self.get_context_data(asked=asked, **page, **_choices())
        return self.render_to_response(context)


def _given(request: HttpRequest, name: str) -> str:
    """Without NUL, which databases refuse to look for."""
    return request.GET.get(name, "").strip().replace("\0", "")


def _row(entry: LogEntry) -> dict[str, Any]:
    kind = entry.content_type
    return {
        "entry": entry,
        "action": ACTIONS[entry.action_flag],
        "kind": kind.name if kind else "",
        "url": None if entry.action_flag == DELETION else entry.get_admin_url(),
        "message": entry.get_change_message(),
    }


def _choices() -> dict[str, Any]:
    """Whoever may change anything, and kinds of objects of which something was changed."""
    users = get_user_model().objects.filter(is_staff=True).order_by("username")
    changed = LogEntry.objects.order_by().values_list("content_type", flat=True).distinct()
    kinds = ContentType.objects.filter(pk__in=list(changed)).order_by("app_label", "model")
    return {
        "users": [user.get_username() for user in users[:200]],
        "kinds": [(f"{kind.app_label}.{kind.model}", kind.name) for kind in kinds],
        "actions": list(ACTIONS.values()),
    }
