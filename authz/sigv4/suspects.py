"""What may have changed between the client's signing and our reading of a request.

Each function here takes a reading of the request and yields suspects: the same reading with one thing as
it may have been when it was signed, and the sentence for the operator that is true if it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .canonical import (
    ALL_PARAMETERS,
    WITHOUT_SIGNATURE,
    assemble,
    canonical_query,
    encode_query,
    encode_uri,
    query_pairs,
)
from .masking import masked, masked_name, shown_region
from .parts import RequestParts
from .proof import EMPTY_SHA256
from .scope import CredentialScope
from .signing import signature, signing_key, string_to_sign

# Values that clients are known to sign, for headers that proxies are known to change.
_CHANGED_HEADERS: Mapping[str, tuple[str, ...]] = {
    "accept": ("*/*",),
    "accept-encoding": ("identity", "gzip", "gzip, deflate", "gzip, deflate, br"),
    "cache-control": ("no-cache",),
    "connection": ("close", "keep-alive", "Keep-Alive"),
    "content-length": ("0",),
    "content-type": ("application/octet-stream", "binary/octet-stream"),
    "expect": ("100-continue",),
    "te": ("trailers",),
    "transfer-encoding": ("chunked",),
    "user-agent": (),
    "via": (),
    "x-forwarded-for": (),
    "x-forwarded-host": (),
    "x-forwarded-port": ("443", "80"),
    "x-forwarded-prefix": (),
    "x-forwarded-proto": ("https", "http"),
    "x-forwarded-server": (),
    "x-real-ip": (),
}
_HOST = re.compile(r"[A-Za-z0-9._\-:\[\]]{1,255}")
_PORT = re.compile(r":[0-9]{1,5}$")
_FORWARDED_HOST = re.compile(r'host="?([^";,\s]+)', re.IGNORECASE)
_MAX_HOSTS = 40
_MAX_PARAMETERS = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that a signature is computed from, in canonical form."""

    method: str
    uri: str
    query: str
    values: Mapping[str, str]
    payload_hash: str
    timestamp: str
    scope: CredentialScope
    secret: str = field(repr=False)

    @property
    def canonical_request(self) -> str:
        return assemble(self.method, self.uri, self.query, self.values, self.payload_hash)

    @property
    def string_to_sign(self) -> str:
        return string_to_sign(self.timestamp, self.scope, self.canonical_request)

    @property
    def signature(self) -> str:
        return signature(signing_key(self.secret, self.scope), self.string_to_sign)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known about the way the request came: its head, our own names and our region."""

    parts: RequestParts
    is_presigned: bool
    domains: tuple[str, ...]
    region: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A reading that may be the one that was signed, and what it would mean."""

    cause: str
    reading: Reading


Suspicion = Callable[[Reading, Surroundings], Iterator[Suspect]]


def hosts(reading: Reading, around: Surroundings) -> Iterator[Suspect]:
    """Other names for the gateway, and its names with and without a port."""
    for host in islice(_host_names(around), _MAX_HOSTS):
        if host != reading.values.get("host"):
            cause = (
                "the Host header was changed between client and gateway: the signature matches with host "
                f"`{host}`; have the proxy pass Host on as it is, or set trusted_proxies"
            )
            yield Suspect(cause, replace(reading, values={**reading.values, "host": host}))


def _host_names(around: Surroundings) -> Iterator[str]:
    headers = around.parts.headers
    named = headers.get("x-forwarded-host", "").split(",") + _FORWARDED_HOST.findall(
        headers.get("forwarded", "")
    )
    named += [headers.get("x-original-host", ""), headers.get("host", ""), around.parts.host, *around.domains]
    ports = [headers.get("x-forwarded-port", "").strip(), "80", "443"]
    ports += [match[0][1:] for name in named if (match := _PORT.search(name))]
    seen: set[str] = set()
    for name in [name.strip() for name in named if _HOST.fullmatch(name.strip())]:
        bare = _PORT.sub("", name)
        for host in [name, bare, *(f"{bare}:{port}" for port in ports if port.isdecimal())]:
            if host not in seen:
                seen.add(host)
                yield host


def paths(reading: Reading, around: Surroundings) -> Iterator[Suspect]:
    """The path before a proxy rewrote it, and the ways in which clients encode it wrongly."""
    for cause, uri in (*_rewritten_paths(around), *_miscoded_paths(around)):
        if uri != reading.uri:
            yield Suspect(
                f"{cause}: the signature matches with path {masked(uri)[:300]!a}", replace(reading, uri=uri)
            )


def _rewritten_paths(around: Surroundings) -> Iterator[tuple[str, str]]:
    path = around.parts.path
    prefix = (
        around.parts.headers.get("x-forwarded-prefix", "").strip().rstrip("/").encode("latin-1", "replace")
    )
    if prefix:
        yield (
            "a proxy stripped a prefix from the path; have it pass the path on as it is",
            encode_uri(prefix + path),
        )
    first, _, rest = path.removeprefix(b"/").partition(b"/")
    if first:
        added = "a proxy added a prefix (or the bucket) to the path; have it pass the path on as it is"
        yield added, encode_uri(b"/" + rest)
    yield "a proxy added a slash to the end of the path", encode_uri(path.removesuffix(b"/"))
    yield "a proxy took the slash off the end of the path", encode_uri(path + b"/")


