"""``authz_explain`` and ``authz_check`` ask real engines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from authz.config import BucketAuth, JwksConfig, JwtConfig, OpaConfig, OpenFgaConfig, PolicyConfig
from tests.authz.policy.questions import opa_with_policy, openfga_store
from tests.servers.faulty_proxy import Answer, FaultyProxy, Hang, faulty_proxy
from tests.servers.oidc import Issuer, running_issuer
from tests.servers.opa import Opa
from tests.servers.openfga import OpenFga
from tests.servers.otlp_receiver import refused_port

ANNE = ("--subject", "anne", "--bucket", "guarded", "--key", "a.txt", "--action", "s3:PutObject")
BOB = ("--subject", "bob", *ANNE[2:])
REGO = """
package %s
default allow := {"allow": false, "reason": "nobody we know"}
allow := {"allow": true, "reason": "gold"} if input.claims.tier == "gold"
allow := {"allow": true, "reason": sprintf("because %%v is anne", [input.subject])} if input.subject == "anne"
"""
Configure = Callable[..., None]


@pytest.fixture
def configure(settings: Settings) -> Configure:
    def configure(policy: PolicyConfig | None, rules: BucketAuth | None = None) -> None:
        policies = {} if policy is None else {"guarded": policy}
        settings.AUTHZ = replace(
            settings.AUTHZ, buckets={"guarded": rules or BucketAuth()}, policies=policies
        )

    return configure


@pytest.fixture
def opa_config(opa: Opa) -> OpaConfig:
    return opa_with_policy(opa, REGO)


@pytest.fixture
def fga_config(openfga: OpenFga) -> OpenFgaConfig:
    return replace(openfga_store(openfga), objects=("bucket:uploads",))


@pytest.fixture
def proxy() -> Iterator[FaultyProxy]:
    with faulty_proxy("http://127.0.0.1:9") as proxy:
        yield proxy


def run(command: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    out, err = StringIO(), StringIO()
    try:
        call_command(command, *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def first_words(out: str) -> list[list[str]]:
    return [line.split()[:2] for line in out.splitlines()]


def test_both_allow(configure: Configure, opa_config: OpaConfig, fga_config: OpenFgaConfig) -> None:
    configure(PolicyConfig(opa=opa_config, openfga=fga_config))

    code, out, _ = run("authz_explain", *ANNE)

    assert code == 0
    assert first_words(out) == [
        ["scope", "allow"],
        ["opa", "allow"],
        ["openfga", "allow"],
        ["together", "allow"],
    ]
    assert "because anne is anne" in out, "the operator is shown the policy's own words"


def test_one_denies_and_the_other_is_asked_nevertheless(
    configure: Configure, opa_config: OpaConfig, fga_config: OpenFgaConfig
) -> None:
    configure(PolicyConfig(opa=opa_config, openfga=fga_config))

    code, out, _ = run("authz_explain", *BOB)

    assert code == 1
    assert [words[1] for words in first_words(out)] == ["allow", "deny", "deny", "deny"]
    assert "opa nobody we know" in out


def test_any_of_and_groups(configure: Configure, opa_config: OpaConfig, fga_config: OpenFgaConfig) -> None:
    configure(PolicyConfig("any_of", opa=opa_config, openfga=fga_config))

    assert run("authz_explain", *BOB)[0] == 1
    code, out, _ = run("authz_explain", *BOB, "--groups", "staff", "other")

    assert code == 0
    assert [words[1] for words in first_words(out)] == ["allow", "deny", "allow", "allow"]


def test_claims_as_far_as_the_bucket_lets_them_through(configure: Configure, opa_config: OpaConfig) -> None:
    rule = JwtConfig(("HS256",), secret="x" * 32, issuers=("https://id",), claims=("tier",))
    configure(PolicyConfig(opa=opa_config), BucketAuth(jwt=rule))
    assert run("authz_explain", *BOB, "--claims", '{"tier": "gold"}')[0] == 0

    configure(PolicyConfig(opa=opa_config), BucketAuth(jwt=replace(rule, claims=())))
    assert run("authz_explain", *BOB, "--claims", '{"tier": "gold"}')[0] == 1


def test_what_no_policy_can_widen(configure: Configure, opa_config: OpaConfig) -> None:
    configure(PolicyConfig(opa=opa_config), BucketAuth(key_template="users/{subject}/"))

    assert run("authz_explain", *ANNE[:4], "--key", "users/anne/a", "--action", "s3:PutObject")[0] == 0
    code, out, _ = run("authz_explain", *ANNE)
    assert (code, first_words(out)[0]) == (1, ["scope", "deny"])
    assert "no policy can widen it" in out


def test_an_engine_that_does_not_answer(configure: Configure, opa_config: OpaConfig) -> None:
    with refused_port() as port:
        down = OpaConfig(f"http://127.0.0.1:{port}")
        configure(PolicyConfig(opa=down))
        code, out, _ = run("authz_explain", *ANNE)
        assert (code, first_words(out)[1:]) == (2, [["opa", "error"], ["together", "error"]])
        assert f"127.0.0.1:{port} refuses connections" in out

        configure(PolicyConfig(opa=down, fails_open=True))
        code, out, _ = run("authz_explain", *ANNE)
        assert code == 0
        assert "fails open" in out


def test_shadow_is_not_obeyed(configure: Configure, opa_config: OpaConfig) -> None:
    configure(PolicyConfig("shadow", opa=opa_config))

    code, out, _ = run("authz_explain", *BOB)

    assert code == 0
    assert "shadow: deny is recorded and not obeyed (opa nobody we know)" in out


def test_as_json(configure: Configure, opa_config: OpaConfig, fga_config: OpenFgaConfig) -> None:
    configure(PolicyConfig(opa=opa_config, openfga=fga_config))

    code, out, _ = run("authz_explain", *BOB, "--json", "--operation", "UploadPart", "--size", "5")
    report = json.loads(out)

    assert (code, report["outcome"], report["is_enforced"]) == (1, "deny", True)
    assert report["scope"]["is_allowed"]
    assert [(each["engine"], each["outcome"]) for each in report["engines"]] == [
        ("opa", "deny"),
        ("openfga", "deny"),
    ]
    assert all(each["seconds"] > 0 for each in report["engines"])


def test_a_bucket_without_a_policy(configure: Configure) -> None:
    configure(None)

    code, out, _ = run("authz_explain", *ANNE)

    assert (code, first_words(out)) == (0, [["scope", "allow"], ["together", "allow"]])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*ANNE, "--bucket", "nowhere"), "There is no bucket 'nowhere'. Known: guarded."),
        ((*ANNE, "--claims", "[]"), "--claims must be a JSON object"),
        ((*ANNE, "--claims", "{"), "--claims must be a JSON object"),
    ],
    ids=["bucket", "list", "no-json"],
)
def test_what_cannot_be_asked(configure: Configure, arguments: tuple[str, ...], said: str) -> None:
    configure(None)

    with pytest.raises(CommandError, match="^" + said):
        call_command("authz_explain", *arguments)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as issuer:
        yield issuer


def keys_of(issuer: Issuer) -> BucketAuth:
    jwks = JwksConfig(timeout_seconds=1)
    return BucketAuth(jwt=JwtConfig(("ES256",), jwks_url=issuer.jwks_url, jwks=jwks))


def test_all_services_answer(
    configure: Configure, opa_config: OpaConfig, fga_config: OpenFgaConfig, issuer: Issuer
) -> None:
    fga_config = replace(fga_config, relations={"UploadPart": "writer", "s3:ListBucket": "writer"})
    configure(PolicyConfig(opa=opa_config, openfga=fga_config), keys_of(issuer))

    code, out, _ = run("authz_check")

    assert code == 0, out
    assert first_words(out) == [["opa", "ok"], *[["openfga", "ok"]] * 3, ["jwks", "ok"]]


def test_nothing_to_check(configure: Configure) -> None:
    configure(None)

    assert run("authz_check")[0] == 2


OPA_ANSWERS: dict[str, tuple[Any, str]] = {
    "undefined": (Answer(200, b"{}"), "check opa.path, or whether the policy is loaded"),
    "unauthorized": (Answer(401), "check token"),
    "no-such-path": (Answer(404), "check the url, path"),
    "no-decision": (Answer(200, b'{"result": {"allow": "x"}}'), "rule that is true or false"),
    "conflict": (Answer(500, b'{"errors": [{"code": "eval_conflict_error"}]}'), "Run opa test"),
    "unknown": (Answer(502), "own log"),
    "hangs": (Hang(), "did not answer in time"),
}


@pytest.mark.parametrize(("behaviour", "advice"), OPA_ANSWERS.values(), ids=OPA_ANSWERS)
def test_what_is_wrong_and_what_to_do(
    configure: Configure, proxy: FaultyProxy, behaviour: Any, advice: str
) -> None:
    proxy.behaviour = behaviour
    configure(PolicyConfig(opa=OpaConfig(proxy.endpoint, token="s3cr3t", timeout_seconds=0.3)))

    code, out, _ = run("authz_check")

    assert (code, first_words(out)[0]) == (1, ["opa", "failed"])
    assert advice.lower() in out.lower()
    assert "s3cr3t" not in out


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"relation": "reader"}, "check relation"),
        ({"relations": {"UploadPart": "part_writer"}}, "check relation"),
        ({"objects": ("room:{bucket}",)}, "check relation, relations, object"),
        ({"store_id": "01HVMMBCMGZNT3SED4Z17ECXCA", "model_id": None}, "the model"),
        ({"objects": ("bucket:{bucket}", "room:{bucket}")}, "does not understand a question"),
    ],
    ids=["relation", "relations", "type", "store", "batch"],
)
def test_a_model_that_does_not_fit(
    configure: Configure, fga_config: OpenFgaConfig, changes: dict[str, Any], advice: str
) -> None:
    configure(PolicyConfig(openfga=replace(fga_config, **changes)))

    code, out, _ = run("authz_check", "--json")
    steps = json.loads(out)["services"]

    assert code == 1
    assert any(advice in step["advice"] for step in steps), steps


@pytest.mark.parametrize("behaviour", ["down", "garbage", "error", "redirect"])
def test_keys_that_cannot_be_had(configure: Configure, issuer: Issuer, behaviour: Any) -> None:
    issuer.behaviour = behaviour
    configure(None, keys_of(issuer))

    code, out, _ = run("authz_check")

    assert (code, first_words(out)[0]) == (1, ["jwks", "failed"])
    assert "Check auth.jwt.jwks_url" in out
