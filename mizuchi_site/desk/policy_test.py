"""What the engines of a bucket's policy would say of a request."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from authz.apps import authz_app
from authz.check_services import failure_advice
from authz.explain import explain
from authz.policy.verdict import Verdict

from .page import DeskView
from .policy_question import PolicyQuestion


class PolicyTest(DeskView):
    """A question and each engine's answer, as ``manage.py authz_explain`` gives them. The query string fills
    the form; only a form that is sent is asked, so that nothing of it is in an address."""

    title = "Policy tester"
    permission = "mizuchi_site.test_policy"
    template_name = "desk/policy_test.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        given = {name: value for name, value in request.GET.items() if name in PolicyQuestion.base_fields}
        return self.render_to_response(self.get_context_data(form=PolicyQuestion(initial=given)))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = PolicyQuestion(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=400)
        inquiry = form.inquiry()
        explanation = explain(authz_app().config, inquiry)
        answers = [(verdict, _advice(verdict)) for verdict in explanation.verdicts]
        return self.render_to_response(
            self.get_context_data(form=form, asked=inquiry, explanation=explanation, answers=answers)
        )


def _advice(verdict: Verdict) -> str:
    return failure_advice(verdict.reason) if verdict.outcome == "error" else ""
