"""Sessions of staff who upload in the browser, taken by buckets that are open for it (``browser_upload``).

A session is for one object and a few minutes. Its keys never leave the gateway: the browser gets requests
that were signed with them, and each of those is good for just one operation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from authz.credentials import new_access_key_id
from authz.reserved_names import STAFF_PREFIX

from .session import Grant, Session, SessionSealer

RULE = "staff"
"""Stands where a session from a token names the rule that took it."""

LIFETIME_SECONDS = 300


@dataclass(frozen=True, slots=True)
class StaffKeys:
    """The keys of a session. ``expires_at`` is Unix time in seconds."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: int


def staff_principal(username: str) -> str:
    """``user:<username>``: who owns what a member of staff uploads."""
    return STAFF_PREFIX + username


class StaffSessions:
    """Issues sessions. Thread-safe."""

    def __init__(self, sealer: SessionSealer, *, clock: Callable[[], float] = time.time) -> None:
        self._sealer = sealer
        self._clock = clock

    def issue(self, username: str, bucket: str, key: str) -> StaffKeys:
        """Whether the bucket takes such sessions is asked when one is used."""
        expires_at = int(self._clock()) + LIFETIME_SECONDS
        # One second more than what is signed with it, so that a late request hears of its URL's end.
        session = Session(expires_at + 1, (Grant(RULE, "", username),), {bucket: (key,)})
        access_key_id = new_access_key_id()
        token, secret = self._sealer.seal(access_key_id, session)
        return StaffKeys(access_key_id, secret, token, expires_at)
