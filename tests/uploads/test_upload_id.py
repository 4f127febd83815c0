from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing_app.api import upload_hash
from uploads.s3.errors import NoSuchUpload
from uploads.s3.headers import MultipartChecksum
from uploads.upload_id import UploadOwner, UploadSealer, UploadTicket, digest

KEY, OLD_KEY = os.urandom(32), os.urandom(32)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OWNER = UploadOwner("alice", "uploads", "a/b.bin")
TICKET = UploadTicket("upstream/id+==", 1_700_000_000.5, MultipartChecksum("crc32", "COMPOSITE"), TRACEPARENT)


def test_opens_for_its_owner_with_all_that_was_sealed() -> None:
    sealer = UploadSealer([KEY])

    assert sealer.open(sealer.seal(TICKET, OWNER), OWNER) == TICKET


@pytest.mark.parametrize(
    "stranger",
    [
        UploadOwner("mallory", "uploads", "a/b.bin"),
        UploadOwner("alice", "other", "a/b.bin"),
        UploadOwner("alice", "uploads", "a/c.bin"),
        UploadOwner("alice\x00uploads", "", "a/b.bin"),
    ],
    ids=["principal", "bucket", "key", "shifted fields"],
)
def test_does_not_open_for_anyone_else(stranger: UploadOwner) -> None:
    sealer = UploadSealer([KEY])

    with pytest.raises(NoSuchUpload):
        sealer.open(sealer.seal(TICKET, OWNER), stranger)


def test_a_rotated_key_still_opens_and_no_longer_seals() -> None:
    old = UploadSealer([OLD_KEY]).seal(TICKET, OWNER)

    assert UploadSealer([KEY, OLD_KEY]).open(old, OWNER) == TICKET
    fresh = UploadSealer([KEY, OLD_KEY]).seal(TICKET, OWNER)
    with pytest.raises(NoSuchUpload):
        UploadSealer([OLD_KEY]).open(fresh, OWNER)


def test_every_changed_character_is_noticed() -> None:
    sealer = UploadSealer([KEY])
    sealed = sealer.seal(TICKET, OWNER)

    for at in range(len(sealed) - 1):  # the last character has bits that Base64 does not use
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(NoSuchUpload):
            sealer.open(changed, OWNER)


@given(st.text(max_size=300))
def test_anything_else_is_no_such_upload(text: str) -> None:
    with pytest.raises(NoSuchUpload):
        UploadSealer([KEY]).open(text, OWNER)


def test_the_id_is_safe_in_a_query_and_short() -> None:
    sealed = UploadSealer([KEY]).seal(TICKET, OWNER)

    assert sealed.replace("-", "").replace("_", "").isalnum()
    assert len(sealed) < 512


def test_the_trace_context_is_known_before_the_owner() -> None:
    sealer = UploadSealer([KEY])

    assert sealer.traceparent(sealer.seal(TICKET, OWNER)) == TRACEPARENT
    assert sealer.traceparent(sealer.seal(UploadTicket("x", 0.0), OWNER)) == ""


@given(st.text(max_size=300))
def test_a_foreign_id_has_no_trace_context(text: str) -> None:
    assert UploadSealer([KEY]).traceparent(text) == ""


def test_the_trace_context_of_another_upload_does_not_fit() -> None:
    sealer = UploadSealer([KEY])
    one, other = sealer.seal(TICKET, OWNER), sealer.seal(TICKET, OWNER)
    trace_ends = 76  # (4 bytes of key id + 53 of the sealed context) in Base64

    with pytest.raises(NoSuchUpload):
        sealer.open(other[:trace_ends] + one[trace_ends:], OWNER)


def test_a_record_and_its_traces_show_the_same_digest() -> None:
    upload_id = UploadSealer([KEY]).seal(TICKET, OWNER)

    assert digest(upload_id) == upload_hash(upload_id)
