"""The state of this process's policy engines, for readiness (degraded at most) and for operators."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.permissions import IsAdminUser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authz.apps import authz_app
from authz.policy.bucket_policy import BucketPolicy
from authz.policy.guarded import GuardedEngine
from tracing_app.health.base import Check


def policy_check() -> Check:
    """An engine that is down closes its buckets, and no other: no reason to take this node out, since every
    other node asks the same engine."""
    return Check("policy engines", _probe, is_vital=False)


def engines(policies: Mapping[str, BucketPolicy]) -> Sequence[tuple[GuardedEngine, list[str]]]:
    """Every engine once, with the buckets that ask it."""
    found: dict[int, tuple[GuardedEngine, list[str]]] = {}
    for bucket, policy in policies.items():
        for engine in policy.engines:
            found.setdefault(id(engine), (engine, []))[1].append(bucket)
    return tuple(found.values())


def _probe() -> str:
    """From what requests met lately; asks nobody."""
    known = engines(authz_app().authorizer.policies)
    down = [f"{engine.name} at {engine.where}: {engine.outage}" for engine, _ in known if engine.outage]
    if down:
        raise RuntimeError("; ".join(down))
    return f"{len(known)} engines" if known else "no bucket has a policy"


class PolicyHealthView(APIView):
    """``/health/authz``: numbers of the worker process that answers, for staff of the admin.

    What went wrong last names hosts, so it is not for everybody. Times are Unix seconds.
    """

    authentication_classes = [SessionAuthentication, BasicAuthentication]
    permission_classes = [IsAdminUser]
    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        known = engines(authz_app().authorizer.policies)
        return Response({"engines": [dataclasses.asdict(engine.stats(buckets)) for engine, buckets in known]})
