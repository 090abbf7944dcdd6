"""Encoders that push: FFmpeg as the encoder, the door that lets it in, and what is turned away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from encoder_world import Desk, Pupil
from hypothesis import given
from hypothesis import strategies as st
from media_world import ROOM
from recording_room import children
from waiting import PATIENCE, SOON, until

from media.encoders.encoder import probe
from media.encoders.rtmp.amf import BadMessage, decode, encode
from media.encoders.rtmp.chunks import COMMAND, VIDEO, ChunkReader, chunked
from media.encoders.rtmp.door import Push, RtmpDoor, digest
from media.encoders.rtmp.talk import Talk
from media.encoders.values import EncoderRefused
from media.relay import Relay

KEY = "kR4-yV0Zc1_stream-key"


@pytest.fixture
async def door() -> AsyncIterator[RtmpDoor]:
    door = RtmpDoor("127.0.0.1", 0)
    await door.start()
    yield door
    await door.close()
    assert not children()


class PushingEncoder:
    """The process of `pushing_encoder`."""

    def __init__(self, door: RtmpDoor, key: str = KEY, **options: str) -> None:
        self._arguments = f"rtmp://127.0.0.1:{door.port}/live/{key}", json.dumps(options)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> PushingEncoder:
        program = Path(__file__).with_name("pushing_encoder.py")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(program), *self._arguments, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.communicate()

    async def turned_away(self, times: int = 1) -> None:
        """Returns when that has happened."""
        assert self._process is not None
        assert self._process.stdout is not None
        for _ in range(times):
            assert await asyncio.wait_for(self._process.stdout.readline(), PATIENCE) == b"turned away\n"


async def test_a_pushed_stream_arrives_decodes_and_keeps_in_step(relay: Relay, door: RtmpDoor) -> None:
    async with Desk(relay, Push(door, digest(KEY))) as desk, Pupil() as pupil:
        await until(lambda: desk.reasons == ["not_pushing"])
        async with PushingEncoder(door):
            await desk.live()
            await until(lambda: relay.snapshot(ROOM).layers and relay.snapshot(ROOM).layers[-1].keyframes)
            await pupil.join(relay)
            await until(lambda: len(pupil.packets["OPUS"]) > 130 and len(pupil.clocks) == 2)
            assert len(pupil.pictures()) > 35, "from a key picture on, every picture decodes"
            assert len(offsets := pupil.offsets()) >= 2
            assert all(abs(offset) < 0.08 for offset in offsets), offsets


async def test_only_who_shows_the_key_of_a_wanted_stream_is_let_in(door: RtmpDoor) -> None:
    async with PushingEncoder(door) as encoder, PushingEncoder(door, key=KEY + "x") as stranger:
        await encoder.turned_away()
        found = await probe(Push(door, digest(KEY)))
        assert (found.picture, found.width, found.height, found.sound) == ("h264", 320, 240, "aac")
        await stranger.turned_away(2)
    with pytest.raises(EncoderRefused) as refused:
        await probe(Push(door, digest(KEY)), patience=0.1)
    assert refused.value.reason == "not_pushing"


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n" * 100,
        b"\x03" + bytes(1536) * 2 + b"\x02\0\0\0\xff\xff\xff\x14\0\0\0\0",  # a message of 16 MB
        b"\x03" + bytes(1536) * 2 + chunked(1, b"\x7f\xff\xff\xff"),  # chunks of 2 GB
        b"\x03" + bytes(1536) * 2 + chunked(COMMAND, encode("publish", 1.0, None, KEY)),  # before connect
        b"\x03" + bytes(1536) * 2 + chunked(COMMAND, b"\x0a\xff\xff\xff\xff"),
    ],
)
async def test_what_is_no_encoder_is_hung_up_on(door: RtmpDoor, octets: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(octets)
    with contextlib.suppress(ConnectionResetError):
        await asyncio.wait_for(reader.read(), SOON)
        assert await asyncio.wait_for(reader.read(), SOON) == b""
    writer.close()


@given(st.lists(st.binary(min_size=1, max_size=400), max_size=6), st.integers(1, 60))
def test_messages_survive_any_cut(payloads: list[bytes], size: int) -> None:
    octets = b"".join(chunked(VIDEO, payload) for payload in payloads)
    reader = ChunkReader()
    found = [message for at in range(0, len(octets), size) for message in reader.take(octets[at : at + size])]
    assert [message.payload for message in found] == payloads


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    with contextlib.suppress(BadMessage):
        decode(octets)
    with contextlib.suppress(BadMessage):
        talk = Talk()
        for message in ChunkReader().take(octets):
            talk.hear(message)


def test_values_come_back() -> None:
    said = {"app": "live", "n": 1.0}
    assert decode(encode("connect", 1.0, None, True, said)) == ["connect", 1.0, None, True, said]
