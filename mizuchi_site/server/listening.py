"""The listening socket: opened once by the main process, inherited by every worker.

One shared socket, not one per worker (``SO_REUSEPORT``): a connection that waits to be accepted outlives
the worker that dies, and a port that is in use is refused by the kernel.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Self


class BindError(Exception):
    """The address cannot be listened on; the message says why, for an operator."""


@dataclass(frozen=True, slots=True)
class BindAddress:
    """Where to listen. ``host`` is a name or an address, IPv6 without brackets; port 0 is any free port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``HOST:PORT`` or ``[IPV6]:PORT``; raises BindError."""
        host, separator, port = text.rpartition(":")
        if not separator or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise BindError(
                f"Bad address {text!r}: write HOST:PORT, for example 127.0.0.1:8080 or [::]:8080."
            )
        if ":" in host and not (host.startswith("[") and host.endswith("]")):
            raise BindError(f"Bad address {text!r}: put an IPv6 address in brackets, for example [::1]:8080.")
        return cls(host.strip("[]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listen(address: BindAddress, *, backlog: int) -> socket.socket:
    """Open the socket; raises BindError when the name is unknown or the address is in use or forbidden."""
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, target = found[0]
        listener = socket.create_server(target[:2], family=family, backlog=backlog)
    except OSError as error:
        raise BindError(f"Cannot listen on {address}: {error.strerror or error}.") from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted connections inherit it
    return listener
