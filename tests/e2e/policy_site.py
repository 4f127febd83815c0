"""A running gateway whose buckets ask real policy engines, each through a proxy that can misbehave."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jwt

from tests.authz.policy.questions import openfga_store
from tests.e2e.gateway import FILES, SEAWEED, Gateway, running_gateway
from tests.e2e.traced import Traced
from tests.e2e.wire.scene import Scene
from tests.servers.faulty_proxy import FaultyProxy, Pass, faulty_proxy
from tests.servers.opa import Opa
from tests.servers.openfga import OpenFga
from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.servers.seaweedfs import SeaweedFS

EVERY, SHADOW, OPEN, TOKENS, RELATED = "every", "shadow", "open", "tokens", "related"
SECRET = secrets.token_hex(32)
TIMEOUT_SECONDS = 1.0
RESET_SECONDS = 1.0
FAILURES = 3
# It says more than it should of whom it decides about: that must go no further than the operator.
REGO = """
package gateway

allow := {"allow": permitted, "reason": sprintf("%s, %v, %v", [input.subject, input.claims, input.resource])}

default permitted := false
permitted if {input.subject == "end-to-end"; not startswith(input.resource.key, "closed/")}
permitted if {input.subject == "end-to-end"; input.resource.key == null}
permitted if input.claims.department == "gold"
"""


@dataclass(frozen=True, slots=True)
class PolicySite:
    """``files`` and ``seaweed`` ask OPA and OpenFGA (all_of); ``every`` OPA, remembering nothing;
    ``shadow`` both, and obeys neither; ``open`` fails open; ``tokens`` takes tokens and asks OPA; ``related``
    OpenFGA about folders. The owner may not write below ``closed/`` where one alone is asked, the neighbour
    nowhere."""

    gateway: Gateway
    opa: FaultyProxy
    openfga: FaultyProxy
    receiver: OtlpReceiver

    @property
    def traced(self) -> Traced:
        return Traced(self.gateway, self.receiver)

    def scene(self, bucket: str = FILES) -> Scene:
        return Scene(self.gateway, bucket)

    def closed(self, bucket: str) -> Scene:
        """Where the owner may not write."""
        return Scene(self.gateway, bucket, key=f"closed/{uuid.uuid4().hex}")

    def operations(self) -> list[str]:
        """What OPA was asked about, in order."""
        return [json.loads(seen.body)["input"]["context"]["operation"] for seen in self.opa.seen]

    def decisions(self, request_id: str) -> list[dict[str, Any]]:
        """The recorded decisions of a request, once one is there."""
        query = "SELECT * FROM authz_policydecision WHERE request_id = ?"
        with closing(sqlite3.connect(f"file:{self.gateway.database}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            found: list[dict[str, Any]] = wait_for(
                lambda: [dict(row) for row in connection.execute(query, (request_id,))]
            )
            return found


def wait_for(find: Callable[[], Any], seconds: float = 10) -> Any:
    """What ``find`` gives, once it is something."""
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline, "it has not come"
        time.sleep(0.05)
    return found


def token(subject: str, **claims: Any) -> str:
    """Good for the bucket ``tokens``."""
    now = int(time.time())
    return jwt.encode({"sub": subject, "iat": now, "exp": now + 300, **claims}, SECRET, "HS256")


def heal(site: PolicySite) -> None:
    """All answer, nothing was asked, and no breaker is open any more."""
    for proxy in (site.opa, site.openfga):
        proxy.stop()
        proxy.behaviour = Pass()
        proxy.start()
    for bucket in (EVERY, RELATED, FILES):  # each configuration of an engine has a breaker of its own
        wait_for(lambda bucket=bucket: site.scene(bucket).call("HEAD").status == 404)
    for proxy in (site.opa, site.openfga):
        proxy.seen.clear()


@contextmanager
def running_policy_site(
    folder: Path, upstream: SeaweedFS, opa: Opa, openfga: OpenFga
) -> Iterator[PolicySite]:
    opa.put_policy("gateway", REGO)
    writable = (f"bucket:{FILES}", f"bucket:{SEAWEED}", f"bucket:{SHADOW}", f"folder:{RELATED}/refused")
    store = openfga_store(openfga, [("user:end-to-end", "writer", name) for name in writable])
    target = upstream.create_bucket("policy")
    with faulty_proxy(opa.endpoint) as opa_proxy, faulty_proxy(openfga.endpoint) as openfga_proxy:
        opa_section = {
            "url": opa_proxy.endpoint,
            "path": "/v1/data/gateway/allow",
            "timeout_seconds": TIMEOUT_SECONDS,
        }
        every = opa_section | {"cache_ttl_seconds": 0}
        openfga_section = {
            "url": openfga_proxy.endpoint,
            "store_id": store.store_id,
            "timeout_seconds": TIMEOUT_SECONDS,
        }
        breaker = {"failures": FAILURES, "reset_seconds": RESET_SECONDS}
        related = openfga_section | {"object": "folder:{bucket}/{folder}", "cache_ttl_seconds": 0}
        both = {"opa": opa_section, "openfga": openfga_section, "breaker": breaker}
        rule = {
            "algorithms": ["HS256"],
            "secret": SECRET,
            "claims": ["department", "email"],
            "groups_claim": "groups",
        }
        buckets = [
            {"name": FILES, "authz": both},
            {"name": SEAWEED, "storage": "upstream", "target": target, "authz": both},
            {"name": EVERY, "authz": {"opa": every, "breaker": breaker}},
            {"name": SHADOW, "authz": both | {"mode": "shadow", "opa": every}},
            {"name": OPEN, "authz": {"opa": every, "fails_open": True, "breaker": breaker}},
            {"name": TOKENS, "authz": {"opa": every, "breaker": breaker}, "auth": {"jwt": rule}},
            {"name": RELATED, "authz": {"openfga": related, "breaker": breaker}},
        ]
        with otlp_receiver("http/protobuf") as receiver:
            sections = {
                "server": {"workers": 1},
                "logging": {"otlp": True},
                "buckets": [{"storage": "disk"} | bucket for bucket in buckets],
                "tracing": {
                    "otlp": {"endpoint": receiver.endpoint, "protocol": "http/protobuf"},
                    "batch": {"scheduled_delay_millis": 100},
                },
            }
            with running_gateway(folder, upstream, sections) as gateway:
                yield PolicySite(replace(gateway, upstream_bucket=target), opa_proxy, openfga_proxy, receiver)
