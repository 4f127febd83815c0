"""Names to addresses within a deadline: the system's resolver knows none, and may take half a minute."""

from __future__ import annotations

import os
import socket
import threading
from ipaddress import ip_address
from typing import Any

Address = tuple[Any, ...]
"""What ``socket.getaddrinfo`` says of one address: family, type, protocol, canonical name, address."""


class _Lookup:
    """One question to the resolver, on a thread of its own. Whoever asks the same meanwhile waits with it."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self.has_ended = threading.Event()
        self.found: list[Address] = []
        self.error: OSError | None = None

    def start(self) -> None:
        try:
            threading.Thread(target=self.run, name="mizuchi-lookup", daemon=True).start()
        except RuntimeError:
            self.run()  # no thread to be had, or the interpreter is ending: better late than never

    def run(self) -> None:
        try:
            self.found = list(socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            self.error = (
                error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error))
            )
        finally:
            with _pending.lock:
                _pending.lookups.pop((self._host, self._port), None)
            self.has_ended.set()


class _Pending:
    """The lookups under way in this process: at most one for each name, however long it takes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lookups: dict[tuple[str, int], _Lookup] = {}

    def lookup(self, host: str, port: int) -> _Lookup:
        with self.lock:
            found = self.lookups.get((host, port))
            if found is not None:
                return found
            made = self.lookups[host, port] = _Lookup(host, port)
        made.start()
        return made


_pending = _Pending()


def look_up(host: str, port: int, timeout_seconds: float) -> list[Address]:
    """The addresses of a host, at least one.

    Raises:
        OSError: a ``socket.gaierror`` when there are none, or no answer in time.
    """
    if _is_address(host):
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    lookup = _pending.lookup(host, port)
    if not lookup.has_ended.wait(timeout_seconds):
        raise socket.gaierror(socket.EAI_AGAIN, "the resolver did not answer in time")
    if lookup.error is not None:
        raise lookup.error
    return lookup.found


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _forget_the_parent() -> None:
    """Its lookups have no thread in the child of a fork."""
    global _pending
    _pending = _Pending()


os.register_at_fork(after_in_child=_forget_the_parent)
