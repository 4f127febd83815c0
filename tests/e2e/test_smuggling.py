"""Two readings of one request must never make two requests of it."""

from __future__ import annotations

import pytest

from tests.e2e.gateway import FILES, Gateway
from tests.e2e.wire.client import Request, connected
from tests.e2e.wire.scene import BODY, Scene
from tests.e2e.wire.signing import UNSIGNED

CHUNKED = "Transfer-Encoding: chunked"
END = "0\r\n\r\n"


def head_with(scene: Scene, *lines: str) -> bytes:
    """A signed PUT whose framing headers are exactly these lines."""
    signed = scene.owner.sign(scene.put(headers={"x-amz-content-sha256": UNSIGNED}))
    head = signed.without_headers("content-length").head().removesuffix(b"\r\n")
    return head + "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"


AMBIGUOUS = {
    "two-lengths": (["Content-Length: 4", "Content-Length: 5"], ""),
    "lengths-in-a-list": (["Content-Length: 4, 5"], ""),
    "same-lengths-in-a-list": (["Content-Length: 4, 4"], ""),
    "length-with-a-sign": (["Content-Length: +4"], ""),
    "length-negative": (["Content-Length: -4"], ""),
    "length-in-hex": (["Content-Length: 0x4"], ""),
    "length-of-no-number": (["Content-Length: four"], ""),
    "length-overflowing": (["Content-Length: 18446744073709551620"], ""),
    "space-before-colon": (["Content-Length : 4"], ""),
    "line-folded": (["Content-Length:\r\n 4"], ""),
    "header-without-colon": (["Content-Length 4"], ""),
    "nul-in-a-value": (["Content-Length: 4", "x-a: \0"], ""),
    "bare-cr-in-a-value": (["Content-Length: 4", "x-a: \rContent-Length: 40"], ""),
    "coding-unknown": (["Transfer-Encoding: xchunked"], END),
    "coding-after-chunked": (["Transfer-Encoding: chunked, identity"], END),
    "coding-twice": (["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], END),
    "coding-with-vertical-tab": (["Transfer-Encoding: \x0bchunked"], END),
    "chunk-size-with-a-sign": ([CHUNKED], f"+4\r\nabcd\r\n{END}"),
    "chunk-size-negative": ([CHUNKED], f"-4\r\nabcd\r\n{END}"),
    "chunk-size-prefixed": ([CHUNKED], f"0x4\r\nabcd\r\n{END}"),
    "chunk-size-overflowing": ([CHUNKED], f"10000000000000004\r\nabcd\r\n{END}"),
    "chunk-size-missing": ([CHUNKED], f"\r\nabcd\r\n{END}"),
    "chunk-longer-than-said": ([CHUNKED], f"3\r\nabcd\r\n{END}"),
    "chunk-ended-by-lf": ([CHUNKED], f"4\nabcd\n{END}"),
}


@pytest.mark.parametrize(("lines", "body"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_ambiguous_framing_ends_the_connection(lines: list[str], body: str, gateway: Gateway) -> None:
    """The request is refused, and what follows on the connection is never read as a request."""
    scene, hidden = Scene(gateway, FILES), Scene(gateway, FILES)
    before = scene.holdings()
    with connected(scene.port) as connection:
        connection.send(head_with(scene, *lines) + body.encode() + hidden_put(hidden))
        statuses = connection.statuses(seconds=1)

    assert len(statuses) <= 1
    assert all(400 <= status <= 501 and status != 500 for status in statuses)
    assert scene.holdings() == before
    assert hidden.records() == []


def test_a_coding_that_is_not_undone_here_is_refused(gateway: Gateway) -> None:
    """Its framing is plain, so the connection may go on; what it carries must not be taken for the object."""
    scene = Scene(gateway, FILES)
    with connected(scene.port) as connection:
        connection.send(head_with(scene, "Transfer-Encoding: gzip, chunked") + END.encode())
        answer = connection.answer("PUT")

    assert answer is not None
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert scene.records() == []


@pytest.mark.parametrize(
    "lines",
    [["Content-Length: 4", CHUNKED], [CHUNKED, "Content-Length: 4"]],
    ids=["length-first", "chunked-first"],
)
def test_chunked_wins_over_a_length(lines: list[str], gateway: Gateway) -> None:
    """RFC 9112, 6.3: so a hidden request in the body is payload to us, whatever a proxy thought."""
    scene, hidden = Scene(gateway, FILES), Scene(gateway, FILES)
    payload = hidden_put(hidden)
    with connected(scene.port) as connection:
        connection.send(head_with(scene, *lines) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(payload), payload))
        answer = connection.answer("PUT")

    assert answer is not None
    assert hidden.records() == []
    assert answer.status == 400 or scene.read() == payload


def test_requests_on_one_connection_are_each_authenticated(gateway: Gateway) -> None:
    """Who proved who they are proved it for one request, not for the connection."""
    scene, second = Scene(gateway, FILES), Scene(gateway, FILES)
    with connected(scene.port) as connection:
        connection.send(whole(scene.owner.sign(scene.put())) + whole(second.put()))
        statuses = connection.statuses(seconds=1)

    assert statuses == [200, 403]
    assert second.records() == []


def hidden_put(scene: Scene) -> bytes:
    return whole(scene.owner.sign(scene.put(BODY)))


def whole(request: Request) -> bytes:
    return request.head() + request.body
