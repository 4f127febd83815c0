"""Addresses of a trace on the collector's own pages."""

from __future__ import annotations

import re

import pytest

from tracing_app.ui_url import check_ui_url, ui_url

TRACE = "0af7651916cd43dd8448eb211c80319c"
GRAFANA = "https://grafana.example/explore?panes=%7B%22query%22:%22{trace_id}%22%7D"


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("http://jaeger:16686/trace/{trace_id}", f"http://jaeger:16686/trace/{TRACE}"),
        ("https://[::1]/#/{trace_id}", f"https://[::1]/#/{TRACE}"),
        (GRAFANA, f"https://grafana.example/explore?panes=%7B%22query%22:%22{TRACE}%22%7D"),
        ("http://x/{trace_id}?again={trace_id}", f"http://x/{TRACE}?again={TRACE}"),
    ],
    ids=["jaeger", "fragment", "grafana", "twice"],
)
def test_the_trace_id_is_put_in(template: str, url: str) -> None:
    check_ui_url(template)
    assert ui_url(template, TRACE) == url


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("jaeger:16686/trace/{trace_id}", "http:// or https://"),
        ("javascript:alert('{trace_id}')", "http:// or https://"),
        ("//jaeger/{trace_id}", "http:// or https://"),
        ("file:///{trace_id}", "http:// or https://"),
        ("http:///trace/{trace_id}", "no host"),
        ("http://{trace_id}/", "after the host"),
        ("http://{trace_id}.jaeger/{trace_id}", "after the host"),
        ("http://jaeger:16686/trace/", "{trace_id} is missing"),
        ("http://jaeger/{traceid}/{trace_id}", "%7B"),
        ("http://jaeger/{}/{trace_id}", "%7B"),
        ("http://me:secret@jaeger/{trace_id}", "credentials"),
        ("http://jaeger:port/{trace_id}", "port"),
        ("http://jaeger/a b/{trace_id}", "percent-encoded"),
        ("http://jaeger/\n{trace_id}", "percent-encoded"),
        ('http://jaeger/"onclick={trace_id}', "percent-encoded"),
        ("http://jaeger/%zz/{trace_id}", "percent-encoded"),
        ("http://jaeger/%{trace_id}", "percent-encoded"),
        ("http://jäger/{trace_id}", "percent-encoded"),
        ("http://jae<ger/{trace_id}", "percent-encoded"),
        ("http://[jaeger/{trace_id}", "host"),
    ],
)
def test_what_cannot_be_an_address_is_refused(template: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)) as refused:
        check_ui_url(template)
    assert "secret" not in str(refused.value)
