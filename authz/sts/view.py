"""``POST /``: the exchange of tokens over HTTP. It needs no signature, as the token is the credential."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.http import HttpRequest, HttpResponse

from authz.apps import authz_app
from authz.errors import AuthError
from authz.stages import auth_stage
from tracing_app.api import name_request, subject_hash, trace_id

from . import answers
from .errors import InvalidParameter
from .request import ACTION, parse_assume_role, parse_parameters

MAX_BODY_BYTES = 32 * 1024
FORM = "application/x-www-form-urlencoded"
XML = "text/xml"

_INTERNAL = "InternalFailure"
_SORRY = "The request failed because of an error of the gateway. Report the request id to its operator."

logger = logging.getLogger(__name__)
access_log = logging.getLogger("mizuchi.access")


def is_exchange(environ: dict[str, Any]) -> bool:
    """Whether a request to ``/`` is for this view: a form, or an action in the query."""
    if environ["PATH_INFO"] not in ("", "/") or environ["REQUEST_METHOD"] != "POST":
        return False
    is_form: bool = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == FORM
    return is_form or "Action=" in environ.get("QUERY_STRING", "")


def exchange_token(request: HttpRequest) -> HttpResponse:
    """The answer to AssumeRoleWithWebIdentity, or to anything else that is sent here."""
    began = time.perf_counter()
    name_request(f"POST sts.{ACTION}", {"http.route": "/", "url.path": "/", "rpc.method": f"STS/{ACTION}"})
    response, code = _answered(request)
    # RFC 6749, 5.1: what holds credentials is kept nowhere on the way.
    response["Cache-Control"] = "no-store"
    access_log.info(
        "POST %s %s %s %.1f ms request %s",
        ACTION,
        response.status_code,
        code or "-",
        (time.perf_counter() - began) * 1e3,
        trace_id(),
    )
    return response


def _answered(request: HttpRequest) -> tuple[HttpResponse, str]:
    """The answer, and the code of its error."""
    try:
        return _exchanged(request), ""
    except AuthError as error:
        logger.info("request %s refused: %s %s", trace_id(), error.code, error.reason)
        return _failure(error.code, error.message, error.status), error.code
    except Exception:
        logger.exception("request %s failed unforeseen", trace_id())
        return _failure(_INTERNAL, _SORRY, 500), _INTERNAL


def _failure(code: str, message: str, status: int) -> HttpResponse:
    document = answers.error(code, message, is_senders=status < 500, request_id=trace_id())
    response = HttpResponse(document, status=status, content_type=XML)
    response.error_code = code  # type: ignore[attr-defined]
    return response


def _exchanged(request: HttpRequest) -> HttpResponse:
    environ = request.META
    with auth_stage("auth.sts") as current:
        current.set("mizuchi.auth.method", "jwt")
        asked = parse_assume_role(parse_parameters(environ.get("QUERY_STRING", ""), _body(environ)))
        issued = authz_app().exchange.assume_role(asked)
        current.set("user.hash", subject_hash(issued.principal))
        current.set("mizuchi.auth.session_seconds", round(issued.expires_at - time.time()))
    document = answers.assumed_role(asked, issued, trace_id())
    return HttpResponse(document, content_type=XML)


def _body(environ: dict[str, Any]) -> bytes:
    """The form, read whole. Raises InvalidParameter when it is too long or does not come."""
    stream, body = environ["wsgi.input"], b""
    try:
        while len(body) <= MAX_BODY_BYTES and (block := stream.read(MAX_BODY_BYTES + 1 - len(body))):
            body += block
    except OSError:
        raise InvalidParameter("The form did not come whole. Send it again.", reason="body broken") from None
    if len(body) > MAX_BODY_BYTES:
        raise InvalidParameter(f"The form has more than {MAX_BODY_BYTES} bytes.", reason="body too long")
    return body
