"""What pages tell a reader to type does what they show, on the running gateway and with real servers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.docs.pages import ALL, PAGES, ROOT, blocks
from tests.docs.reader import Reader, running_reader
from tests.servers.jaeger import Jaeger
from tests.servers.openfga import OpenFga
from tests.servers.process import needs_built_server
from tests.servers.seaweedfs import SeaweedFS

RUN = [page for page in PAGES if any(block.mark == "run" for block in blocks(page))]


@pytest.fixture(scope="module")
def reader(
    tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS, openfga: OpenFga, jaeger: Jaeger
) -> Iterator[Reader]:
    store = openfga.create_store(json.loads((ROOT / "examples/openfga/model.json").read_text()))
    openfga.write(store, json.loads((ROOT / "examples/openfga/tuples.json").read_text()))
    seaweedfs.client.create_bucket(Bucket="media-behind")
    servers = {8333: seaweedfs.endpoint, 8082: openfga.endpoint, 16686: jaeger.endpoint}
    ports = {page: int(url.rpartition(":")[2]) for page, url in servers.items()}
    environment = {
        "SEAWEED_ACCESS_KEY": seaweedfs.access_key,
        "SEAWEED_SECRET_KEY": seaweedfs.secret_key,
        "OPENFGA_STORE_ID": store.store_id,
    }
    programs = [needs_built_server("opa")]
    folder = tmp_path_factory.mktemp("reader")
    with running_reader(folder, ports | {4317: jaeger.grpc_port}, environment, programs) as running:
        yield running


@pytest.mark.slow
def test_pages_do_what_they_say(reader: Reader, subtests: pytest.Subtests) -> None:
    """One test: pages share the gateway."""
    for page in RUN:
        with subtests.test(page=page.name):
            printed = dict(reader.run(page))
            marked = [block for block in blocks(page) if block.mark in ("run", "output")]
            for block, following in pairwise(marked):
                if following.mark == "output":
                    assert matches(following.text, printed[block]), f"{following}:\n{printed[block]}"


def matches(shown: str, printed: str) -> bool:
    """``...`` is anything, also nothing and many lines; spaces at the ends of lines do not count."""
    pattern = ".*".join(re.escape(piece) for piece in _trimmed(shown).split("..."))
    return re.fullmatch(pattern, _trimmed(printed), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_a_difference_is_seen() -> None:
    assert matches("a ... c\n", "a b\nb c ")
    assert not matches("a ... c\n", "a b\nb d")


def test_quick_start_and_how_to_pages_are_run() -> None:
    names = {block.page.name for block in ALL if block.mark == "run"}
    assert {"quick-start.md", "storages.md", "jwt.md", "policy.md", "presigned.md", "sampling.md"} <= names
