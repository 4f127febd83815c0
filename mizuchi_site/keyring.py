"""Master secrets, and the keys for each purpose that are derived from them."""

from __future__ import annotations

import hmac
import os
import secrets
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mizuchi_site.config import ConfigError, Fault

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keyring:
    """One key of each purpose for every master secret; the first is current, the others are older ones."""

    sealing: tuple[bytes, ...] = field(repr=False)
    encryption: tuple[bytes, ...] = field(repr=False)
    django: tuple[str, ...] = field(repr=False)
    hashing: tuple[bytes, ...] = field(repr=False)
    sessions: tuple[bytes, ...] = field(repr=False)
    operators: tuple[str, ...] = field(repr=False)

    @classmethod
    def derive(cls, masters: Sequence[str]) -> Keyring:
        return cls(
            sealing=tuple(_derive(master, b"mizuchi/seal") for master in masters),
            encryption=tuple(_derive(master, b"mizuchi/access-keys") for master in masters),
            django=tuple(_derive(master, b"mizuchi/django").hex() for master in masters),
            hashing=tuple(_derive(master, b"mizuchi/hashes") for master in masters),
            sessions=tuple(_derive(master, b"mizuchi/sessions") for master in masters),
            operators=tuple(_derive(master, b"mizuchi/operators").hex() for master in masters),
        )


def _derive(master: str, label: bytes) -> bytes:
    """HKDF (RFC 5869) with SHA-256, no salt and one block, so that no worker loads 8 MiB of cryptography for
    it."""
    extracted = hmac.digest(bytes(KEY_BYTES), master.encode(), "sha256")
    return hmac.digest(extracted, label + b"\x01", "sha256")


def kept_secret(file: Path) -> str:
    """The secret in ``file``, which is made on first use and readable by its owner only. Raises ConfigError.

    Processes that start together agree on one secret: the file appears complete or not at all.
    """
    try:
        secret = _read_or_make(file)
    except OSError as error:
        problem = f"cannot be read or made: {error.strerror}; give security.secret_keys, or set MIZUCHI_VAR"
        raise ConfigError(file, [Fault((), problem)]) from None
    if len(secret) < 2 * KEY_BYTES:
        problem = "is too short to be a secret; put back what it held, or remove it to have another made"
        raise ConfigError(file, [Fault((), problem)])
    return secret


def _read_or_make(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _make(file)
    return file.read_text().strip()


def _make(file: Path) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_hex(KEY_BYTES) + "\n")
        with suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        os.unlink(temporary)
