"""The signature doctor: why does a signature not match? For the operator's log, never for the client.

It computes the signature anew with one or two things as they may have been when the client signed. A
match proves the cause, because the secret was needed to make it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from .advice import CauseKind
from .authorization import Signed
from .canonical import (
    ALL_PARAMETERS,
    WITHOUT_SIGNATURE,
    assemble,
    canonical_query,
    encode_uri,
    signed_values,
)
from .masking import masked, masked_headers, masked_name, masked_query, shown_payload_hash, shown_region
from .parts import RequestParts
from .scope import epoch_seconds
from .suspects import (
    Reading,
    Surroundings,
    Suspicion,
    headers,
    hosts,
    methods,
    paths,
    payloads,
    queries,
    regions,
    secrets,
)

MAX_ATTEMPTS = 500

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_ALONE: Mapping[CauseKind, Suspicion] = {
    "host": hosts,
    "secret": secrets,
    "region": regions,
    "path": paths,
    "query": queries,
    "payload": payloads,
    "header": headers,
    "method": methods,
}
_TOGETHER: tuple[tuple[CauseKind, CauseKind], ...] = (
    ("host", "path"),
    ("host", "payload"),
    ("host", "query"),
    ("host", "header"),
    ("path", "header"),
    ("header", "header"),
)


@dataclass(frozen=True, slots=True)
class HostAlternatives:
    """Names that clients may know the gateway by, each with a port where they use one."""

    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a signature does not match, in a sentence; ``kind`` tells what has to be put right."""

    kind: CauseKind
    text: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a signature did not match: ``causes``, the likeliest first, and what we computed it over.

    None of the three tells what a client wrote: see ``masking``.
    """

    causes: tuple[Cause, ...]
    canonical_request: str
    string_to_sign: str


def diagnose(
    parts: RequestParts,
    signed: Signed,
    secret: str,
    *,
    now: float,
    alternatives: HostAlternatives = HostAlternatives(),
    region: str = "",
    max_clock_skew_seconds: int = 900,
) -> Diagnosis:
    """Find out why a signature from the header or the query does not match.

    ``region`` is the gateway's own. Computes at most ``MAX_ATTEMPTS`` signatures.
    """
    reading = _read(parts, signed, secret)
    around = Surroundings(
        parts=parts, is_presigned=signed.source == "query", domains=alternatives.domains, region=region
    )
    causes = _proven_causes(reading, around, signed) or tuple(_guesses(parts, signed))
    return Diagnosis(
        causes=(*causes, *_skew(signed, now, max_clock_skew_seconds)),
        canonical_request=_shown_request(reading),
        string_to_sign=_shown_string(reading),
    )


def _read(parts: RequestParts, signed: Signed, secret: str) -> Reading:
    without = WITHOUT_SIGNATURE if signed.source == "query" else ALL_PARAMETERS
    return Reading(
        method=parts.method,
        uri=encode_uri(parts.path),
        query=canonical_query(parts.query, without=without),
        values=signed_values(parts, signed.signed_headers),
        payload_hash=signed.canonical_payload_hash,
        timestamp=signed.timestamp,
        scope=signed.scope,
        secret=secret,
    )


def _proven_causes(reading: Reading, around: Surroundings, signed: Signed) -> tuple[Cause, ...]:
    given = signed.signature.encode("utf-8", "surrogatepass")
    for causes, suspect in islice(_suspects(reading, around), MAX_ATTEMPTS):
        if hmac.compare_digest(suspect.signature.encode(), given):
            return causes
    return ()


def _suspects(reading: Reading, around: Surroundings) -> Iterator[tuple[tuple[Cause, ...], Reading]]:
    """One change at a time, then two."""
    yield (Cause("none", "the signature matches the request as it arrived"),), reading
    for kind, suspicion in _ALONE.items():
        for one in suspicion(reading, around):
            yield (Cause(kind, one.cause),), one.reading
    for first, second in _TOGETHER:
        for one in _ALONE[first](reading, around):
            for two in _ALONE[second](one.reading, around):
                yield (Cause(first, one.cause), Cause(second, two.cause)), two.reading


def _guesses(parts: RequestParts, signed: Signed) -> Iterator[Cause]:
    lost = [
        name
        for name in signed.signed_headers
        if name not in ("host", "expect") and name.replace("_", "-") not in parts.headers
    ]
    if lost:
        names = ", ".join(map(masked_name, lost))
        yield Cause("header", f"signed headers did not arrive, a proxy removed them: {names[:300]}")
    yield Cause(
        "secret", "the secret key is probably wrong: give the client the secret of this access key id"
    )


def _skew(signed: Signed, now: float, max_clock_skew_seconds: int) -> Iterator[Cause]:
    seconds = int(epoch_seconds(signed.timestamp) - now)
    if seconds > max_clock_skew_seconds or (signed.source == "header" and -seconds > max_clock_skew_seconds):
        side = "ahead of" if seconds > 0 else "behind"
        yield Cause("clock", f"the client's clock is {abs(seconds)} seconds {side} the gateway's; set it")


def _shown_request(reading: Reading) -> str:
    return assemble(
        reading.method if reading.method in _METHODS else masked(reading.method),
        masked(reading.uri),
        masked_query(reading.query),
        masked_headers(reading.values),
        shown_payload_hash(reading.payload_hash),
    )


def _shown_string(reading: Reading) -> str:
    region = reading.scope.region
    return reading.string_to_sign.replace(f"/{region}/s3/", f"/{shown_region(region)}/s3/", 1)
