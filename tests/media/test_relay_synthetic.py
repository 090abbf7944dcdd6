"""The synthetic publisher: real packets that decode, key pictures when asked, and plainly marked pictures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import av
import pytest
from media_world import LEAD, ROOM
from waiting import SOON, until

from media.clients.counting import CountOnlySubscriber
from media.clients.encoding import VideoEncoder
from media.clients.lettering import DOTS, STROKES, character, letters
from media.clients.pattern import HEIGHT, INK, WIDTH, Picture, tone_packets
from media.clients.peer import PAYLOAD_TYPES
from media.clients.synthetic import SyntheticPublisher
from media.errors import BadOffer
from media.events import PeerId
from media.orders import CloseRoom
from media.relay import Relay


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_it_publishes_what_a_subscriber_can_prove(relay: Relay, codec: str) -> None:
    publisher = SyntheticPublisher(video_codecs=(codec,))

    async def post(offer: str) -> str:
        return (await relay.publish(ROOM, LEAD, PeerId("synthetic"), offer)).sdp

    await publisher.start(post)
    assert publisher.codec == codec
    await until(lambda: relay.snapshot(ROOM).layers[-1].keyframes)
    pupil = CountOnlySubscriber(sample=10)
    await pupil.connect((await relay.subscribe(ROOM, LEAD, PeerId("pupil"), pupil.offer())).sdp)
    began = time.monotonic()
    sound, picture = PAYLOAD_TYPES["OPUS"], PAYLOAD_TYPES[codec]
    await until(lambda: {sound, picture} <= set(pupil.streams) and pupil.streams[picture].packets >= 12)
    await until(lambda: pupil.streams[sound].packets >= 40)
    assert pupil.streams[sound].packets <= 50 * (time.monotonic() - began) + 20, "in real time"
    assert (pupil.lost, pupil.bad_samples) == (0, 0)
    await pupil.close()
    await relay.carry_out(CloseRoom(ROOM))
    await asyncio.wait_for(publisher.ended.wait(), SOON)
    await publisher.close()


async def test_an_answer_without_its_codecs_is_refused(relay: Relay) -> None:
    publisher = SyntheticPublisher()

    async def post(offer: str) -> str:
        answer = await relay.publish(ROOM, LEAD, PeerId("synthetic"), offer)
        return answer.sdp.replace("H264/90000", "AV1/90000")

    with pytest.raises(BadOffer):
        await publisher.start(post)
    await publisher.close()


def units(payloads: list[bytes]) -> Iterator[bytes]:
    """Joins H264 payloads to an Annex B stream again."""
    for payload in payloads:
        if payload[0] & 31 == 28:
            if payload[1] & 0x80:
                yield b"\0\0\0\1" + bytes([payload[0] & 0xE0 | payload[1] & 31])
            yield payload[2:]
        else:
            yield b"\0\0\0\1" + payload


def test_the_pattern_decodes_and_a_wished_key_picture_comes() -> None:
    encoder, picture = VideoEncoder("H264", WIDTH, HEIGHT), Picture()
    decoder: Any = av.CodecContext.create("h264", "r")
    at, sizes, frames = datetime(2026, 9, 1, 10, 20, 30, tzinfo=UTC), [], []
    for number in range(12):
        payloads = encoder.encode(picture.frame(number, at), number, key=number == 7)
        assert all(len(payload) <= 1150 for payload in payloads)
        sizes.append(any(payload[0] & 31 == 7 for payload in payloads))
        frames += decoder.decode(av.Packet(b"".join(units(payloads))))
    frames += decoder.decode(None)
    assert [number for number, key in enumerate(sizes) if key] == [0, 7]
    assert len(frames) == 12
    assert (frames[0].width, frames[0].height) == (WIDTH, HEIGHT)
    row = bytes(frames[-1].planes[0])[70 * frames[-1].planes[0].line_size :][:400]
    assert max(row) > INK - 40, "the words stand in the picture"


def test_the_tone_is_sound() -> None:
    packets = tone_packets()
    assert len(packets) == 100
    decoder: Any = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = 48_000, "mono"
    frames = [frame for packet in packets[10:30] for frame in decoder.decode(av.Packet(packet))]
    assert sum(frame.samples for frame in frames) >= 19 * 960
    assert any(any(bytes(frame.planes[0])) for frame in frames)


def test_the_lettering_fills_its_grid() -> None:
    for name in STROKES:
        rows = character(name, 76)
        assert len(rows) == 76
        assert {len(row) for row in rows} == {76}
        assert 0.1 < sum(map(sum, rows)) / 76 / 76 < 0.5
    assert {len(line) for dots in DOTS.values() for line in dots} == {5}
    assert len(letters("10:20", 3)) == 21
