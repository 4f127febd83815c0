"""Access key secrets at rest: encrypted and authenticated, with keys that can be rotated."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class SecretUnreadable(Exception):
    """None of the configured encryption keys opens the secret, or it belongs to another access key."""


class SecretBox:
    """Encrypts with the first of ``keys`` (32 bytes each), decrypts with any.

    The access key id is sealed in with the secret, so a ciphertext moved to another row does not open.
    cryptography comes with the first secret: it takes 8 MiB.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    @cached_property
    def _fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in self._keys])

    def encrypt(self, access_key_id: str, secret: str) -> str:
        return self._fernet.encrypt(f"{access_key_id}\n{secret}".encode()).decode()

    def decrypt(self, access_key_id: str, ciphertext: str) -> str:
        """Raises SecretUnreadable."""
        from cryptography.fernet import InvalidToken

        try:
            plain = self._fernet.decrypt(ciphertext.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable(f"The secret of access key {access_key_id} cannot be decrypted.") from None
        owner, _, secret = plain.partition("\n")
        if owner != access_key_id:
            raise SecretUnreadable(f"The secret stored for access key {access_key_id} belongs to another.")
        return secret

    def rotate(self, access_key_id: str, ciphertext: str) -> str:
        """The same secret, encrypted with the first key. Raises SecretUnreadable."""
        return self.encrypt(access_key_id, self.decrypt(access_key_id, ciphertext))
