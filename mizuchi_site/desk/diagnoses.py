"""The signature doctor: why signatures did not match, and what to do."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse

from authz.diagnosis_log import KEPT
from authz.models import AccessKey, SignatureDiagnosis
from authz.sigv4.advice import ADVICE

from .newest_page import newest_page
from .page import DeskView

PER_PAGE = 50
MOST_OF_A_REQUEST = 20
_ID = re.compile(r"[0-9a-fA-F]{32}")


class DiagnosisList(DeskView):
    """The latest diagnoses, or those of a request id, which requests share that send the same trace id."""

    title = "Signature doctor"
    permission = "mizuchi_site.view_diagnoses"
    template_name = "desk/diagnoses.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.GET.get("request_id", "").strip()
        context: dict[str, Any] = {"asked": asked, "kept": KEPT}
        if not asked:
            context |= newest_page(request, SignatureDiagnosis.objects.all(), PER_PAGE)
        elif _ID.fullmatch(asked):
            found = SignatureDiagnosis.objects.filter(request_id=asked.lower())[:MOST_OF_A_REQUEST]
            context["diagnoses"] = [_explained(diagnosis) for diagnosis in found]
        else:
            context["fault"] = "A request id has 32 hexadecimal digits."
        status = 400 if "fault" in context else 200
        return self.render_to_response(self.get_context_data(**context), status=status)


def _explained(diagnosis: SignatureDiagnosis) -> dict[str, Any]:
    """With what to do, once for each kind of cause, and the access key where the database has it."""
    kinds = dict.fromkeys(cause["kind"] for cause in diagnosis.causes)
    return {
        "diagnosis": diagnosis,
        "advice": [advice for kind, advice in ADVICE.items() if kind in kinds],
        "key": AccessKey.objects.filter(access_key_id=diagnosis.access_key_id).first(),
    }
