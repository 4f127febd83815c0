"""Access keys: where they are found, made and counted as used."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from authz.apps import authz_app
from authz.config import ConfiguredKey
from authz.encryption import SecretBox
from authz.identity import BucketScope
from authz.models import AccessKey

_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LAST_USED_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Credential:
    """A usable access key with its secret in clear; never logged."""

    access_key_id: str
    principal: str
    secret: str = field(repr=False)
    scope: BucketScope = field(default_factory=BucketScope)
    expires_at: datetime | None = None


class CredentialStore:
    """Finds access keys, first those of the configuration, then those of the database.

    What the database said, unknown ids too, is kept for ``ttl_seconds``: a key that is disabled stops
    working within that time in every worker. At most ``max_entries`` are kept.
    """

    def __init__(
        self,
        configured: Sequence[ConfiguredKey],
        box: SecretBox,
        *,
        ttl_seconds: float = 5.0,
        max_entries: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._configured = {
            key.access_key_id: Credential(key.access_key_id, key.principal, key.secret_access_key, key.scope)
            for key in configured
        }
        self._box = box
        self._ttl_seconds = ttl_seconds
        self._max_entries = max_entries
        self._clock = clock
        self._cache: OrderedDict[str, tuple[float, Credential | None]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, access_key_id: str) -> Credential | None:
        """The usable key of this id, or None. Raises SecretUnreadable when its secret cannot be opened."""
        configured = self._configured.get(access_key_id)
        if configured is not None:
            return configured
        credential = self._cached(access_key_id)
        if credential is None or credential.expires_at is None or credential.expires_at > timezone.now():
            return credential
        return None

    def _cached(self, access_key_id: str) -> Credential | None:
        now = self._clock()
        entry = self._cache.get(access_key_id)
        if entry is not None and entry[0] > now:
            return entry[1]
        credential = self._load(access_key_id)
        with self._lock:
            self._cache[access_key_id] = (now + self._ttl_seconds, credential)
            self._cache.move_to_end(access_key_id)
            while len(self._cache) > self._max_entries:
                self._cache.popitem(last=False)
        return credential

    def _load(self, access_key_id: str) -> Credential | None:
        row = AccessKey.objects.filter(access_key_id=access_key_id).first()
        if row is None or not row.is_usable:
            return None
        secret = self._box.decrypt(row.access_key_id, row.encrypted_secret)
        note_use(row)
        return Credential(row.access_key_id, row.principal, secret, scope_of(row), row.expires_at)


def scope_of(row: AccessKey) -> BucketScope:
    return BucketScope(None if row.buckets is None else frozenset(row.buckets))


def note_use(row: AccessKey) -> None:
    """Record that the key is in use, to the minute: a busy key costs one write a minute."""
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at > _LAST_USED_RESOLUTION:
        AccessKey.objects.filter(pk=row.pk).update(last_used_at=now)


def secret_box() -> SecretBox:
    """The box of this process's configuration."""
    return authz_app().secret_box


def create_access_key(
    principal: str,
    *,
    buckets: Iterable[str] | None = None,
    note: str = "",
    expires_at: datetime | None = None,
) -> tuple[AccessKey, str]:
    """Make a key and return it with its secret, which cannot be shown again. ``buckets`` None: all."""
    row = AccessKey(
        principal=principal,
        buckets=None if buckets is None else sorted(buckets),
        note=note,
        expires_at=expires_at,
    )
    secret = assign_new_key(row)
    row.save()
    return row, secret


def new_access_key_id() -> str:
    """A random id, of a permanent key or a session."""
    return "MZ" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(18))


def assign_new_key(row: AccessKey) -> str:
    """Give an unsaved row a random id and secret; returns the secret in clear."""
    row.access_key_id = new_access_key_id()
    secret = secrets.token_urlsafe(30)
    row.encrypted_secret = secret_box().encrypt(row.access_key_id, secret)
    return secret
