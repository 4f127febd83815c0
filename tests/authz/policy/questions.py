"""Questions to policy engines, and the real engines set up to answer them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from authz.config import OpaConfig, OpenFgaConfig
from authz.decisions import PolicyQuestion
from authz.identity import Identity
from tests.servers.opa import Opa
from tests.servers.openfga import OpenFga

REGO = """
package %s

allow := {"allow": permitted, "reason": "only writers of the bucket"}

default permitted := false
permitted if input.subject in {"anne", "kay"}
permitted if {some group in input.groups; group == "staff"}
permitted if startswith(input.resource.key, "open/")
"""

USERS = [{"type": "user"}, {"type": "user", "wildcard": {}}, {"type": "group", "relation": "member"}]


def direct(kinds: list[dict[str, Any]], relation: str) -> dict[str, Any]:
    """A relation that is written as tuples."""
    return {
        "relations": {relation: {"this": {}}},
        "metadata": {"relations": {relation: {"directly_related_user_types": kinds}}},
    }


MODEL = {
    "schema_version": "1.1",
    "type_definitions": [
        {"type": "user"},
        {"type": "group", **direct([{"type": "user"}], "member")},
        {"type": "bucket", **direct(USERS, "writer")},
        {"type": "folder", **direct(USERS, "writer")},
    ],
}
TUPLES = [
    ("user:anne", "writer", "bucket:uploads"),
    ("user:kay", "writer", "bucket:uploads"),
    ("group:staff#member", "writer", "bucket:uploads"),
    ("user:*", "writer", "folder:uploads/open"),
    ("user:*", "writer", "bucket:public"),
]


def identity(subject: str = "anne", **more: Any) -> Identity:
    return Identity(**{"principal": f"jwt:{subject}", "method": "jwt", "subject": subject} | more)


def question(subject: str = "anne", *, groups: tuple[str, ...] = (), **more: Any) -> PolicyQuestion:
    """May she put an object into ``uploads``?"""
    asked: dict[str, Any] = {
        "identity": identity(subject, groups=groups),
        "action": "s3:PutObject",
        "bucket": "uploads",
        "key": "a/b.txt",
        "operation": "PutObject",
        "method": "PUT",
        "size": 5,
        "content_type": "text/plain",
        "client_ip": "192.0.2.7",
        "request_id": uuid.uuid4().hex,
    }
    return PolicyQuestion(**asked | more)


def opa_with_policy(opa: Opa, rego: str = REGO) -> OpaConfig:
    """A package of its own at a real OPA."""
    package = f"p{uuid.uuid4().hex}"
    opa.put_policy(package, rego % package)
    return OpaConfig(opa.endpoint, f"/v1/data/{package}/allow")


def openfga_store(openfga: OpenFga, more: Sequence[tuple[str, str, str]] = ()) -> OpenFgaConfig:
    """A store of its own at a real OpenFGA, with ``more`` tuples (user, relation, object)."""
    store = openfga.create_store(MODEL)
    tuples = [*TUPLES, *more]
    openfga.write(store, [dict(zip(("user", "relation", "object"), each, strict=True)) for each in tuples])
    return OpenFgaConfig(openfga.endpoint, store.store_id, store.model_id, group="group:{group}")
