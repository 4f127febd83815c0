"""Decoder of aws-chunked bodies: bytes in, events out; it reads nothing itself.

Source: S3 API reference, "Signature Calculations for the Authorization Header", "Transferring Payload in
Multiple Chunks" and "Including Trailing Headers". The body is a run of chunks ``SIZE[;extension]CRLF DATA
CRLF``, a chunk of size zero, trailer lines, and an empty line. Size in hexadecimal. The reference asks for
chunks of at least 8 KiB; clients send smaller ones, nothing here depends on it, so any size is taken.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256

from authz.sigv4.proof import ChunkChain, SignedChunks, UnsignedTrailer
from authz.sigv4.signing import ChunkSigner
from uploads.s3.errors import (
    ChunkSignatureDoesNotMatch,
    IncompleteBody,
    InvalidChunkSizeError,
    InvalidTrailer,
    MalformedChunk,
)

# A line is looked for in a copy of what comes next, and few are longer.
_USUAL_LINE_BYTES = 128
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
_SIGNATURE_EXTENSION = b"chunk-signature="
_TRAILER_SIGNATURE = "x-amz-trailer-signature"


@dataclass(frozen=True, slots=True)
class Data:
    """Payload bytes: those of what was fed from ``start`` to before ``end``. Of a signed body they are proven
    only when a later event of ``feed`` arrives."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Trailer:
    """A trailing header; the name is in lower case, the value stripped. Its signature was verified."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class End:
    """The body is complete and every signature in it holds."""


Event = Data | Trailer | End


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """What a decoder accepts. ``payload_length`` is x-amz-decoded-content-length, None when not promised."""

    payload_length: int | None = None
    max_line_bytes: int = 4096


class State(Enum):
    """What the next byte belongs to."""

    HEADER = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()
    COMPLETE = auto()


class AwsChunkedDecoder:
    """Decodes one body. ``trailer_names`` are the lower-case names that ``x-amz-trailer`` announced."""

    def __init__(
        self,
        proof: SignedChunks | UnsignedTrailer,
        *,
        trailer_names: Collection[str] = (),
        limits: ChunkLimits | None = None,
    ) -> None:
        self.state = State.HEADER
        self._signatures = _Signatures(proof.chain) if isinstance(proof, SignedChunks) else None
        self._is_trailer_signed = isinstance(proof, SignedChunks) and proof.has_trailer
        self._trailers = _TrailerLines(trailer_names, is_signed=self._is_trailer_signed)
        self._limits = limits or ChunkLimits()
        self._promised = self._limits.payload_length
        self._chunk_signature = b""
        self._chunk_remaining = 0
        self._line = bytearray()
        self._input = memoryview(b"")
        self._at = 0

    def feed(self, data: bytes | memoryview) -> Iterator[Event]:
        """The events that ``data`` completes, found while you iterate; ``b""`` says that the input has ended.

        Nothing is read twice: once a Data event came, all of ``data`` before its end may be written over.
        Iterate to the end before feeding more: RuntimeError otherwise.
        Raises MalformedChunk, InvalidChunkSizeError, ChunkSignatureDoesNotMatch, InvalidTrailer, and
        IncompleteBody when the input ends too early or a chunk is longer than what is left of the promised
        payload. After an error the decoder is spent.
        """
        if self._at < len(self._input):
            raise RuntimeError("the events of what was fed before were not all taken")
        if not data and self.state is not State.COMPLETE:
            raise IncompleteBody
        self._input, self._at = memoryview(data), 0
        return self._events()

    def _events(self) -> Iterator[Event]:
        while self._at < len(self._input):
            match self.state:
                case State.HEADER:
                    self._read_header()
                case State.DATA:
                    yield self._read_data()
                case State.DATA_END:
                    self._read_data_end()
                case State.TRAILER:
                    yield from self._read_trailer_line()
                case State.COMPLETE:
                    raise MalformedChunk("The aws-chunked body has bytes after its end.")

    def _read_line(self, max_bytes: int) -> bytes | None:
        """The next line with its LF, None when the input ends first; raises MalformedChunk if longer."""
        room = max_bytes - len(self._line)
        for length in (min(room, _USUAL_LINE_BYTES), room):
            ahead = bytes(self._input[self._at : self._at + length])
            if end := ahead.find(b"\n") + 1:
                line = bytes(self._line) + ahead[:end]
                self._line.clear()
                self._at += end
                return line
        if len(ahead) >= room:
            raise MalformedChunk
        self._line += ahead
        self._at = len(self._input)
        return None

    def _read_header(self) -> None:
        line = self._read_line(self._limits.max_line_bytes)
        if line is None:
            return
        if not line.endswith(b"\r\n"):
            raise MalformedChunk
        size, _, extensions = line[:-2].partition(b";")
        self._start_chunk(_parse_size(size), extensions)

    def _start_chunk(self, size: int, extensions: bytes) -> None:
        if self._signatures:
            self._chunk_signature = _find_signature(extensions)
        if self._promised is not None:
            if size > self._promised:
                raise IncompleteBody("The chunks hold more bytes than x-amz-decoded-content-length promised.")
            self._promised -= size
        self._chunk_remaining = size
        if size:
            self.state = State.DATA
            return
        self._verify_chunk()
        self.state = State.TRAILER

    def _read_data(self) -> Data:
        start, end = self._at, min(self._at + self._chunk_remaining, len(self._input))
        if self._signatures:
            self._signatures.update(self._input[start:end])
        self._at = end
        self._chunk_remaining -= end - start
        if not self._chunk_remaining:
            self.state = State.DATA_END
        return Data(start, end)

    def _read_data_end(self) -> None:
        line = self._read_line(2)
        if line is None:
            return
        if line != b"\r\n":
            raise MalformedChunk
        self._verify_chunk()
        self.state = State.HEADER

    def _verify_chunk(self) -> None:
        if self._signatures:
            self._signatures.verify_chunk(self._chunk_signature)

    def _read_trailer_line(self) -> Iterator[Event]:
        line = self._read_line(self._limits.max_line_bytes)
        if line is None or not self._trailers.add(line):
            return
        if self._signatures and self._is_trailer_signed:
            self._signatures.verify_trailer(self._trailers.canonical(), self._trailers.signature)
        self.state = State.COMPLETE
        yield from (Trailer(name, value) for name, value in self._trailers.values.items())
        yield End()


class _Signatures:
    """The chain of chunk signatures of one body, verified chunk by chunk."""

    def __init__(self, chain: ChunkChain) -> None:
        self._signer = ChunkSigner(chain)
        self._chunk = sha256()

    def update(self, data: memoryview) -> None:
        self._chunk.update(data)

    def verify_chunk(self, claimed: bytes) -> None:
        _compare(self._signer.chunk(self._chunk.hexdigest()), claimed)
        self._chunk = sha256()

    def verify_trailer(self, canonical: bytes, claimed: bytes) -> None:
        _compare(self._signer.trailer(sha256(canonical).hexdigest()), claimed)


class _TrailerLines:
    """The lines after the last chunk, up to the empty one that ends the body.

    A line ends with CRLF, or with LF CRLF as minio-go writes the last one before the signature or the end.
    """

    def __init__(self, announced: Collection[str], *, is_signed: bool) -> None:
        self.values: dict[str, str] = {}
        self.signature = b""
        self._announced = frozenset(announced)
        self._is_signed = is_signed
        self._owes_crlf = False

    def add(self, line: bytes) -> bool:
        """Take a line with its LF; True when it was the last. Raises InvalidTrailer."""
        if line == b"\r\n":
            if not self._owes_crlf:
                self._finish()
                return True
            self._owes_crlf = False
            return False
        self._owes_crlf = not line.endswith(b"\r\n")
        self._add_field(line.removesuffix(b"\n").removesuffix(b"\r"))
        return False

    def canonical(self) -> bytes:
        """What the trailer signature is computed over."""
        return "".join(f"{name}:{value}\n" for name, value in self.values.items()).encode("ascii")

    def _add_field(self, field: bytes) -> None:
        name, value = _parse_field(field)
        if self.signature:
            raise InvalidTrailer("x-amz-trailer-signature is not the last line of the trailer.")
        if name == _TRAILER_SIGNATURE and self._is_signed:
            self.signature = value.encode("ascii")
            return
        if name not in self._announced or name in self.values:
            raise InvalidTrailer
        self.values[name] = value

    def _finish(self) -> None:
        if self._announced - self.values.keys():
            raise InvalidTrailer("The body ended without the trailer that x-amz-trailer announced.")
        if self._is_signed and not self.signature:
            raise InvalidTrailer("The body ended without x-amz-trailer-signature.")


def _parse_size(text: bytes) -> int:
    if not _SIZE.fullmatch(text):
        raise InvalidChunkSizeError("The size of an aws-chunked chunk is not 1 to 16 hexadecimal digits.")
    return int(text, 16)


def _find_signature(extensions: bytes) -> bytes:
    for extension in extensions.split(b";"):
        if extension.startswith(_SIGNATURE_EXTENSION):
            return extension[len(_SIGNATURE_EXTENSION) :]
    raise MalformedChunk("A chunk of the signed body has no chunk-signature.")


def _parse_field(field: bytes) -> tuple[str, str]:
    try:
        name, colon, value = field.decode("ascii").partition(":")
    except UnicodeDecodeError:
        raise InvalidTrailer from None
    if not colon:
        raise InvalidTrailer
    return name.strip(" \t").lower(), value.strip(" \t")


def _compare(computed: str, claimed: bytes) -> None:
    if not hmac.compare_digest(computed.encode("ascii"), claimed):
        raise ChunkSignatureDoesNotMatch
