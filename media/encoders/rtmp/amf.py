"""AMF0, the values of RTMP's commands (Action Message Format, AMF 0), read within bounds and written as far as answers need."""

from __future__ import annotations

import struct
from collections.abc import Mapping

Value = float | bool | str | None | dict[str, "Value"] | list["Value"]

MOST_VALUES = 200
"""In one message, all depths together."""
DEEPEST = 8
_END = b"\0\0\x09"


class BadMessage(Exception):
    """What came is not RTMP, or more than an encoder has to say."""


def decode(octets: bytes) -> list[Value]:
    """The values of a message. Raises BadMessage."""
    reader, values = _Reader(octets), []
    while reader.at < len(octets):
        values.append(reader.value(0))
    return values


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self.octets, self.at, self.count = octets, 0, 0

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.octets):
            raise BadMessage("cut short")
        piece, self.at = self.octets[self.at : end], end
        return piece

    def _text(self, width: int) -> str:
        return self._take(int.from_bytes(self._take(width), "big")).decode("utf-8", "replace")

    def value(self, depth: int) -> Value:
        self.count += 1
        if self.count > MOST_VALUES or depth > DEEPEST:
            raise BadMessage("too much")
        match self._take(1)[0]:
            case 0:
                return float(struct.unpack("!d", self._take(8))[0])
            case 1:
                return self._take(1) != b"\0"
            case 2:
                return self._text(2)
            case 3:
                return self._object(depth)
            case 5 | 6:
                return None
            case 8:  # an array with names; its length is a hint only
                self._take(4)
                return self._object(depth)
            case 10:
                return [
                    self.value(depth + 1) for _ in range(min(int.from_bytes(self._take(4), "big"), MOST_VALUES + 1))
                ]
            case 11:
                return float(struct.unpack("!d", self._take(10)[:8])[0])
            case 12:
                return self._text(4)
        raise BadMessage("unknown value")

    def _object(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while not self.octets.startswith(_END, self.at):
            name = self._text(2)
            found[name] = self.value(depth + 1)
        self.at += len(_END)
        return found


def encode(*values: float | bool | str | Mapping[str, float | str] | None) -> bytes:
    """A message of these values."""
    return b"".join(_encoded(value) for value in values)


def _encoded(value: float | bool | str | Mapping[str, float | str] | None) -> bytes:
    if value is None:
        return b"\x05"
    if isinstance(value, bool):
        return bytes((1, value))
    if isinstance(value, str):
        return b"\x02" + _name(value)
    if isinstance(value, Mapping):
        return b"\x03" + b"".join(_name(name) + _encoded(each) for name, each in value.items()) + _END
    return b"\0" + struct.pack("!d", value)


def _name(text: str) -> bytes:
    octets = text.encode()
    return len(octets).to_bytes(2, "big") + octets
