"""Tries the services that decide who may upload, as ``manage.py authz_check`` shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from authz.config import AuthzConfig, JwtConfig, OpenFgaConfig
from authz.decisions import PolicyQuestion
from authz.identity import Identity
from authz.jwt.jwks import parse_jwks
from authz.jwt.jwks_document import JwksUnreachable, fetch_jwks
from authz.policy.base import Engine, EngineAnswer, EngineFailure
from authz.policy.factory import EngineConfig, build_engine, engine_configs

_NOBODY = Identity(principal="mizuchi-check", method="sigv4")
_KEY = "mizuchi/check"

_UNDEFINED = (
    "No rule gives a value there, so everybody is denied. Check opa.path, or whether the policy is loaded, "
    "and give it a default: default allow := false"
)
_ADVICE: Mapping[str, str] = {
    "dns": "The host's name is not known here: check the url and DNS.",
    "connection_refused": "Nothing listens there: is the engine running, and is the url right?",
    "connection": "Something closes the connection: is it the right port, and http where it should be https?",
    "tls": "The TLS handshake failed: check that the url should be https, and ca_file.",
    "timeout": "It did not answer in time: a firewall, an overloaded engine, or a timeout_seconds too short.",
    "not_http": "What listens there does not speak HTTP: check the port and whether it should be https.",
    "http_400": "It does not understand the question: check relation, relations, object, user and the model.",
    "http_401": "It wants to know who asks: check token (OPA) or api_token (OpenFGA).",
    "http_403": "It does not let the gateway ask: check token (OPA) or api_token (OpenFGA).",
    "http_404": "It has no such thing: check the url, path or store_id.",
    "malformed_answer": "It answers without a decision: check that path names a rule that is true or false.",
    "evaluation": "The policy is at fault: its rules contradict each other. Run opa test.",
    "check_error": "It does not understand a question: check relation, relations, object and the model.",
}
_GENERAL_ADVICE = "Check the engine's own log."


@dataclass(frozen=True, slots=True)
class ServiceStep:
    """One service that was tried. ``advice`` says what to do when it failed, "" when all is well."""

    service: str
    where: str
    question: str
    seconds: float
    detail: str
    advice: str = ""


def check_services(config: AuthzConfig) -> Iterator[ServiceStep]:
    """Every engine and every endpoint of keys that a bucket needs, once each."""
    seen: list[EngineConfig] = []
    for bucket, policy in config.policies.items():
        for engine in engine_configs(policy):
            if engine not in seen:
                seen.append(engine)
                yield from _check_engine(engine, bucket)
    rules = (rules.jwt for rules in config.buckets.values() if rules.jwt is not None)
    yield from (_check_keys(rule) for rule in dict.fromkeys(rules) if rule.jwks_url is not None)


def _check_engine(config: EngineConfig, bucket: str) -> Iterator[ServiceStep]:
    engine = build_engine(config)
    try:
        for operation, action in _operations(config):
            question = PolicyQuestion(_NOBODY, action, bucket, _KEY, operation=operation, method="PUT")
            yield _ask(engine, question)
    finally:
        engine.close()


def _operations(config: EngineConfig) -> Iterator[tuple[str, str]]:
    """What to ask about so that each relation is asked for: a model may lack one of them."""
    yield "PutObject", "s3:PutObject"
    if isinstance(config, OpenFgaConfig):
        for name in config.relations:
            yield ("", name) if name.startswith("s3:") else (name, "")


def _ask(engine: Engine, question: PolicyQuestion) -> ServiceStep:
    where, asked = f"{engine.host}:{engine.port}", question.operation or question.action
    began = time.perf_counter()
    try:
        detail, advice = _judged(engine, engine.ask(question))
    except EngineFailure as failure:
        detail, advice = failure.detail or failure.code, failure_advice(failure.code)
    return ServiceStep(engine.name, where, asked, time.perf_counter() - began, detail, advice)


def failure_advice(code: str) -> str:
    """What to do about an engine that does not answer, by the code of its failure."""
    return _ADVICE.get(code, _GENERAL_ADVICE)


def _judged(engine: Engine, answer: EngineAnswer) -> tuple[str, str]:
    if engine.name == "opa" and answer.reason == "undefined":
        return "undefined", _UNDEFINED
    return ("allows" if answer.is_allowed else "denies") + " whom it does not know", ""


def _check_keys(rule: JwtConfig) -> ServiceStep:
    url, jwks = rule.jwks_url or "", rule.jwks
    began = time.perf_counter()
    try:
        document = fetch_jwks(url, timeout_seconds=jwks.timeout_seconds, ca_file=jwks.ca_file)
        detail, advice = f"{len(parse_jwks(document))} keys", ""
    except (JwksUnreachable, ValueError) as error:
        detail, advice = (
            str(error),
            "Check auth.jwt.jwks_url, auth.jwt.jwks.ca_file and the identity provider.",
        )
    return ServiceStep("jwks", url, "", time.perf_counter() - began, detail, advice)
