"""Real clients with their defaults upload through the gateway; the backend holds the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients.cases import CASES, content_of_size
from tests.e2e.clients.catalogue import CLIENTS
from tests.e2e.clients.target import Client, Target
from tests.e2e.gateway import Site


def uploads() -> Iterator[Any]:
    """Every client and case to the files; to the S3 upstream only what its bodies can make different.

    How a key or an empty body arrives does not depend on the backend, how a backend stores them not on
    the client: there one client is enough.
    """
    for client in CLIENTS:
        for case in client.cases:
            yield pytest.param(client, case, "files", id=f"{client.name}-{case}-files")
            if case in ("small", "large") or client.name == "boto3-put-object":
                yield pytest.param(client, case, "seaweed", id=f"{client.name}-{case}-seaweed")


@pytest.mark.parametrize(("client", "case", "bucket"), [*uploads()])
def test_uploads_arrive_unchanged(
    client: Client,
    case: str,
    bucket: str,
    site: Site,
    target_of: Callable[[Client, str], Target],
    file_of_size: Callable[[int], Path],
    gateway_log: Callable[[], str],
) -> None:
    client.require()
    size = CASES[case].size
    key = f"{client.name}/{CASES[case].key}"

    client.upload(target_of(client, bucket), key, file_of_size(size))

    arrived = site.read(bucket, key)
    # Compared as a fact: a diff of 18 MiB helps nobody.
    assert (len(arrived), arrived == content_of_size(size)) == (size, True)
