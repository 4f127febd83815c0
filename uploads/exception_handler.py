"""One place that answers every failure of an S3 request; the operator is told more than the client."""

from __future__ import annotations

import logging

from django.http import HttpResponse

from tracing_app.api import trace_id
from uploads import responses
from uploads.failures import failure_of

logger = logging.getLogger(__name__)


def answer(error: Exception, *, method: str, resource: str) -> HttpResponse:
    """The S3 error answer to ``error``, whatever it is."""
    problem = failure_of(error)
    if problem.is_ours:
        logger.error("request %s failed unforeseen", trace_id(), exc_info=error)
    elif problem.status >= 500:
        logger.error("request %s failed: %s %s", trace_id(), problem.code, problem.detail)
    elif problem.detail:
        logger.info("request %s refused: %s %s", trace_id(), problem.code, problem.detail)
    response = responses.failure(problem, resource=resource, is_head=method == "HEAD")
    response.error_code = problem.code  # type: ignore[attr-defined]
    return response
