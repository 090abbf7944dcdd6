"""What an encoder says until it may publish, and what it is answered. No I/O."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from media.encoders.rtmp.amf import BadMessage, Value, decode, encode
from media.encoders.rtmp.chunks import ACKNOWLEDGE, BANDWIDTH, COMMAND, WINDOW, Message, chunked

WINDOW_OCTETS = 2_500_000
"""Received octets after which an acknowledgement is due."""
LONGEST_KEY = 128
STREAM = 1
FLV_HEADER = b"FLV\x01\x05\0\0\0\x09" + bytes(4)
"""Sound and picture (Adobe's Flash Video File Format 10.1, annex E.2)."""


Said = dict[str, float | str]


class Talk:
    """The conversation of one connection: `hear` gives the answer; `key` is set once a stream is offered."""

    def __init__(self) -> None:
        self.key: str | None = None
        """The stream key that was shown; whether it is one, others decide."""
        self.ended = False
        self._connected = False

    def hear(self, message: Message) -> bytes:
        """The answer to a command, empty where none is due. Raises BadMessage."""
        if message.kind != COMMAND:
            return b""
        values = decode(message.payload)
        if len(values) < 2 or not isinstance(values[0], str) or not isinstance(values[1], float):
            raise BadMessage("no command")
        match values[0]:
            case "connect":
                self._connected = True
                return self._connect(values[1])
            case "createStream":
                return _command("_result", values[1], None, float(STREAM))
            case "publish":
                self._publish(values)
            case "deleteStream" | "closeStream" | "FCUnpublish":
                self.ended = True
        return b""

    def _connect(self, transaction: float) -> bytes:
        window = struct.pack("!I", WINDOW_OCTETS)
        said: Said = {
            "level": "status",
            "code": "NetConnection.Connect.Success",
            "description": "",
            "objectEncoding": 0.0,
        }
        return (
            chunked(WINDOW, window)
            + chunked(BANDWIDTH, window + b"\x02")
            + _command("_result", transaction, {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0}, said)
        )

    def _publish(self, values: list[Value]) -> None:
        name = values[3] if len(values) > 3 else None
        if not self._connected or self.key is not None or not isinstance(name, str):
            raise BadMessage("publish out of turn")
        self.key = name.split("?")[0][:LONGEST_KEY]


def _command(name: str, transaction: float, *values: float | str | dict[str, float | str] | None) -> bytes:
    return chunked(COMMAND, encode(name, transaction, *values))


def status(code: str) -> bytes:
    """A word on the stream: ``NetStream.Publish.Start``, or ``NetStream.Publish.BadName``."""
    level = "status" if code.endswith("Start") else "error"
    said: Said = {"level": level, "code": code, "description": ""}
    return chunked(COMMAND, encode("onStatus", 0.0, None, said), stream=STREAM)


def acknowledgement(octets: int) -> bytes:
    """How much has come."""
    return chunked(ACKNOWLEDGE, struct.pack("!I", octets & 0xFFFFFFFF))


def flv_tag(message: Message) -> Iterator[bytes]:
    """A message of sound, picture or data as a tag of a Flash video file, in pieces."""
    size, time = len(message.payload), message.timestamp
    yield struct.pack(
        "!B3s3sB3s", message.kind, size.to_bytes(3, "big"), (time & 0xFFFFFF).to_bytes(3, "big"), time >> 24, b""
    )
    yield message.payload
    yield struct.pack("!I", size + 11)
