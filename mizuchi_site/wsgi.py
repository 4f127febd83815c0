"""The WSGI application that ``manage.py serve`` runs in every worker."""

from __future__ import annotations

import atexit
import os
from functools import partial

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mizuchi_site.settings")
django.setup(set_prefix=False)

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402

from authz.sts.view import exchange_token  # noqa: E402
from mizuchi_site.front_door import Application, FrontDoor, LeanHandler, MadeWhenAsked  # noqa: E402
from mizuchi_site.metrics import begin_metrics  # noqa: E402
from mizuchi_site.readiness import checks  # noqa: E402
from mizuchi_site.unknown_host import unknown_host  # noqa: E402
from mizuchi_site.workers.heartbeat import Heartbeat  # noqa: E402
from tracing_app.health.views import livez, ready_view  # noqa: E402
from tracing_app.middleware import TraceMiddleware  # noqa: E402
from tracing_app.provider import init_tracing  # noqa: E402
from uploads.apps import uploads_app  # noqa: E402
from uploads.joined_trace import upload_traceparent  # noqa: E402
from uploads.notifications.factory import build_sender  # noqa: E402
from uploads.progress.reporter import start_reporting  # noqa: E402
from uploads.startup import recover  # noqa: E402
from uploads.views import S3View  # noqa: E402

recover()
# What ends before them at exit is tracing, with traces to save: neither takes its time.
atexit.register(start_reporting().stop)

tracing = init_tracing(settings.TRACING)
metrics = begin_metrics(settings.METRICS)
if metrics is not None:
    atexit.register(metrics.stop)  # after all that it measures, tracing included

heartbeat = Heartbeat(uploads_app().request_recorder, look=None if metrics is None else metrics.look)
atexit.register(heartbeat.stop)
if tracing is not None:
    atexit.register(tracing.shutdown)
sender = build_sender(settings.UPLOADS)
if sender is not None:
    sender.start()
    atexit.register(sender.stop)  # before tracing, which then has the last of its spans
traces = partial(
    TraceMiddleware,
    tracer=None if tracing is None else tracing.tracer,
    earlier=upload_traceparent,
    joins=settings.TRACING.multipart == "join",
)


def traced_pages() -> Application:
    """Django's whole chain, with the first page: uploads never need it. Static files are answered before
    anything is traced."""
    if tracing is None:
        return WSGIHandler()
    from tracing_app.pages import TracedPages, trace_pages

    whitenoise = settings.MIDDLEWARE.index("whitenoise.middleware.WhiteNoiseMiddleware")
    trace_pages(tracing.provider, position=whitenoise + 1)
    return TracedPages(WSGIHandler())


application = FrontDoor(
    pages=MadeWhenAsked(traced_pages),
    probes={
        "/livez": LeanHandler(livez, "livez"),
        "/readyz": LeanHandler(ready_view(checks), "readyz"),
        **({} if metrics is None else {"/metrics": LeanHandler(metrics.view, "metrics")}),
    },
    s3=LeanHandler(S3View.as_view(), "{bucket}/{key}", traces),
    sts=LeanHandler(exchange_token, "", traces),
    unknown_host=LeanHandler(unknown_host, "", traces),
    domain=settings.UPLOADS.domain,
    allowed_hosts=settings.ALLOWED_HOSTS,
    trusted_proxies=settings.UPLOADS.trusted_proxies,
)

heartbeat.start()
