"""Clients of other makers, both ways, over real HTTP: aiortc as a plain client, and libdatachannel by npm.

libdatachannel is looked for in `tests/api/clients/node_modules` (``npm install`` there) and in ``NODE_PATH``; the test is passed
over with a reason where it or Node.js is missing.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame
from media_doors import Doors
from waiting import PATIENCE, SOON, until

from media.events import RoomId

pytestmark = pytest.mark.parametrize("database", ["sqlite"])

CLIENTS = Path(__file__).parent / "clients"
PLACES = (CLIENTS / "node_modules", *(Path(each) for each in os.environ.get("NODE_PATH", "").split(":") if each))
GCM = "SRTP_AEAD_AES_128_GCM"


class SmallPicture(VideoStreamTrack):
    """Grey, so that encoding costs little."""

    async def recv(self) -> VideoFrame:
        frame = VideoFrame(160, 96, "yuv420p")
        frame.pts, frame.time_base = await self.next_timestamp()
        return frame


async def connect(doors: Doors, door: str, connection: RTCPeerConnection) -> None:
    await connection.setLocalDescription(await connection.createOffer())
    role = "publish" if door == "whip" else "subscribe"
    answer = await doors.post(door, connection.localDescription.sdp, doors.token(role))
    assert answer.status == 201
    await connection.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
    await until(lambda: connection.connectionState == "connected")


async def test_aiortc_publishes_and_receives(doors: Doors) -> None:
    relay = doors.site.server.services.relay
    teacher, pupil = RTCPeerConnection(), RTCPeerConnection()
    for track in (AudioStreamTrack(), SmallPicture()):
        teacher.addTransceiver(track, direction="sendonly")
    for kind in ("audio", "video"):
        pupil.addTransceiver(kind, direction="recvonly")
    await connect(doors, "whip", teacher)
    await until(lambda: relay.totals().publishers)
    await connect(doors, "whep", pupil)
    received = {transceiver.kind: transceiver.receiver.track for transceiver in pupil.getTransceivers()}
    async with asyncio.timeout(PATIENCE):
        picture, sound = await received["video"].recv(), await received["audio"].recv()
    assert (picture.width, picture.height) == (160, 96)
    assert sound.sample_rate == 48_000
    assert {session.channel.cipher for session in relay._sessions.values()} == {GCM}
    await teacher.close()
    await pupil.close()
    await until(lambda: relay.totals().publishers + relay.totals().subscribers == 0, seconds=SOON)  # both said goodbye


class Seen:
    """What a client of another process says of itself."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.now: dict[str, Any] = {}

    async def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(await asyncio.wait_for(self.process.stdout.readline(), PATIENCE))
        return found

    async def follow(self) -> None:
        while True:
            self.now = await self.line()

    def say(self, value: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value).encode() + b"\n")


@asynccontextmanager
async def libdatachannel(doors: Doors, door: str) -> AsyncIterator[Seen]:
    modules = next((place for place in PLACES if (place / "node-datachannel").is_dir()), None)
    node = shutil.which("node")
    if node is None or modules is None:
        pytest.skip("libdatachannel is not here: npm install in tests/api/clients")
    command = (node, str(CLIENTS / "libdatachannel.mjs"), "send" if door == "whip" else "receive", str(modules))
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    client = Seen(process)
    follower = None
    try:
        role = "publish" if door == "whip" else "subscribe"
        answer = await doors.post(door, (await client.line())["offer"], doors.token(role))
        assert answer.status == 201
        client.say({"answer": await answer.text()})
        follower = asyncio.create_task(client.follow())
        yield client
        headers = {"Authorization": f"Bearer {doors.token(role)}"}
        async with doors.client.delete(answer.headers["Location"], headers=headers) as ended:
            assert ended.status == 200
    finally:
        if follower is not None:
            follower.cancel()
            await asyncio.wait({follower})
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()


async def test_libdatachannel_publishes_and_receives(doors: Doors) -> None:
    relay = doors.site.server.services.relay
    async with libdatachannel(doors, "whip") as teacher:
        await until(lambda: relay.totals().publishers)
        async with libdatachannel(doors, "whep") as pupil:
            await until(lambda: min(pupil.now.get("audio", 0), pupil.now.get("video", 0)) > 30)
            assert pupil.now["state"] == "connected"
            assert {session.channel.cipher for session in relay._sessions.values()} == {GCM}
            await until(lambda: teacher.now["feedback"] > 0)
            room = RoomId(doors.side.occurrence)
            await until(lambda: any(view.round_trip_ms is not None for view in relay.snapshot(room).sessions))
            assert all(layer.lost == 0 and layer.packets > 30 for layer in relay.snapshot(room).layers)
    assert relay.totals().publishers + relay.totals().subscribers == 0
