"""The contract of a request's root span as tests: the same class for every way a request is served.

A subclass named ``Test...`` supplies these fixtures:

``application``  ``(view, provider) -> WSGI application``: records with the provider and answers what ``view``
                 answers for ``what``, the part of the path
``refused``      environ entries with which a request is refused (400) before it is known what is asked

and the class attributes below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from opentelemetry.trace import INVALID_SPAN, SpanKind, StatusCode, Tracer, TracerProvider, get_current_span

from tests.tracing_app.recording.recorders import Collected
from tracing_app.recording.choices import Always
from tracing_app.recording.data import SpanData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
View = Callable[[str], HttpResponseBase]
BuildApplication = Callable[[View, TracerProvider], Application]

CANARY = "cana-ry-2718"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ALLOWED = frozenset(
    {
        "error.type",
        "http.request.body.size",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "network.protocol.version",
        "server.address",
        "server.port",
        "url.path",
        "url.scheme",
        "user_agent.name",
    }
)
REQUIRED = ALLOWED - {"error.type", "http.request.body.size", "url.path", "user_agent.name"}


class LetGo(BaseException):
    """What is no Exception leaves Django: a thread that is asked to end."""


def respond(tracer: Tracer, what: str) -> HttpResponseBase:
    """What every implementation's view does."""
    match what:
        case "missing":
            raise Http404(CANARY)
        case "forbidden":
            raise PermissionDenied(CANARY)
        case "suspicious":
            raise SuspiciousOperation(CANARY)
        case "broken":
            raise RuntimeError(CANARY)
        case "let-go":
            raise LetGo(CANARY)
        case "stream":
            return StreamingHttpResponse(iter([b"one", b"two"]))
        case "work":
            with tracer.start_as_current_span("work"):
                return HttpResponse("done")
    return HttpResponse(what, status=int(what))


