"""A nameserver for tests: knows one address, denies all names, or says nothing. Source: RFC 1035, 4.1."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import SystemRandom
from typing import Literal

Mood = Literal["answers", "denies", "silent"]
_TYPE_A = 1
_NO_SUCH_NAME = 3
_ANSWER = 0x8180  # a response, recursion desired and available


@dataclass(slots=True)
class Nameserver:
    """``address`` is one of this machine's own, and of no other nameserver. ``mood``: every name is that of
    127.0.0.1, there are no names, or no question is answered."""

    address: str
    mood: Mood = "answers"

    def answer(self, question: bytes) -> bytes | None:
        """The response to a query of one name; None when there is none."""
        if self.mood == "silent":
            return None
        end = question.index(b"\0", 12) + 5
        asked = question[12:end]
        is_known = self.mood == "answers" and struct.unpack_from("!H", question, end - 4)[0] == _TYPE_A
        flags = _ANSWER | (_NO_SUCH_NAME if self.mood == "denies" else 0)
        head = question[:2] + struct.pack("!HHHHH", flags, 1, int(is_known), 0, 0)
        # The name of the answer is a pointer to that of the question; it may not be remembered (TTL 0).
        found = struct.pack("!HHHIH", 0xC00C, _TYPE_A, 1, 0, 4) + socket.inet_aton("127.0.0.1")
        return head + asked + (found if is_known else b"")


@contextmanager
def running_nameserver() -> Iterator[Nameserver]:
    """On port 53: needs root."""
    random = SystemRandom()
    nameserver = Nameserver(f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((nameserver.address, 53))
        ended = threading.Event()
        serving = threading.Thread(target=_serve, args=(server, nameserver, ended))
        serving.start()
        try:
            yield nameserver
        finally:
            ended.set()
            server.sendto(b"", (nameserver.address, 53))
            serving.join()


def _serve(server: socket.socket, nameserver: Nameserver, ended: threading.Event) -> None:
    while not ended.is_set():
        question, client = server.recvfrom(512)
        if len(question) > 16 and (answer := nameserver.answer(question)):
            server.sendto(answer, client)
