"""The live tracing settings: what is in force and since whom, edited in a form, previewed and saved."""

from __future__ import annotations

import json
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from mizuchi_site.sampling_preview import NothingToJudge, sampling_preview
from mizuchi_site.setting_text import shown_change
from mizuchi_site.settings_spread import spread_of
from mizuchi_site.span_check import send_test_span
from mizuchi_site.tracing_changes import change
from mizuchi_site.tracing_report import settings_in_force
from tracing_app.apps import tracing_config
from tracing_app.live.difference import difference
from tracing_app.live.effective import Effective, effective
from tracing_app.live.revisions import RevisionConflict

from .dry_run import dry_run_report
from .page import DeskView
from .rule_reference import REFERENCE
from .setting_conflict import conflict_of
from .tracing_form import SettingsForm
from .tracing_rows import live_rows, rule_rows

CHANGE: Final = "mizuchi_site.change_tracing_settings"


class TracingSettings(DeskView):
    """Who may change them gets a form, others the values. Every button of the form is a POST that says in
    ``do`` what is to be done; nothing but ``save`` changes anything."""

    title = "Tracing settings"
    permission = "mizuchi_site.view_tracing_settings"
    template_name = "desk/tracing_settings.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        now = effective()
        return self._page(now, SettingsForm.of(now, now.overrides))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        now, action = effective(), request.POST.get("do", "")
        if action == "test-span":
            return self._page(now, SettingsForm.retyped(request.POST, now), span=send_test_span())
        if action not in ("preview", "save"):
            return self._page(now, SettingsForm.retyped(request.POST, now, action))
        form = SettingsForm(request.POST, now)
        if not form.is_valid():
            return self._page(now, form)
        conflict = conflict_of(form.cleaned_data["revision"], form.overrides, now)
        if conflict is not None:
            merged = SettingsForm.of(now, conflict.overrides, note=form.cleaned_data["note"])
            return self._page(now, merged, conflict=conflict)
        return self._previewed(now, form) if action == "preview" else self._saved(now, form)

    def _previewed(self, now: Effective, form: SettingsForm) -> HttpResponse:
        changes = [shown_change(each, now.in_file) for each in difference(now.overrides, form.overrides)]
        try:
            report = dry_run_report(sampling_preview(now.settings, form.settings))
        except NothingToJudge as error:
            return self._page(now, form, is_preview=True, changes=changes, why_no_report=str(error))
        return self._page(now, form, is_preview=True, changes=changes, report=report)

    def _saved(self, now: Effective, form: SettingsForm) -> HttpResponse:
        try:
            saved = change(
                self.request.user, form.overrides, based_on=now.number, note=form.cleaned_data["note"]
            )
        except RevisionConflict:
            # Saved by somebody else in this very moment: the same as a moment before.
            return self.post(self.request)
        if saved is None:
            messages.info(self.request, "Nothing was changed: these settings are in force.")
        else:
            messages.success(
                self.request, f"Revision {saved.pk} is saved. All workers sample by it within 5 seconds."
            )
        return HttpResponseRedirect(reverse("admin:tracing_settings"))

    def _page(self, now: Effective, form: SettingsForm, **more: Any) -> HttpResponse:
        config = tracing_config()
        in_force = settings_in_force(settings.CONFIGURATION, now)
        otlp = config.export.otlp if config.export else None
        rows = live_rows(in_force, form)
        context = self.get_context_data(
            now=now,
            form=form,
            may_change=self.request.user.has_perm(CHANGE),
            rows=rows,
            rules_row=next(row for row in rows if row.field is None),
            rule_rows=rule_rows(form),
            of_file=[
                (each, json.dumps(each.value, ensure_ascii=False)) for each in in_force if not each.is_live
            ],
            reference=REFERENCE,
            spread=spread_of(now),
            tracing=config,
            is_recording=config.is_enabled and (config.export or config.store),
            collector=otlp.endpoint if otlp else "",
            **more,
        )
        return self.render_to_response(context)
