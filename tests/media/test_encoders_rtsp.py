"""Pulling from a recording room's encoder: what arrives decodes, keeps in step, and comes back after every failure."""

from __future__ import annotations

import asyncio
import io
import ipaddress
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import av
import pytest
from encoder_world import Desk, Pupil
from media_world import ROOM
from recording_room import FPS, HEIGHT, WIDTH, Film, RtspEncoder, children
from recording_room import picture as drawn
from waiting import until

from media.encoders.addresses import Allowed, RtspUrl, parse_url
from media.encoders.encoder import Pull, probe
from media.encoders.guard import Guard
from media.encoders.source import open_flv, open_rtsp
from media.encoders.values import EncoderRefused, Found
from media.orders import CloseRoom
from media.relay import Relay


@pytest.fixture(scope="module")
def film() -> Film:
    return Film()


@pytest.fixture(autouse=True)
def _no_process_left_behind() -> Iterator[None]:
    yield
    assert not children()


def pull(encoder: RtspEncoder, login: str = "") -> Pull:
    allowed = Allowed((ipaddress.ip_network("127.0.0.1/32"),), frozenset({encoder.port}))
    return Pull(parse_url(encoder.url(login)), allowed)


async def test_picture_and_sound_decode_and_keep_in_step(relay: Relay) -> None:
    async with RtspEncoder(Film(sound="pcm_alaw")) as room, Desk(relay, pull(room)) as desk, Pupil() as pupil:
        await desk.live()
        await until(lambda: relay.snapshot(ROOM).layers and relay.snapshot(ROOM).layers[-1].keyframes)
        await pupil.join(relay)
        await until(lambda: len(pupil.packets["OPUS"]) > 130 and len(pupil.clocks) == 2)
        assert len(pupil.pictures()) > 35, "from a key picture on, every picture decodes"
        assert len(offsets := pupil.offsets()) >= 2
        assert all(abs(offset) < 0.08 for offset in offsets), offsets


async def test_it_comes_back_after_every_end(relay: Relay) -> None:
    async with RtspEncoder(Film(sound="libopus")) as room, Desk(relay, pull(room)) as desk, Pupil() as pupil:
        publish, failures = desk.post, [RuntimeError("the database is away")]

        async def post(offer: str) -> str:
            if failures:
                raise failures.pop()
            return await publish(offer)

        desk.post = post
        await desk.live()
        assert desk.reasons == ["crashed"], "an error of ours is said, and tried again"
        await pupil.join(relay)
        await until(lambda: len(pupil.packets["OPUS"]) > 60 and len(pupil.clocks) == 2)  # the tone comes once a second
        assert any(loud > 0.1 for _, loud in pupil.sounds()), "Opus passes as it is"
        await room.stop()
        await until(lambda: "unreachable" in desk.reasons)
        await room.start()
        await desk.live()
        (child,) = children()
        os.kill(child, signal.SIGKILL)
        await until(lambda: desk.reasons.count("crashed") == 2)
        await desk.live()
        assert child not in children()
        await relay.carry_out(CloseRoom(ROOM))
        await until(lambda: "relay_ended" in desk.reasons)
        await desk.live()
        publishers = [each for each in relay.snapshot(ROOM).sessions if each.connected]
        assert [(each.role, each.source, each.peer) for each in publishers] == [("publisher", "lead", "lead")]


@pytest.mark.parametrize(
    ("picture", "options", "reason"),
    [
        ("libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}, "picture_unsupported"),
        ("libx264", {"preset": "veryfast", "profile": "main", "bf": "2", "b_strategy": "0"}, "b_frames"),
    ],
)
def test_what_no_browser_shows_live_is_refused(picture: str, options: dict[str, str], reason: str) -> None:
    stream = io.BytesIO()
    with av.open(stream, "w", format="flv") as container:
        video: Any = container.add_stream(picture, rate=FPS, options=options)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(2 * FPS):
            container.mux(video.encode(drawn(number)))
        container.mux(video.encode(None))
    stream.seek(0)
    with pytest.raises(EncoderRefused) as refused:
        list(open_flv(stream).samples())
    assert refused.value.reason == reason


async def test_a_probe_says_what_is_there(film: Film) -> None:
    async with RtspEncoder(film, login="Basic Y2FtOnAlMjBzcw==") as room:
        found = await probe(pull(room, "cam:p%2520ss"))
        assert found == Found("h264", found.profile, 320, 240, "aac", 48_000, 1)
        assert "Baseline" in found.profile
        with pytest.raises(EncoderRefused) as refused:
            await probe(pull(room, "cam:wrong"))
        assert refused.value.reason == "unauthorised"
        assert room.viewers == 0


@pytest.mark.parametrize(("moved", "reason"), [("302 Moved", "redirected"), ("0302 Moved", "not_a_stream")])
async def test_a_redirect_is_not_followed(film: Film, moved: str, reason: str) -> None:
    """Not even one that FFmpeg alone takes for one, and where the kernel would let it."""
    async with RtspEncoder(film) as secret, RtspEncoder(film, moved_to=secret.url(), moved=moved) as room:
        with pytest.raises(EncoderRefused) as refused:
            await probe(pull(room))
        assert refused.value.reason == reason
        guard = Guard("127.0.0.1", room.port)
        with pytest.raises(EncoderRefused) as refused:
            await asyncio.to_thread(open_rtsp, RtspUrl("127.0.0.1", guard.port, "/stream"), guard)
        assert refused.value.reason == reason
        assert not secret.requests


async def test_a_process_whose_server_is_killed_goes_too(relay: Relay, film: Film) -> None:
    async with RtspEncoder(film) as room:
        program = f"""
import asyncio, ipaddress
from media.encoders.addresses import Allowed, parse_url
from media.encoders.encoder import Encoder, Pull
async def post(offer):
    await asyncio.sleep(60)
async def main():
    allowed = Allowed((ipaddress.ip_network("127.0.0.1/32"),), frozenset({{{room.port}}}))
    Encoder(Pull(parse_url({room.url()!r}), allowed), post, print).start()
    await asyncio.sleep(60)
asyncio.run(main())
"""
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        )
        await until(lambda: room.viewers == 1)
        server.send_signal(signal.SIGKILL)
        await server.wait()
        await until(lambda: room.viewers == 0)
