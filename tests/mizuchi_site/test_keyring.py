"""Master secrets and what is derived from them."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mizuchi_site.config import ConfigError
from mizuchi_site.keyring import Keyring, kept_secret


def test_every_purpose_and_every_master_has_a_key_of_its_own() -> None:
    keys = Keyring.derive(["first" * 8, "second" * 8])
    texts = [bytes.fromhex(key) for key in (*keys.django, *keys.operators)]
    everything = [*keys.sealing, *keys.encryption, *keys.hashing, *keys.sessions, *texts]
    assert len(set(everything)) == 12
    assert {len(key) for key in everything} == {32}


def test_keys_do_not_change() -> None:
    """RFC 5869: HKDF-Extract with a salt of zeros, HKDF-Expand with the label; computed with openssl kdf."""
    keys = Keyring.derive(["0123456789abcdef0123456789abcdef"])
    assert keys.sealing[0].hex() == "f6a819af0f5eb60a704f9b3b45e0eda58e70607430260d766cd011300a0bb9ad"
    assert keys.encryption[0].hex() == "f6e0f54d13af4d09c820f27ebae48a1c4d8fd780e5979f43d27cfadd448e670f"
    assert keys.django[0] == "575f1e24064eb8a66b80c4f4a8875662db0b5304c159e24bfab9295701ed0b04"


def test_keys_are_not_printed() -> None:
    keys = Keyring.derive(["first" * 8])
    assert keys.django[0] not in repr(keys)
    assert repr(keys.sealing[0]) not in repr(keys)


def test_a_secret_is_made_once_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "var" / "secret.key"
    secret = kept_secret(file)
    assert len(secret) == 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kept_secret(file) == secret
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(kept_secret, [tmp_path / "secret.key"] * 64))
    assert len(found) == 1


@pytest.mark.parametrize("content", ["", "short\n"])
def test_a_file_that_lost_its_secret_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    file.write_text(content)
    with pytest.raises(ConfigError, match="is too short to be a secret"):
        kept_secret(file)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be read or made: .*give security\.secret_keys"):
        kept_secret(tmp_path / "file" / "secret.key")
