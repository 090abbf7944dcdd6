"""From packets to pictures: whatever the line does, what comes out is something that went in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.clients.encoding import h264_payloads, vp8_payloads
from media.packets.sequence import Kept
from media.recording.depacketising import Picture, depacketiser, opus_seconds
from media.recording.reordering import PATIENCE, Ordered, Reordering

START = b"\0\0\0\1"
SPS, PPS = b"\x67\x42\xc0\x16\xda", b"\x68\xce\x3c\x80"


@st.composite
def classes(draw: st.DrawFn) -> tuple[str, list[bytes], list[Kept]]:
    """A codec, its pictures as they must come out, and their packets: some pictures are larger than a packet."""
    codec = draw(st.sampled_from(["H264", "VP8"]))
    pictures: list[bytes] = []
    packets: list[Kept] = []
    for index in range(draw(st.integers(2, 12))):
        key = index == 0 or draw(st.booleans())
        body = bytes([index + 1]) * draw(st.sampled_from([5, 900, 1149, 1150, 2600]))
        if codec == "H264":
            units = [SPS, PPS, b"\x65" + body] if key else [b"\x41" + body]
            if draw(st.booleans()) and key:  # parameter sets in one STAP-A, as browsers send them
                stap = b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units[:2])
                payloads = [stap, *h264_payloads(START + units[2])]
            else:
                payloads = [payload for unit in units for payload in h264_payloads(START + unit)]
            picture = b"".join(START + unit for unit in units)
        else:
            picture = (b"\x10\0\0\x9d\x01\x2a\x80\x02\x68\x01" if key else b"\x11\0\0") + body
            payloads = list(vp8_payloads(picture))
        pictures.append(picture)
        for number, payload in enumerate(payloads, 1):
            marker = 0x80 if number == len(payloads) else 0
            packets.append(Kept(len(packets) + 40_000, marker, index * 3600 + 0xFFFFF000 & 0xFFFFFFFF, payload))
    return codec, pictures, packets


def run(codec: str, arrivals: Sequence[tuple[Kept, float]]) -> list[Picture]:
    order, pictures = Reordering(), depacketiser(codec)
    assert pictures is not None
    ordered = [packet for kept, at in arrivals for packet in order.put(kept, at)] + order.due(1e9)
    return [picture for packet in ordered for picture in pictures.put(packet)]


@given(classes(), st.data())
def test_without_loss_every_picture_comes_out_whatever_the_order(
    made: tuple[str, list[bytes], list[Kept]], data: st.DataObject
) -> None:
    codec, pictures, packets = made
    late = data.draw(st.sets(st.integers(1, len(packets) - 1)) if len(packets) > 1 else st.just(set[int]()))
    arrivals = sorted((index + (8 if index in late else 0), kept) for index, kept in enumerate(packets))
    found = run(codec, [(kept, 0.01 * at) for at, kept in arrivals])
    assert [picture.data for picture in found] == pictures
    assert all(picture.key == bool(picture.parameters) for picture in found)


@given(classes(), st.data())
def test_after_a_loss_only_whole_pictures_come_out_and_the_first_is_a_key_picture(
    made: tuple[str, list[bytes], list[Kept]], data: st.DataObject
) -> None:
    codec, pictures, packets = made
    lost = data.draw(st.sets(st.integers(0, len(packets) - 1)))
    arrivals = [(kept, index * 0.01) for index, kept in enumerate(packets) if index not in lost]
    found = run(codec, arrivals)
    sent = {kept.timestamp: index for kept, index in zip(packets, _pictures(packets), strict=True)}
    before: int | None = None
    for picture in found:
        index = sent[picture.timestamp]
        assert picture.data == pictures[index], "it is what went in"
        assert picture.key or before == index - 1, "what others rest on was there"
        before = index


def _pictures(packets: Sequence[Kept]) -> list[int]:
    timestamps = list(dict.fromkeys(kept.timestamp for kept in packets))
    return [timestamps.index(kept.timestamp) for kept in packets]


@given(st.sampled_from(["H264", "VP8"]), st.lists(st.tuples(st.binary(max_size=40), st.booleans(), st.booleans())))
def test_no_payload_raises(codec: str, payloads: list[tuple[bytes, bool, bool]]) -> None:
    pictures = depacketiser(codec)
    assert pictures is not None
    for number, (payload, marker, lost) in enumerate(payloads):
        pictures.put(Ordered(Kept(number, 0x80 * marker, number // 2, payload), 0.0, lost))
        opus_seconds(payload)


def test_a_gap_waits_for_its_repair_and_no_longer() -> None:
    order = Reordering()
    kept = [Kept(number, 0, 0, b"x") for number in range(5)]
    assert [p.kept.number for p in order.put(kept[0], 0.0)] == [0]
    assert order.put(kept[2], 0.1) == []
    assert [p.kept.number for p in order.put(kept[1], 0.9)] == [1, 2]
    assert order.put(kept[4], 1.0) == []
    assert order.due(1.0 + PATIENCE / 2) == []
    assert [(p.kept.number, p.after_loss) for p in order.due(1.0 + PATIENCE)] == [(4, True)]
    assert order.put(kept[3], 3.0) == [], "it is too late"


@pytest.mark.parametrize(
    ("packet", "milliseconds"),
    [
        (b"\xfc\xff\xfe", 20),
        (b"\x78\0", 20),
        (b"\x08\0", 20),
        (b"\x19\0", 120),
        (b"\x83\x06\0", 15),
        (b"", None),
        (b"\x1b\x3f", None),
    ],
)
def test_the_length_of_a_packet_of_sound(packet: bytes, milliseconds: int | None) -> None:
    seconds = opus_seconds(packet)
    assert (None if seconds is None else round(seconds * 1000)) == milliseconds
