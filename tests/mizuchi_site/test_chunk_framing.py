"""The framing of chunked bodies, split at every byte, and what is refused."""

from __future__ import annotations

import pytest

from mizuchi_site.server.chunks import (
    MAX_LINE_BYTES,
    MAX_TRAILER_BYTES,
    ChunkFraming,
    MalformedChunkError,
)


def read(wire: bytes, step: int) -> tuple[bytes, bytes, bool]:
    """The data, what was left over, and whether the end was seen, when ``step`` bytes come at a time."""
    framing, data, received, ahead = ChunkFraming(), b"", b"", 0
    pieces = [wire[start : start + step] for start in range(0, len(wire), step)]
    while not framing.is_complete:
        size = 0
        if ahead:
            taken = received[:ahead]
            data, size, ahead = data + taken, len(taken), ahead - len(taken)
        else:
            size, ahead = framing.advance(received)
        received = received[size:]
        if not size:
            if not pieces:
                break
            received += pieces.pop(0)
    return data, received + b"".join(pieces), framing.is_complete


@pytest.mark.parametrize(
    ("wire", "data"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"0\r\n\r\n", b""),
        (b"1\r\na\r\n0000A\r\n0123456789\r\n0\r\n\r\n", b"a0123456789"),
        (b'3;a=b;c="d e"\r\nabc\r\n0;x\r\n\r\n', b"abc"),
        (b"2\r\n\r\n\r\n0\r\nX-T: 1\r\ny: \r\n\r\n", b"\r\n"),
    ],
)
@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_data_is_what_is_not_framing(wire: bytes, data: bytes, step: int) -> None:
    assert read(wire + b"NEXT", step) == (data, b"NEXT", True)


@pytest.mark.parametrize("size", range(len(b"5\r\nhello\r\n0\r\nX: y\r\n\r\n")))
def test_a_body_that_is_cut_has_no_end(size: int) -> None:
    assert not read(b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"[:size], 1)[2]


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"3\nabc\n0\n\n", id="bare line feeds"),
        pytest.param(b"3\r\nabc\n0\r\n\r\n", id="bare line feed after data"),
        pytest.param(b"3\r\nabcd\r\n", id="more data than said"),
        pytest.param(b"3\r\nab\r\n0\r\n\r\n", id="less data than said"),
        pytest.param(b"\r\n3\r\nabc\r\n", id="no size"),
        pytest.param(b"ZZ\r\n", id="no number"),
        pytest.param(b"-3\r\nabc\r\n", id="negative"),
        pytest.param(b"+3\r\nabc\r\n", id="signed"),
        pytest.param(b"0x3\r\nabc\r\n", id="prefix"),
        pytest.param(b"3_0\r\nabc\r\n", id="underscore"),
        pytest.param(b" 3\r\nabc\r\n", id="space before"),
        pytest.param(b"3 \r\nabc\r\n", id="space after"),
        pytest.param(b"3;a\nb\r\nabc\r\n", id="line feed in an extension"),
        pytest.param(b"3;a\rb\r\nabc\r\n", id="carriage return in an extension"),
        pytest.param(b"3;" + b"a" * MAX_LINE_BYTES + b"\r\nabc\r\n", id="long extension"),
        pytest.param(b"3;" + b"a" * MAX_LINE_BYTES * 2, id="endless extension"),
        pytest.param(b"0" * 17 + b"\r\n\r\n", id="17 digits"),
        pytest.param(b"0\r\nX : 1\r\n\r\n", id="bad trailer"),
        pytest.param(b"0\r\n\n", id="bare line feed at the end"),
        pytest.param(b"0\r\n" + b"X: 1\r\n" * MAX_TRAILER_BYTES, id="endless trailers"),
    ],
)
@pytest.mark.parametrize("step", [1, 100_000])
def test_malformed_framing_is_refused(wire: bytes, step: int) -> None:
    with pytest.raises(MalformedChunkError):
        read(wire, step)
