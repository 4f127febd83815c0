from __future__ import annotations

from dataclasses import replace

from authz.config import OpaConfig, OpenFgaConfig, PolicyBreakerConfig, PolicyConfig
from authz.policy.factory import build_policies

OPA = OpaConfig("http://127.0.0.1:8181")
FGA = OpenFgaConfig("http://127.0.0.1:8080", "01HVMMBCMGZNT3SED4Z17ECXCA", relations={"UploadPart": "w"})


def test_buckets_that_ask_the_same_engine_share_it() -> None:
    one = PolicyConfig(opa=OPA, openfga=FGA)
    built = build_policies(
        {
            "one": one,
            "same": replace(one, mode="any_of", openfga=replace(FGA)),
            "other": PolicyConfig(opa=replace(OPA, path="/v1/data/x/y"), openfga=FGA),
            "shorter": replace(one, breaker=PolicyBreakerConfig(failures=1)),
        }
    )

    opa, openfga = built["one"].engines
    assert (opa.name, openfga.name) == ("opa", "openfga")
    assert built["same"].engines == (opa, openfga)
    assert built["other"].engines[0] is not opa
    assert built["other"].engines[1] is openfga
    assert set(built["shorter"].engines).isdisjoint({opa, openfga})
