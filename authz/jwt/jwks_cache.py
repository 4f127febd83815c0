"""The keys behind a ``jwks_url``, fetched when they are needed and kept.

- Keys are fetched with the first token, and again when they are older than ``refresh_seconds``.
- A key id that is not among them may be new, so they are fetched again; no more than once in
  ``refetch_seconds``, whatever key ids strangers invent.
- One thread fetches. Others use the keys there are; who has none waits for it, no longer than its time limit.
- While the endpoint is away, keys serve until they are older than ``stale_seconds``. Then nobody gets in.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from authz.config import JwksConfig
from authz.errors import TokenKeysUnavailable

from .jwks import parse_jwks
from .jwks_document import JwksUnreachable
from .keys import VerificationKey
from .token import UnverifiedToken

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _KeySet:
    keys: tuple[VerificationKey, ...]
    fetched_at: float

    def matching(self, token: UnverifiedToken) -> tuple[VerificationKey, ...]:
        """By algorithm and, where the token names one, by key id."""
        return tuple(
            key
            for key in self.keys
            if token.algorithm in key.algorithms and token.key_id in (None, key.key_id)
        )


class JwksKeys:
    """A KeySource over a JWK Set. Thread-safe. ``fetch`` gets the document; it raises JwksUnreachable."""

    def __init__(
        self,
        name: str,
        fetch: Callable[[], bytes],
        config: JwksConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._config = config
        self._clock = clock
        self._known: _KeySet | None = None
        self._tried_at = -float("inf")
        self._is_fetching = False
        self._is_failing = False
        self._changed = threading.Condition()

    def keys_for(self, token: UnverifiedToken) -> tuple[VerificationKey, ...]:
        known = self._serving()
        found = known.matching(token) if known else ()
        if not found or known is None or self._age(known) > self._config.refresh_seconds:
            self._refresh(has_keys=bool(found))
            known = self._serving()
            found = known.matching(token) if known else ()
        if not found and (known is None or self._is_failing):
            # Unknown is only what the endpoint could be asked about.
            raise TokenKeysUnavailable(reason="keys unavailable")
        return found

    def _serving(self) -> _KeySet | None:
        known = self._known
        return known if known and self._age(known) <= self._config.stale_seconds else None

    def _age(self, known: _KeySet) -> float:
        return self._clock() - known.fetched_at

    def _refresh(self, *, has_keys: bool) -> None:
        with self._changed:
            if self._is_fetching:
                if not has_keys:
                    self._changed.wait_for(lambda: not self._is_fetching, self._config.timeout_seconds)
                return
            if self._clock() - self._tried_at < self._config.refetch_seconds:
                return
            self._is_fetching = True
            self._tried_at = self._clock()
        problem = "failed"
        try:
            self._known = _KeySet(parse_jwks(self._fetch()), self._clock())
            problem = ""
        except (JwksUnreachable, ValueError) as error:
            problem = str(error)
        finally:
            with self._changed:
                self._is_fetching = False
                self._tell_change(problem)
                self._changed.notify_all()

    def _tell_change(self, problem: str) -> None:
        """One line for each change of state, however many tokens come."""
        if problem and not self._is_failing:
            logger.warning("the keys of %s cannot be fetched: the endpoint %s", self._name, problem)
        elif self._is_failing and not problem:
            logger.warning("the keys of %s can be fetched again", self._name)
        self._is_failing = bool(problem)
