"""What the span of an upload tells about its body: how it came, and whether anybody had to copy it."""

from __future__ import annotations

from typing import Any

import pytest

from authz.sigv4.proof import UnsignedPayload
from uploads.body.buffers import Buffers
from uploads.body.verified import VerifiedBody
from uploads.flow import told_on
from uploads.s3.headers import ExpectedDigests


class Span:
    """Takes what a ``Stage`` takes."""

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}
        self.set = self.attributes.__setitem__
        self.set_all = self.attributes.update

    def events(self, moments: Any) -> None: ...


class Source:
    def __init__(self, copied_by: str) -> None:
        self.copied_by = copied_by

    def read_into(self, buffer: memoryview) -> int:
        return len(buffer)


def body_from(copied_by: str) -> VerifiedBody:
    return VerifiedBody(
        Source(copied_by),
        proof=UnsignedPayload(),
        expected=ExpectedDigests(),
        wire_length=300,
        payload_length=300,
        max_bytes=300,
        buffers=Buffers(100, 100),
    )


@pytest.mark.parametrize("copied_by", ["", "server", "form"])
def test_who_copied_the_bytes(copied_by: str) -> None:
    span = Span()
    with told_on(span, body_from(copied_by)) as flowing:  # type: ignore[arg-type]
        for _ in flowing:
            pass
    assert span.attributes["mizuchi.upload.bytes"] == 300
    assert span.attributes["mizuchi.upload.zero_copy"] is not bool(copied_by)
    assert span.attributes.get("mizuchi.upload.copied_by", "") == copied_by


def test_a_body_that_was_given_up_has_no_buffers_left() -> None:
    body = body_from("")
    with told_on(Span(), body) as flowing:  # type: ignore[arg-type]
        blocks = iter(flowing)
        next(blocks)
    assert list(blocks) == []
