"""The listening door: an encoder that shows the key of a stream that is wanted now is let in; everybody else is not."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from media.encoders.process import News
from media.encoders.rtmp.amf import BadMessage
from media.encoders.rtmp.chunks import AUDIO, DATA, VIDEO, ChunkReader, Message
from media.encoders.rtmp.talk import FLV_HEADER, WINDOW_OCTETS, Talk, acknowledgement, flv_tag, status

log = logging.getLogger(__name__)

MOST_CONNECTIONS, MOST_PER_ADDRESS = 128, 16
INTRODUCE_SECONDS = 10.0
"""From the first octet to a key that is known."""
QUIET_SECONDS = 15.0
READ = 64 * 1024
SETTLE_SECONDS = 5.0
"""How long one that is let in may wait for its reader."""
MEDIA = (AUDIO, VIDEO, DATA)
VERSION = b"\x03"
GREETING = 1536


def digest(key: str) -> bytes:
    """What is kept of a key. Keys are random and long, so a plain hash is enough, and nobody is barred for a wrong one: an
    encoder whose lesson has not begun knocks again and again."""
    return hashlib.sha256(key.encode()).digest()


class Turn(Protocol):
    """Decides between doors, on several servers, that wait for the same stream: it may come to any of them."""

    async def take(self) -> bool:
        """Whether the encoder that has just come to this door may come in: it is at no other one."""
        ...

    async def give_back(self) -> None:
        """It is gone again."""
        ...


class Alone:
    """The turn where no other door waits."""

    async def take(self) -> bool:
        return True

    async def give_back(self) -> None:
        return


ALONE = Alone()


class Wanted:
    """A stream that is waited for."""

    def __init__(self, key_digest: bytes, turn: Turn) -> None:
        self.key_digest, self.turn = key_digest, turn
        self.arrived = asyncio.Event()
        self.reader: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()
        """Where its octets go."""
        self.ended = asyncio.Event()


class RtmpDoor:
    """Listens at one TCP port. `expect` says which stream is wanted."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._wanted: set[Wanted] = set()
        self._talks: dict[asyncio.Task[None], str] = {}

    @property
    def port(self) -> int:
        """The port in use, known after `start`."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listens. Raises OSError where the port cannot be had."""
        self._server = await asyncio.start_server(self._meet, self._host, self._port, limit=READ)

    async def close(self) -> None:
        """Ends every connection and the door. May be repeated."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._talks):
            task.cancel()
        if self._talks:
            await asyncio.wait(self._talks)
        await self._server.wait_closed()
        self._server = None

    @asynccontextmanager
    async def expect(self, key_digest: bytes, turn: Turn) -> AsyncIterator[Wanted]:
        """Lets in the encoder that shows this key, one connection, for as long as the block lasts."""
        wanted = Wanted(key_digest, turn)
        self._wanted.add(wanted)
        try:
            yield wanted
        finally:
            self._wanted.discard(wanted)
            wanted.reader.cancel()
            wanted.ended.set()
            if wanted.arrived.is_set():
                await turn.give_back()

    # ------------------------------------------------------------ one connection

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        address = str(writer.get_extra_info("peername")[0])
        crowded = len(self._talks) >= MOST_CONNECTIONS or list(self._talks.values()).count(address) >= MOST_PER_ADDRESS
        if not crowded:
            self._talks[task] = address
            try:
                await self._talk(reader, writer)
            except (BadMessage, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                log.info("media_rtmp_ended reason=%s", type(error).__name__)
            except asyncio.CancelledError:
                pass  # the door closes
            finally:
                del self._talks[task]
        writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk, chunks = Talk(), ChunkReader()
        async with asyncio.timeout(INTRODUCE_SECONDS):
            await _greet(reader, writer)
            early: list[Message] = []  # media in the same octets as the key
            key: str | None = None
            while key is None:
                if not (octets := await reader.read(READ)):
                    return
                for message in chunks.take(octets):
                    writer.write(talk.hear(message))
                    key = talk.key
                    if key is not None and message.kind in MEDIA:
                        early.append(message)
                await writer.drain()
        wanted = self._of_key(key)
        if wanted is None or not await wanted.turn.take() or wanted.arrived.is_set():
            writer.write(status("NetStream.Publish.BadName"))
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), SETTLE_SECONDS)
            return
        wanted.arrived.set()
        async with asyncio.timeout(SETTLE_SECONDS):
            _, sink = await asyncio.open_connection(sock=await wanted.reader)
        writer.write(status("NetStream.Publish.Start"))
        sink.write(FLV_HEADER)
        for message in early:
            sink.writelines(flv_tag(message))
        leaves = asyncio.create_task(wanted.ended.wait())
        pours = asyncio.create_task(_pour(reader, writer, talk, chunks, sink))
        try:
            await asyncio.wait({leaves, pours}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (leaves, pours):
                task.cancel()
            await asyncio.wait({leaves, pours})
            sink.transport.abort()
        if not pours.cancelled():
            pours.result()

    def _of_key(self, key: str) -> Wanted | None:
        shown, found = digest(key), None
        for wanted in self._wanted:
            if hmac.compare_digest(shown, wanted.key_digest) and not wanted.arrived.is_set():
                found = wanted
        return found


async def _pour(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    talk: Talk,
    chunks: ChunkReader,
    sink: asyncio.StreamWriter,
) -> None:
    """Writes what comes as a Flash video, until the encoder ends. A reader that is slow holds the encoder up."""
    total = acknowledged = 0
    while not talk.ended:
        async with asyncio.timeout(QUIET_SECONDS):
            if not (octets := await reader.read(READ)):
                return
            for message in chunks.take(octets):
                if message.kind in MEDIA:
                    sink.writelines(flv_tag(message))
                else:
                    writer.write(talk.hear(message))
            total += len(octets)
            if total - acknowledged >= WINDOW_OCTETS:
                acknowledged = total
                writer.write(acknowledgement(total))
            await sink.drain()
            await writer.drain()


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The plain handshake (RTMP 1.0 §5.2). Raises BadMessage."""
    first = await reader.readexactly(1 + GREETING)
    if first[:1] != VERSION:
        raise BadMessage("version")
    writer.write(VERSION + bytes(8) + os.urandom(GREETING - 8) + first[1:])
    await writer.drain()
    await reader.readexactly(GREETING)


class Push:
    """An RTMP encoder: it is waited for at the door, and its stream goes through a pair of sockets."""

    pushed = True

    def __init__(self, door: RtmpDoor, key_digest: bytes, turn: Turn = ALONE) -> None:
        self._door, self._digest, self._turn = door, key_digest, turn

    @asynccontextmanager
    async def job(self) -> AsyncIterator[tuple[News, tuple[int, ...]]]:
        """What the reading process needs, once the encoder is there."""
        async with self._door.expect(self._digest, self._turn) as wanted:
            await wanted.arrived.wait()
            ours, theirs = socket.socketpair()
            with theirs:
                if wanted.reader.done():  # it left meanwhile: the reading process finds nothing
                    ours.close()
                else:
                    wanted.reader.set_result(ours)
                yield {"kind": "flv", "descriptor": theirs.fileno()}, (theirs.fileno(),)
