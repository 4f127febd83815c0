"""Canaries: texts planted wherever a client, a storage or an operator can put one, to be found again."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.e2e.wire.client import Request

CORE = "zq7kx4wv9j"
PERSON = f"{CORE}@example.org"
CLIENT, FORWARDED = "127.66.77.88", "203.0.113.77"

_CONTEXT_BYTES = 80
_SIGNATURE = re.compile(r"(?i)signature=([0-9a-f]{64})")
_UPLOAD_ID = re.compile(r"uploadId=([\w.~-]{40,})")


@dataclass
class Needles:
    """What must be found nowhere: the canary in every disguise, addresses, and secrets as they are sent."""

    exact: set[bytes] = field(default_factory=set)

    def note(self, request: Request) -> None:
        """The signature and the upload id that this request carries."""
        sent = f"{request.target} {request.header('authorization')}"
        for found in (*_SIGNATURE.findall(sent), *_UPLOAD_ID.findall(sent)):
            self.exact.add(found.encode())

    def found_in(self, data: bytes) -> list[str]:
        """Each place where a needle is, with what is around it."""
        folded = data.lower()
        return [
            f"{name}: {data[max(0, at - _CONTEXT_BYTES) : at + _CONTEXT_BYTES]!r}"
            for name, needle, is_exact in self._all()
            for at in _places(needle if is_exact else needle.lower(), data if is_exact else folded)
        ]

    def _all(self) -> Iterator[tuple[str, bytes, bool]]:
        for name, needle, is_exact in disguises(CORE):
            yield name, needle, is_exact
        for needle in {CLIENT.encode(), FORWARDED.encode(), *self.exact}:
            yield "exact", needle, True


def disguises(text: str) -> Iterator[tuple[str, bytes, bool]]:
    """``text`` as it may be hidden in bytes, and whether upper and lower case are different there."""
    raw = text.encode()
    yield "plain", raw, False
    yield "hex", raw.hex().encode(), False
    yield "percent", "".join(f"%{byte:02x}" for byte in raw).encode(), False
    yield "json", "".join(f"\\u{byte:04x}" for byte in raw).encode(), False
    yield "utf-16", text.encode("utf-16-le"), False
    for variant in (raw, raw.upper()):
        for offset in range(3):
            # The characters that depend on what comes before and after are left out.
            coded = base64.b64encode(b"\0" * offset + variant)
            whole = coded[(0, 2, 3)[offset] : (offset + len(raw)) * 8 // 6]
            yield f"base64 at {offset}", whole, True


def _places(needle: bytes, data: bytes) -> Iterable[int]:
    return [found.start() for found in re.finditer(re.escape(needle), data)][:3]


def planted(request: Request, *, number: int) -> Request:
    """The request with a canary in every header that need not be signed; each second one has a trace."""
    added = {
        "Cookie": f"sessionid={CORE}; csrftoken={CORE}",
        "User-Agent": f"client/{PERSON}",
        "Referer": f"https://{CORE}.example.org/?who={PERSON}",
        "Origin": f"https://{CORE}.example.org",
        "From": PERSON,
        "X-Forwarded-For": FORWARDED,
        "X-Real-IP": FORWARDED,
        "Forwarded": f"for={FORWARDED};by={CORE}",
        "Accept-Language": CORE,
        "Content-Disposition": f'attachment; filename="{PERSON}.pdf"',
        "X-Request-ID": CORE,
        "X-Auth-Token": CORE,
        "baggage": f"user={PERSON},{CORE}=1",
    }
    if number % 2:
        added["traceparent"] = f"00-{number:031x}f-00f067aa0ba902b7-01"
        added["tracestate"] = f"{CORE}=1,vendor={PERSON},ot=th:8;rv:{'0' * 14};x:{CORE}"
    for name, value in added.items():
        if not request.header(name):
            request = request.and_header(name, value)
    return request
