"""Rules between sections: names that must be unique, and names that must lead somewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from authz.key_template import SUBJECT

from .errors import Fault, Location, suggestion
from .model import Config


@dataclass(frozen=True, slots=True)
class Rule:
    """A check over ``sections``, made when each of them is right by itself."""

    sections: frozenset[str]
    check: Callable[[Config], Iterable[Fault]]


def _repeated(names: Iterable[str], location: Callable[[int], Location]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Fault(location(index), "is used above already; choose another")
        seen.add(name)


def _bucket_names(config: Config) -> Iterator[Fault]:
    return _repeated((bucket.name for bucket in config.buckets), lambda index: ("buckets", index, "name"))


def _webhook_names(config: Config) -> Iterator[Fault]:
    for index, bucket in enumerate(config.buckets):
        names = (webhook.name for webhook in bucket.webhooks)
        yield from _repeated(names, partial(_webhook_name, index))


def _webhook_name(bucket: int, index: int) -> Location:
    return ("buckets", bucket, "webhooks", index, "name")


def _access_key_ids(config: Config) -> Iterator[Fault]:
    return _repeated(
        (key.access_key_id for key in config.access_keys),
        lambda index: ("access_keys", index, "access_key_id"),
    )


def _bucket_storages(config: Config) -> Iterator[Fault]:
    for index, bucket in enumerate(config.buckets):
        if bucket.storage not in config.storages:
            hint = suggestion(bucket.storage, config.storages)
            yield Fault(("buckets", index, "storage"), f"is not one of the storages; {hint}")


def _access_key_buckets(config: Config) -> Iterator[Fault]:
    known = {bucket.name for bucket in config.buckets} | {"*"}
    for index, key in enumerate(config.access_keys):
        for position, name in enumerate(key.buckets):
            if name not in known:
                hint = suggestion(name, known)
                yield Fault(
                    ("access_keys", index, "buckets", position), f'is not one of the buckets or "*"; {hint}'
                )


def _templates_in_traces(config: Config) -> Iterator[Fault]:
    """Traces show a key's first segment when it reads like a folder: it must not be who uploads."""
    if config.tracing.redaction.keys != "prefix":
        return
    for index, bucket in enumerate(config.buckets):
        if SUBJECT in (bucket.auth.key_template or "").partition("/")[0]:
            yield Fault(
                ("buckets", index, "auth", "key_template"),
                "begins with the subject, which traces would show; put a folder before it "
                '("users/{subject}/") or set tracing.redaction.keys to hash',
            )


def _log_collector(config: Config) -> Iterator[Fault]:
    if config.logging.otlp and not config.tracing.otlp.endpoint:
        yield Fault(
            ("logging", "otlp"),
            "is true, but there is no collector: set tracing.otlp.endpoint, or false here",
        )


def _metrics_collector(config: Config) -> Iterator[Fault]:
    otlp = config.metrics.otlp
    if otlp.enabled and not (otlp.endpoint or config.tracing.otlp.endpoint):
        yield Fault(
            ("metrics", "otlp", "enabled"),
            "is true, but there is no collector: set metrics.otlp.endpoint or tracing.otlp.endpoint, or "
            "false here",
        )


RULES = (
    Rule(frozenset({"buckets"}), _bucket_names),
    Rule(frozenset({"buckets"}), _webhook_names),
    Rule(frozenset({"access_keys"}), _access_key_ids),
    Rule(frozenset({"buckets", "storages"}), _bucket_storages),
    Rule(frozenset({"access_keys", "buckets"}), _access_key_buckets),
    Rule(frozenset({"logging", "tracing"}), _log_collector),
    Rule(frozenset({"metrics", "tracing"}), _metrics_collector),
    Rule(frozenset({"buckets", "tracing"}), _templates_in_traces),
)


def rule_faults(config: Config, broken: frozenset[str]) -> Iterator[Fault]:
    """What is wrong between sections, leaving out rules about a ``broken`` one."""
    for rule in RULES:
        if not rule.sections & broken:
            yield from rule.check(config)