def _miscoded_paths(around: Surroundings) -> Iterator[tuple[str, str]]:
    path = around.parts.path
    uri = encode_uri(path)
    yield "the path was encoded twice by the client, or decoded once by a proxy", encode_uri(uri.encode())
    yield (
        "the path was encoded once more by a proxy, or signed as decoded",
        encode_uri(unquote_to_bytes(path)),
    )
    yield "the client signed the path without encoding it", path.decode("latin-1")
    unencoded = "the client signed the path with some characters left unencoded"
    yield unencoded, quote_from_bytes(path, "/!*'()")
    yield unencoded, quote_from_bytes(path, "/!$&'()*+,;=:@")
    yield "the client signed `+` for the spaces of the path; they are %20", uri.replace("%20", "+")
    yield "the client sent `+` for the spaces of the path; they are %20", uri.replace("%2B", "%20")
    yield "the client's signer merges slashes in the path; S3 keeps them", re.sub("//+", "/", uri)


def queries(reading: Reading, around: Surroundings) -> Iterator[Suspect]:
    """The ways in which clients write a query, and the query without what a proxy may have added."""
    raw = around.parts.query
    if not raw:
        return
    without = WITHOUT_SIGNATURE if around.is_presigned else ALL_PARAMETERS
    for cause, query in (*_rewritten_queries(raw, without), *_shortened_queries(raw, without)):
        if query != reading.query:
            yield Suspect(cause, replace(reading, query=query))


def _rewritten_queries(raw: str, without: frozenset[str]) -> Iterator[tuple[str, str]]:
    canonical = canonical_query(raw, without=without)
    as_sent = [part for part in raw.split("&") if part.partition("=")[0].lower() not in without]
    yield (
        "a `+` in the query was signed as a plus, but S3 reads it as a space; the client must send %2B",
        canonical_query(raw.replace("+", "%2B"), without=without),
    )
    yield (
        "spaces in the query were signed as `+`; the canonical query has %20",
        canonical.replace("%20", "+"),
    )
    yield "the client signed the query as it was sent, without encoding it anew", "&".join(sorted(as_sent))
    yield "the client signed the query as it was sent, without sorting it", "&".join(as_sent)
    yield (
        "the query was encoded twice by the client, or decoded once by a proxy",
        encode_query(
            [(name, quote_from_bytes(value, "").encode()) for name, value in query_pairs(canonical)]
        ),
    )
    yield (
        "the query was encoded once more by a proxy",
        encode_query([(name, unquote_to_bytes(value)) for name, value in query_pairs(canonical)]),
    )


def _shortened_queries(raw: str, without: frozenset[str]) -> Iterator[tuple[str, str]]:
    pairs = query_pairs(canonical_query(raw, without=without))
    names = dict.fromkeys(name for name, _ in pairs if not name.lower().startswith(b"x-amz-"))
    for name in islice(names, _MAX_PARAMETERS):
        shown = masked_name(quote_from_bytes(name, ""))[:80]
        kept = encode_query(pair for pair in pairs if pair[0] != name)
        yield f"the query parameter `{shown}` was added between client and gateway, or not signed", kept


def headers(reading: Reading, around: Surroundings) -> Iterator[Suspect]:
    """Signed headers that a proxy changed or removed, and those that the client never counted."""
    for name, value in reading.values.items():
        if name not in _CHANGED_HEADERS:
            continue
        cause = f"the signed header {name} was changed between client and gateway"
        advice = "have the proxy pass it on as it is, or the client leave it unsigned"
        for signed in (*_CHANGED_HEADERS[name], value.partition(",")[0], ""):
            if signed != value:
                values = {**reading.values, name: signed}
                said = ascii(signed if signed in _CHANGED_HEADERS[name] else masked(signed))
                said = said if signed else "an empty value"
                yield Suspect(
                    f"{cause}: the signature matches with {said}; {advice}", replace(reading, values=values)
                )
        values = {other: reading.values[other] for other in reading.values if other != name}
        yield Suspect(
            f"the header {name} is named in SignedHeaders, but was not signed; {advice}",
            replace(reading, values=values),
        )


def payloads(reading: Reading, around: Surroundings) -> Iterator[Suspect]:
    """Another payload hash than the one that arrived."""
    kinds = ("UNSIGNED-PAYLOAD", EMPTY_SHA256, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    for payload_hash in kinds:
        if payload_hash == reading.payload_hash:
            continue
        cause = f"x-amz-content-sha256 was changed or added: the signature matches with `{payload_hash}`"
        yield Suspect(cause, replace(reading, payload_hash=payload_hash))
        if "x-amz-content-sha256" in reading.values:
            values = {**reading.values, "x-amz-content-sha256": payload_hash}
            yield Suspect(cause, replace(reading, payload_hash=payload_hash, values=values))


def regions(reading: Reading, around: Surroundings) -> Iterator[Suspect]:
    """Another region than the scope names."""
    for region in _others(("us-east-1", around.region, "auto", ""), reading.scope.region):
        cause = (
            f"the client signed for region `{region}`, but its credential names "
            f"`{shown_region(reading.scope.region)}`; "
            "set one region in the client"
        )
        yield Suspect(cause, replace(reading, scope=replace(reading.scope, region=region)))


def secrets(reading: Reading, around: Surroundings) -> Iterator[Suspect]:
    """The secret with white space around it, on either side."""
    bare = reading.secret.strip()
    cause = "the secret key has white space around it, in the client or here; paste it again"
    for secret in _others(
        (bare, f"{bare}\n", f"{bare} ", f" {bare}", f"{bare}\r\n", f"{bare}\r"), reading.secret
    ):
        yield Suspect(cause, replace(reading, secret=secret))


def methods(reading: Reading, around: Surroundings) -> Iterator[Suspect]:
    """HEAD that a caching proxy made a GET."""
    if reading.method == "GET":
        cause = "a proxy made a GET of the client's HEAD; switch that off (nginx: proxy_cache_convert_head)"
        yield Suspect(cause, replace(reading, method="HEAD"))


def _others(texts: Iterable[str], own: str) -> Iterator[str]:
    return (text for text in dict.fromkeys(texts) if text != own)
