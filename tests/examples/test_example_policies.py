"""The policies to start from do what they say: by their own tests, and asked by the gateway's engines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from authz.config import OpaConfig, OpenFgaConfig
from authz.policy.opa import Opa
from authz.policy.openfga import OpenFga
from tests.authz.policy.questions import identity, question
from tests.servers.opa import Opa as OpaServer
from tests.servers.openfga import OpenFga as OpenFgaServer
from tests.servers.process import free_ports, running_server

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
REGO = EXAMPLES / "opa"
FGA = EXAMPLES / "openfga"
ANNE = "jwt:https://id.example.org#anne"
MALLORY = "jwt:https://id.example.org#mallory"


@pytest.mark.parametrize("words", [["test"], ["check", "--strict"], ["fmt", "--list", "--fail"]], ids=str)
def test_the_rego_package_keeps_its_own_tests(opa: OpaServer, words: Sequence[str]) -> None:
    ended = subprocess.run([opa.program, *words, REGO], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_rego_package_is_covered_by_its_tests(opa: OpaServer) -> None:
    ended = subprocess.run(
        [opa.program, "test", "--coverage", REGO], capture_output=True, text=True, check=True
    )

    assert json.loads(ended.stdout)["coverage"] == 100


@pytest.fixture(scope="module")
def package(opa: OpaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opa]:
    """The engine of the gateway, before an OPA that was started as the package says."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        try:
            return httpx.get(f"{url}/health").status_code == 200
        except httpx.TransportError:
            return False

    command = [opa.program, "run", "--server", "--addr", f"127.0.0.1:{port}", "--skip-version-check", REGO]
    with running_server(command, log=tmp_path_factory.mktemp("example") / "log", is_ready=is_ready):
        engine = Opa(OpaConfig(url))
        yield engine
        engine.close()


@pytest.mark.parametrize(
    ("subject", "principal", "groups", "key", "reason"),
    [
        ("ci-robot", "ci-robot", (), "builds/1", "granted"),
        ("ci-robot", "ci-robot", (), "other/1", "key outside of the grant"),
        ("ci-robot", ANNE, (), "builds/1", "bucket not granted"),
        ("anne", ANNE, ("staff",), "users/anne/1", "granted"),
        ("anne", ANNE, ("staff",), "users/bob/1", "key outside of the grant"),
        ("anne", ANNE, ("staff", "editors"), "users/bob/1", "granted"),
        ("mallory", MALLORY, ("staff",), "users/mallory/1", "quarantined"),
    ],
    ids=range(7),
)
def test_the_gateway_understands_the_package(
    package: Opa, subject: str, principal: str, groups: tuple[str, ...], key: str, reason: str
) -> None:
    who = identity(subject, principal=principal, groups=groups)
    answer = package.ask(question(identity=who, key=key))

    assert (answer.is_allowed, answer.reason) == (reason == "granted", reason)


@pytest.fixture(scope="module")
def store(openfga: OpenFgaServer) -> Iterator[OpenFga]:
    """The engine of the gateway, configured as the model says, before a store with the tuples."""
    made = openfga.create_store(json.loads((FGA / "model.json").read_text()))
    openfga.write(made, json.loads((FGA / "tuples.json").read_text()))
    engine = OpenFga(
        OpenFgaConfig(
            openfga.endpoint,
            made.store_id,
            made.model_id,
            objects=("bucket:{bucket}", "folder:{bucket}/{folder}"),
            user="user:{principal}",
            group="group:{group}",
            relations={"AbortMultipartUpload": "owner"},
        )
    )
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("principal", "groups", "key", "operation", "is_allowed"),
    [
        ("ci-robot", (), "any/1", "PutObject", True),
        ("ci-robot", (), "top", "PutObject", True),
        ("ci-robot", (), "any/1", "AbortMultipartUpload", False),
        ("bob", (), "shared/1", "PutObject", False),
        ("bob", ("staff",), "shared/1", "PutObject", True),
        ("bob", ("staff",), "shared/2026/1", "PutObject", True),
        ("bob", ("staff",), "shared/2026/deeper/1", "PutObject", False),
        ("bob", ("staff",), "other/1", "PutObject", False),
        ("bob", ("staff",), "top", "PutObject", False),
        (ANNE, (), "users/anne/1", "UploadPart", True),
        (ANNE, (), "users/anne/1", "AbortMultipartUpload", True),
        (ANNE, (), "users/bob/1", "UploadPart", False),
        (MALLORY, (), "users/anne/1", "UploadPart", False),
        ("root", ("admins",), "any/1", "AbortMultipartUpload", True),
    ],
    ids=range(14),
)
def test_the_model_and_its_tuples(
    store: OpenFga, principal: str, groups: tuple[str, ...], key: str, operation: str, is_allowed: bool
) -> None:
    who = identity(principal, principal=principal, groups=groups)

    assert store.ask(question(identity=who, key=key, operation=operation)).is_allowed is is_allowed


def test_the_model_for_readers_is_the_model_for_the_server() -> None:
    model = json.loads((FGA / "model.json").read_text())
    readable = [
        line
        for line in (FGA / "model.fga").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]

    assert readable == [
        "model",
        "  schema 1.1",
        *(line for kind in model["type_definitions"] for line in fga(kind)),
    ]


def fga(kind: Mapping[str, Any]) -> Iterator[str]:
    """A type in OpenFGA's own language."""
    yield f"type {kind['type']}"
    if "relations" in kind:
        yield "  relations"
    for name, rewrite in kind.get("relations", {}).items():
        direct = kind["metadata"]["relations"][name]["directly_related_user_types"]
        types = ", ".join("#".join(each.values()) for each in direct)
        terms = rewrite["union"]["child"] if "union" in rewrite else [rewrite]
        yield f"    define {name}: {' or '.join(term(each, types) for each in terms)}"


def term(rewrite: Mapping[str, Any], types: str) -> str:
    match rewrite:
        case {"this": _}:
            return f"[{types}]"
        case {"computedUserset": {"relation": relation}}:
            return str(relation)
        case {
            "tupleToUserset": {"computedUserset": {"relation": relation}, "tupleset": {"relation": through}}
        }:
            return f"{relation} from {through}"
    raise AssertionError(rewrite)
