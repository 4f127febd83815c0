"""Real OPA and real OpenFGA keep the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from authz.policy.base import Engine
from authz.policy.opa import Opa
from authz.policy.openfga import OpenFga
from tests.authz.policy.questions import opa_with_policy, openfga_store
from tests.contracts.policy_engine import Build, PolicyEngineContract
from tests.servers.faulty_proxy import FaultyProxy, faulty_proxy
from tests.servers.opa import Opa as OpaServer
from tests.servers.openfga import OpenFga as OpenFgaServer


class TestOpaContract(PolicyEngineContract):
    @pytest.fixture
    def proxy(self, opa: OpaServer) -> Iterator[FaultyProxy]:
        with faulty_proxy(opa.endpoint) as proxy:
            yield proxy

    @pytest.fixture
    def build(self, opa: OpaServer, proxy: FaultyProxy) -> Build:
        config = replace(opa_with_policy(opa), url=proxy.endpoint)

        def build(timeout_seconds: float) -> Engine:
            return Opa(replace(config, timeout_seconds=timeout_seconds))

        return build


class TestOpenFgaContract(PolicyEngineContract):
    @pytest.fixture
    def proxy(self, openfga: OpenFgaServer) -> Iterator[FaultyProxy]:
        with faulty_proxy(openfga.endpoint) as proxy:
            yield proxy

    @pytest.fixture
    def build(self, openfga: OpenFgaServer, proxy: FaultyProxy) -> Build:
        """One object is asked about with Check, two with BatchCheck."""
        config = replace(
            openfga_store(openfga),
            url=proxy.endpoint,
            objects=("bucket:{bucket}", "folder:{bucket}/{folder}"),
        )

        def build(timeout_seconds: float) -> Engine:
            return OpenFga(replace(config, timeout_seconds=timeout_seconds))

        return build
