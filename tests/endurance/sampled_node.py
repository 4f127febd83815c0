"""A gateway with two workers that samples and exports to a collector, and parts of which are away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizuchi_site.bench.null_s3 import running_null_s3
from tests.endurance.collecting import Collector
from tests.endurance.node import Node, running_node
from tests.servers.process import free_ports

NULL = {"backend": "s3", "region": "us-east-1", "access_key": "AKNULL", "secret_key": "null-secret"}


@dataclass(frozen=True, slots=True)
class SampledNode:
    """Buckets: ``files`` is a folder; ``remote`` an S3 service that is there until ``end_remote``; where the
    policy engine of ``guarded`` should be is nobody."""

    node: Node
    end_remote: Callable[[], None]


@contextmanager
def sampled_node(
    folder: Path, collector: Collector, sampling: Mapping[str, Any], *, body_stall_seconds: float = 30
) -> Iterator[SampledNode]:
    """It runs until the block ends. ``sampling`` is ``tracing.sampling``, all else as it is by default."""
    node = Node(folder / "node", server={"threads": 32, "body_stall_seconds": body_stall_seconds})
    with ExitStack() as remote:
        endpoint = remote.enter_context(running_null_s3())
        nobody = f"http://127.0.0.1:{free_ports(1)[0]}"
        node.sections = {
            "storages": {
                "disk": {"backend": "filesystem", "location": str(node.objects.parent)},
                "remote": {**NULL, "endpoint": endpoint},
            },
            "buckets": [
                {"name": "files", "storage": "disk"},
                {"name": "remote", "storage": "remote", "target": "null"},
                {"name": "guarded", "storage": "disk", "authz": {"opa": {"url": nobody}}},
            ],
            "tracing": {"otlp": collector.otlp, "sampling": dict(sampling)},
        }
        node.configure()
        with running_node(node):
            yield SampledNode(node, remote.close)
