"""A node with two workers and a real Prometheus: what it scrapes, asks, keeps and shows is what happened."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.endurance.node import READY_SECONDS, Node, running_node
from tests.endurance.retrying import client_of
from tests.endurance.sending import RawClient
from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.servers.process import free_ports, running_server, unavailable

pytestmark = pytest.mark.slow

TOKEN = "a-token-of-the-tests-0123456789"
UPLOADS = 12
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
SCRAPE = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: mizuchi
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
    authorization: {{type: Bearer, credentials: {token}}}
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver("http/protobuf") as running:
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, receiver: OtlpReceiver) -> Iterator[Node]:
    sections = {
        "tracing": {"otlp": {"endpoint": receiver.endpoint, "protocol": "http/protobuf"}},
        "metrics": {"token": TOKEN, "otlp": {"enabled": True, "interval_seconds": 1}},
    }
    with running_node(Node(tmp_path_factory.mktemp("metrics") / "node", sections=sections)) as running:
        running.wait(lambda: value(running, "mizuchi_workers") == 2, "at work", READY_SECONDS)
        upload(running)
        running.wait(lambda: uploads(running) == UPLOADS, "counted")
        # A test kills the workers: what they have not exported by then is lost with them.
        running.wait(lambda: len(set(receiver.trace_ids())) >= UPLOADS, "exported")
        yield running


@pytest.fixture(scope="module")
def prometheus(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Asks the HTTP API of a Prometheus that scrapes the node."""
    if not shutil.which("prometheus"):
        unavailable("prometheus is not installed")
    folder, (port,) = tmp_path_factory.mktemp("prometheus"), free_ports(1)
    (folder / "prometheus.yml").write_text(SCRAPE.format(port=node.port, token=TOKEN))
    command = [
        *("prometheus", f"--web.listen-address=127.0.0.1:{port}", "--config.file=prometheus.yml"),
        *("--storage.tsdb.path=data", "--enable-feature=exemplar-storage"),
    ]

    def ask(path: str, **query: str) -> Any:
        url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url) as answer:
            return json.load(answer)["data"]

    def is_up() -> bool:
        try:
            return bool(ask("query", query='up{job="mizuchi"} == 1')["result"])
        except OSError:
            return False

    with running_server(command, log=folder / "log", is_ready=is_up):
        yield ask


def upload(node: Node) -> None:
    """Over connections of their own, so that both workers have some; then one with a wrong secret."""
    for number in range(UPLOADS):
        assert client_of(node).put(f"/files/{number}", [b"content"], 7).status == 200
    stranger = RawClient(node.endpoint, "AKENDURANCE", "x" * 40)
    assert stranger.put("/files/strange", [b"content"], 7).status == 403


def scraped(node: Node, accept: str = "text/plain", token: str = TOKEN) -> str:
    headers = {"Accept": accept, "Authorization": f"Bearer {token}"}
    with urllib.request.urlopen(
        urllib.request.Request(f"{node.endpoint}/metrics", headers=headers)
    ) as answer:
        shown: bytes = answer.read()
    return shown.decode()


def value(node: Node, series: str) -> float:
    """0 when there is none."""
    lines = [line for line in scraped(node).splitlines() if line.startswith(f"{series} ")]
    return float(lines[0].rpartition(" ")[2]) if lines else 0.0


def uploads(node: Node) -> float:
    return value(node, 'mizuchi_uploads_total{bucket="files",method="simple"}')


def test_promtool_has_nothing_to_say_against_it(node: Node) -> None:
    if not shutil.which("promtool"):
        unavailable("promtool is not installed")
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=scraped(node), capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_every_worker_is_in_it(node: Node) -> None:
    node.wait(lambda: value(node, "mizuchi_workers") == 2, "at work")
    assert value(node, 'mizuchi_exporter_state{exporter="collector",state="healthy"}') == 2
    refused = 'mizuchi_authentications_total{method="sigv4",outcome="failure",code="SignatureDoesNotMatch"}'
    assert value(node, refused) == 1
    received = 'mizuchi_request_body_size_bytes_sum{method="PUT",operation="PutObject",bucket="files"}'
    assert value(node, received) == 7 * UPLOADS


def test_nobody_reads_it_without_the_token(node: Node) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        scraped(node, token="another")


def test_prometheus_has_numbers_and_traces_that_exist(
    node: Node, receiver: OtlpReceiver, prometheus: Callable[..., Any]
) -> None:
    (counted,) = prometheus("query", query="sum(mizuchi_uploads_total)")["result"]
    assert float(counted["value"][1]) == UPLOADS
    query = {"query": "mizuchi_request_duration_seconds_bucket", "start": "0", "end": "9999999999"}
    examples = [each for series in prometheus("query_exemplars", **query) for each in series["exemplars"]]
    ids = {int(each["labels"]["trace_id"], 16) for each in examples}
    assert ids
    node.wait(lambda: ids <= set(receiver.trace_ids()), "exported")


def test_a_collector_has_them_once_for_the_node(node: Node, receiver: OtlpReceiver) -> None:
    def latest() -> dict[str, Any]:
        (of_node,) = receiver.metric_requests[-1].resource_metrics
        return {metric.name: metric for metric in of_node.scope_metrics[0].metrics}

    def counted() -> float:
        return sum(point.as_double for point in latest()["mizuchi.uploads"].sum.data_points)

    node.wait(lambda: bool(receiver.metric_requests) and counted() == UPLOADS, "sent")
    names = ("service.instance.id", "service.name")
    senders = {
        tuple(each.value.string_value for each in of_node.resource.attributes if each.key in names)
        for request in receiver.metric_requests
        for of_node in request.resource_metrics
    }
    assert len(senders) == 1
    (point, *_) = latest()["http.server.request.duration"].histogram.data_points
    attributes = {each.key: each.value for each in point.attributes}
    assert attributes["http.request.method"].string_value == "PUT"
    assert attributes["url.scheme"].string_value == "http"
    assert attributes["http.response.status_code"].int_value in (200, 403)


def test_what_a_worker_counted_outlives_it(node: Node) -> None:
    for pid in node.workers():
        node.kill_worker(pid)
        node.wait_until_replaced(pid, 2)
        assert uploads(node) == UPLOADS
    assert value(node, "mizuchi_worker_replacements_total") == 2
