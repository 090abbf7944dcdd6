"""RTMP's chunk stream (Adobe's RTMP 1.0 §5.3): messages cut into chunks, put together again within bounds."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from media.encoders.rtmp.amf import BadMessage

SET_CHUNK_SIZE, ABORT, ACKNOWLEDGE, WINDOW, BANDWIDTH, AUDIO, VIDEO, DATA, COMMAND = 1, 2, 3, 5, 6, 8, 9, 18, 20
LARGEST_MESSAGE = 4 << 20
"""A key picture of 1080p takes some hundred KB."""
LARGEST_CHUNK = 1 << 20
MOST_STREAMS = 16
MOST_WAITING = 2 * LARGEST_MESSAGE
CHUNK = 128
_EXTENDED = 0xFFFFFF
_HEADS = (11, 7, 3, 0)


class Message(NamedTuple):
    """A whole message; `timestamp` in ms."""

    kind: int
    timestamp: int
    payload: bytes


@dataclass(slots=True)
class _Stream:
    timestamp: int = 0
    written: int = 0
    """The last timestamp, or difference, as it was written."""
    size: int = 0
    kind: int = 0
    begun: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """Takes octets as they come, gives whole messages. Raises BadMessage for what is none, or is too large."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._streams: dict[int, _Stream] = {}
        self._chunk = CHUNK
        self._waiting = 0
        """Octets of messages that are not whole yet."""

    def take(self, octets: bytes) -> Iterator[Message]:
        """The messages that these octets complete."""
        self._kept += octets
        at = 0
        while (end := self._chunk_at(at)) is not None:
            at, message = end
            if message is None:
                continue
            if message.kind == SET_CHUNK_SIZE:
                self._chunk = int.from_bytes(message.payload[:4], "big")
                if not 1 <= self._chunk <= LARGEST_CHUNK:
                    raise BadMessage("chunk size")
            elif message.kind == ABORT:
                begun = self._stream(int.from_bytes(message.payload[:4], "big")).begun
                self._waiting -= len(begun)
                begun.clear()
            else:
                yield message
        del self._kept[:at]

    def _stream(self, number: int) -> _Stream:
        found = self._streams.get(number)
        if found is None:
            if len(self._streams) >= MOST_STREAMS:
                raise BadMessage("too many chunk streams")
            found = self._streams[number] = _Stream()
        return found

    def _chunk_at(self, at: int) -> tuple[int, Message | None] | None:
        """Where the chunk that begins here ends, and the message it completes; None while it is not whole."""
        kept, left = self._kept, len(self._kept) - at
        if left < 3:
            return None
        form, number = kept[at] >> 6, kept[at] & 63
        head = at + 1
        if number < 2:
            size = 1 + number
            number, head = 64 + int.from_bytes(kept[head : head + size], "little"), head + size
        body = head + _HEADS[form]
        if body + 4 > len(kept) and body > len(kept):
            return None
        stream = self._stream(number)
        written = int.from_bytes(kept[head : head + 3], "big") if form < 3 else stream.written
        extended = written >= _EXTENDED
        if extended:
            if body + 4 > len(kept):
                return None
            written, body = max(int.from_bytes(kept[body : body + 4], "big"), _EXTENDED), body + 4
        size, kind = stream.size, stream.kind
        if form < 2:
            size, kind = int.from_bytes(kept[head + 3 : head + 6], "big"), kept[head + 6]
        if size > LARGEST_MESSAGE or (form < 3 and stream.begun):
            raise BadMessage("too large" if size > LARGEST_MESSAGE else "a message within a message")
        end = body + min(self._chunk, size - len(stream.begun))
        if end > len(kept):
            return None
        if not stream.begun:
            stream.timestamp = (written if form == 0 else stream.timestamp + written) & 0xFFFFFFFF
            stream.written, stream.size, stream.kind = written, size, kind
        stream.begun += kept[body:end]
        self._waiting += end - body
        if self._waiting > MOST_WAITING:
            raise BadMessage("too much at once")
        if len(stream.begun) < size:
            return end, None
        message = Message(kind, stream.timestamp, bytes(stream.begun))
        self._waiting -= size
        stream.begun.clear()
        return end, message


def chunked(kind: int, payload: bytes, *, stream: int = 0) -> bytes:
    """A message in chunks of 128 octets, the size in force until another is agreed."""
    number = 2 if kind < COMMAND else 3
    head = struct.pack("!B3s3sB", number, b"", len(payload).to_bytes(3, "big"), kind) + struct.pack("<I", stream)
    pieces = [payload[at : at + CHUNK] for at in range(0, len(payload), CHUNK)]
    return head + bytes((0xC0 | number,)).join(pieces)
