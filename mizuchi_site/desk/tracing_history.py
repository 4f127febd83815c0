"""The history of the live tracing settings, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from mizuchi_site.setting_text import ShownChange, shown_change
from mizuchi_site.tracing_changes import go_back, undo_last
from tracing_app.live.difference import difference
from tracing_app.live.effective import effective
from tracing_app.live.overrides import OverridesInvalid
from tracing_app.live.revisions import Entry, RevisionConflict, history, newest_revision
from tracing_app.models import TracingRevision

from .page import DeskView
from .tracing_settings import CHANGE

PER_PAGE = 30


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """A revision with its changes as the page has them."""

    revision: TracingRevision
    changes: tuple[ShownChange, ...]


class TracingHistory(DeskView):
    """Who changed what, when and why. Back to any revision, or without the last, is a POST, and a revision of
    its own: nothing is ever lost."""

    title = "History of tracing settings"
    permission = "mizuchi_site.view_tracing_settings"
    template_name = "desk/tracing_history.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        before = _number(self.request.GET.get("before"))
        entries = history(limit=PER_PAGE + 1, before=before)
        return super().get_context_data(
            entries=[_shown(entry) for entry in entries[:PER_PAGE]],
            older=entries[PER_PAGE - 1].revision.pk if len(entries) > PER_PAGE else None,
            is_newest=before is None,
            newest=newest_revision(),
            restoring=self._restoring(),
            may_change=self.request.user.has_perm(CHANGE),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        try:
            self._back(request.POST.get("do", ""), _number(request.POST.get("revision")))
        except RevisionConflict:
            messages.error(request, "Nothing was changed: there is a newer revision. Look at it first.")
        except OverridesInvalid as error:
            messages.error(request, f"Nothing was changed. That revision cannot be right any more: {error}")
        else:
            return HttpResponseRedirect(reverse("admin:tracing_settings"))
        return HttpResponseRedirect(reverse("admin:tracing_history"))

    def _back(self, action: str, based_on: int | None) -> None:
        """``undo``, or ``restore-N`` for the revision of that number, where ``based_on`` is in force."""
        based_on = -1 if based_on is None else based_on
        number = _number(action.removeprefix("restore-"))
        if action == "undo":
            saved = undo_last(self.request.user, based_on=based_on)
        else:
            saved = go_back(self.request.user, _revision(number), based_on=based_on)
        if saved is None:
            messages.info(self.request, "Nothing was changed: there is no change to undo.")
        else:
            messages.success(
                self.request,
                f"Revision {saved.pk} is saved ({saved.note}). All workers sample by it within 5 seconds.",
            )

    def _restoring(self) -> ShownEntry | None:
        """The revision that the page asks about, with what would change against what is in force."""
        number = _number(self.request.GET.get("restore"))
        if number is None:
            return None
        revision = _revision(number)
        now = effective()
        changes = difference(now.overrides, revision.overrides)
        return ShownEntry(revision, tuple(shown_change(each, now.in_file) for each in changes))


def _shown(entry: Entry) -> ShownEntry:
    return ShownEntry(entry.revision, tuple(map(shown_change, entry.changes)))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _revision(number: int | None) -> TracingRevision:
    revision = None if number is None else TracingRevision.objects.filter(pk=number).first()
    if revision is None:
        raise Http404("There is no such revision.")
    return revision