@dataclass
class Answer:
    """What a server would have sent; ``close`` as the server closes a response."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()

    def close(self) -> None:
        getattr(self.body, "close", lambda: None)()


def environ_of(path: str, method: str = "GET", **entries: Any) -> Environ:
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": f"q={CANARY}&X-Amz-Signature={CANARY}",
        "REQUEST_URI": f"{path}?q={CANARY}",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8080",
        "HTTP_USER_AGENT": f"{CANARY}/8 curl/8",
        "HTTP_COOKIE": CANARY,
        "HTTP_AUTHORIZATION": CANARY,
        "HTTP_X_FORWARDED_FOR": "203.0.113.9",
        "REMOTE_ADDR": "203.0.113.7",
        "REMOTE_PORT": "54321",
        "REMOTE_HOST": CANARY,
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        **entries,
    }


class HttpSpansContract:
    """Every test of the contract. Subclass me.

    ``name`` and ``route`` are those of a GET request that reached a view at ``path``.
    """

    name: str
    route: str
    path: str

    @pytest.fixture
    def sink(self) -> Collected:
        return Collected()

    @pytest.fixture
    def ask(self, application: BuildApplication, sink: Collected) -> Callable[..., Answer]:
        """Send a request to the application. What it answers is not closed yet."""
        provider = LightTracerProvider(HeadSampler(Always(), tail=False), sink)
        served = application(partial(respond, provider.get_tracer("library")), provider)

        def ask(what: str, method: str = "GET", **entries: Any) -> Answer:
            answer = Answer()

            def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
                answer.status = int(status.split()[0])
                answer.headers = {name.lower(): value for name, value in headers}

            try:
                answer.body = served(
                    environ_of(self.path.format(what=what), method, **entries), start_response
                )
            finally:
                assert get_current_span() is INVALID_SPAN
            return answer

        return ask

    @pytest.fixture
    def root_of(self, ask: Callable[..., Answer], sink: Collected) -> Callable[..., SpanData]:
        """The root span of a request, once it is over."""

        def root_of(what: str, method: str = "GET", **entries: Any) -> SpanData:
            ask(what, method, **entries).close()
            return sink.spans[-1]

        return root_of

    def test_a_request_is_one_server_span(self, ask: Callable[..., Answer], sink: Collected) -> None:
        ask("200").close()

        (span,) = sink.spans
        assert (span.name, span.kind, span.parent_span_id) == (self.name, SpanKind.SERVER, 0)
        assert span.end_ns >= span.start_ns > 0

    @pytest.mark.parametrize("what", ["200", "302", "404", "503", "missing", "forbidden", "broken", "stream"])
    def test_attributes_are_the_stable_ones_and_no_other(
        self, root_of: Callable[..., SpanData], what: str
    ) -> None:
        span = root_of(what)

        assert set(span.attributes) >= REQUIRED
        assert set(span.attributes) <= ALLOWED
        assert span.attributes["http.route"] == self.route
        assert span.attributes["http.request.method"] == "GET"
        assert span.attributes["url.scheme"] == "http"
        assert span.attributes["server.address"] == "127.0.0.1"
        assert span.attributes["server.port"] == 8080
        assert span.attributes["network.protocol.version"] == "1.1"

    @pytest.mark.parametrize(
        ("what", "status", "is_error"),
        [
            ("200", 200, False),
            ("302", 302, False),
            ("400", 400, False),
            ("404", 404, False),
            ("499", 499, False),
            ("missing", 404, False),
            ("forbidden", 403, False),
            ("suspicious", 400, False),
            ("500", 500, True),
            ("503", 503, True),
            ("broken", 500, True),
        ],
    )
    def test_only_a_fault_of_ours_is_an_error(
        self, root_of: Callable[..., SpanData], what: str, status: int, is_error: bool
    ) -> None:
        span = root_of(what)

        assert span.attributes["http.response.status_code"] == status
        assert span.status_code is (StatusCode.ERROR if is_error else StatusCode.UNSET)
        assert ("error.type" in span.attributes) == is_error

    @pytest.mark.parametrize("what", ["200", "missing", "forbidden", "suspicious", "broken", "stream"])
    def test_nothing_of_query_headers_peer_or_an_error_s_text_is_told(
        self, root_of: Callable[..., SpanData], what: str
    ) -> None:
        span = root_of(what)

        told = repr((span.name, dict(span.attributes), span.events, span.status_description))
        assert [each for each in (CANARY, "203.0.113", "54321", "curl") if each in told] == []
        assert (list(span.events), span.status_description) == ([], "")

    def test_the_trace_that_comes_in_goes_on(self, root_of: Callable[..., SpanData]) -> None:
        span = root_of(
            "200", HTTP_TRACEPARENT=f"00-{TRACE}-{PARENT}-01", HTTP_TRACESTATE="vendor=opaque,other=1"
        )

        assert f"{span.context.trace_id:032x}" == TRACE
        assert (f"{span.parent_span_id:016x}", span.is_parent_remote) == (PARENT, True)
        assert dict(span.context.trace_state) == {"vendor": "opaque", "other": "1"}
        assert span.kind is SpanKind.SERVER

    def test_a_malformed_context_begins_a_new_trace(self, root_of: Callable[..., SpanData]) -> None:
        span = root_of("200", HTTP_TRACEPARENT=f"00-{TRACE}-{PARENT}-01-more")

        assert span.context.trace_id not in (0, int(TRACE, 16))
        assert span.parent_span_id == 0

    def test_the_client_is_told_the_trace(self, ask: Callable[..., Answer], sink: Collected) -> None:
        answer = ask("200")
        answer.close()

        ids = sink.spans[-1].context
        expected = f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}"
        assert answer.headers["traceresponse"] == expected

    def test_spans_of_libraries_are_below(self, ask: Callable[..., Answer], sink: Collected) -> None:
        ask("work").close()

        (trace,) = sink.traces
        work, root = trace.spans
        assert (work.name, work.parent_span_id) == ("work", root.context.span_id)

    def test_it_ends_when_the_response_is_closed(self, ask: Callable[..., Answer], sink: Collected) -> None:
        answer = ask("stream")
        assert sink.spans == []
        assert list(answer.body) == [b"one", b"two"]
        assert sink.spans == []

        answer.close()

        assert len(sink.spans) == 1

    def test_a_request_that_is_let_go_leaves_nothing_behind(
        self, ask: Callable[..., Answer], sink: Collected
    ) -> None:
        with pytest.raises(LetGo):
            ask("let-go")
        assert [span.status_code for span in sink.spans] == [StatusCode.ERROR]

        ask("200").close()

        first, second = sink.spans
        assert first.context.trace_id != second.context.trace_id
        assert second.parent_span_id == 0

    def test_methods_that_nobody_knows_do_not_become_names(self, root_of: Callable[..., SpanData]) -> None:
        span = root_of("200", CANARY.upper())

        assert span.attributes["http.request.method"] == "_OTHER"
        assert CANARY.upper() not in span.name

    def test_what_is_refused_early_is_a_span_too(
        self, ask: Callable[..., Answer], sink: Collected, refused: Mapping[str, str]
    ) -> None:
        answer = ask("200", HTTP_TRACEPARENT=f"00-{TRACE}-{PARENT}-01", **refused)
        answer.close()

        assert answer.status == 400
        (span,) = sink.spans
        assert (span.kind, f"{span.parent_span_id:016x}") == (SpanKind.SERVER, PARENT)
        assert span.attributes["http.response.status_code"] == 400
        assert span.status_code is StatusCode.UNSET
        assert set(span.attributes) <= ALLOWED
        assert not [value for value in refused.values() if value in repr((span.name, dict(span.attributes)))]
        assert answer.headers["traceresponse"].startswith(f"00-{TRACE}-")
