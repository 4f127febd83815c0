from __future__ import annotations

import pytest

from tracing_app.redaction import Redactor, upload_hash

KEYS = (b"k" * 32, b"o" * 32)


@pytest.mark.parametrize(
    ("level", "key", "shown"),
    [
        ("full", "photos/alice.jpg", "photos/alice.jpg"),
        ("prefix", "photos/2026/alice.jpg", "photos/"),
        ("prefix", "alice@example.org/cv.pdf", ""),
        ("prefix", "Alice Liddell/cv.pdf", ""),
        ("prefix", "x" * 33 + "/cv.pdf", ""),
        ("prefix", "alice.jpg", ""),
        ("prefix", "/alice.jpg", ""),
        ("hash", "photos/alice.jpg", ""),
    ],
)
def test_key(level: str, key: str, shown: str) -> None:
    redacted = Redactor(level, KEYS).key(key)  # type: ignore[arg-type]

    assert redacted.startswith(shown)
    if level != "full":
        hashed = redacted.removeprefix(shown)
        assert len(hashed) == 16
        assert int(hashed, 16) >= 0


def test_hashes_are_keyed_and_the_same_for_the_same_subject() -> None:
    mine, rotated = Redactor("hash", KEYS), Redactor("hash", KEYS[::-1])

    assert mine.subject("alice") == mine.subject("alice") != mine.subject("bob")
    assert mine.subject("alice") != rotated.subject("alice")


def test_a_key_that_is_not_unicode_is_hashed_too() -> None:
    assert Redactor("hash", KEYS).key("\udcff")


def test_an_upload_id_is_shown_as_a_hash() -> None:
    """SHA-256, the first 32 hexadecimal digits. The value is what ``sha256sum`` says."""
    assert upload_hash("Zm9vYmFy") == "d7e924568e9c1fcd2de171d6f7f3bad2"
