"""RTP and RTCP: reading anything, numbering anew, the ring, key pictures."""

from __future__ import annotations

import gc
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.clients.encoding import h264_payloads, vp8_payloads
from media.forwarding.keyframes import APART, REPEAT, KeyframeRequests
from media.forwarding.reception import Reception
from media.packets import rtcp, rtp, vp8
from media.packets.sequence import GIVE_UP, LARGEST_GAP, Kept, Renumbering, Ring


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    packet = rtp.parse(data)
    if packet is not None:
        assert packet.payload in data
        for codec in ("H264", "VP8", "OPUS"):
            rtp.starts_keyframe(codec, packet.payload)
        assert all(value in data for value in rtp.extensions(data).values())
    feedback = rtcp.parse(data)
    assert len(feedback.nacks) <= rtcp.MOST_NACKED


@given(st.binary(min_size=1, max_size=60), st.sampled_from([200, 201, 203, 205, 206]), st.integers(0, 31))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_rtcp_body_is_read_without_an_error(body: bytes, kind: int, count: int) -> None:
    body += bytes(-len(body) % 4)
    rtcp.parse(bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body)


def test_header_extensions_and_padding_are_not_payload() -> None:
    head = rtp.HEADER.pack(0xB0, 0x80 | 96, 7, 1000, 42)
    extension = b"\xbe\xde\x00\x01" + b"\x10\xff\x00\x00"
    packet = rtp.parse(head + extension + b"picture" + b"\0\0\x03")
    assert packet == rtp.Packet(0x80, 96, 7, 1000, 42, b"picture")
    only_padding = rtp.parse(rtp.HEADER.pack(0xA0, 96, 8, 1000, 42) + bytes(9) + b"\x0a")
    assert only_padding is not None
    assert only_padding.payload == b""
    assert rtp.parse(rtp.HEADER.pack(0xA0, 96, 8, 1000, 42) + b"\xff") is None
    assert rtp.parse(rtp.HEADER.pack(0x90, 96, 8, 1000, 42) + b"\xbe\xde\xff\xff") is None


@given(st.integers(0, 255), st.integers(0, 0xFFFF), st.binary(max_size=40))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_extensions_are_read_without_an_error(words: int, profile: int, body: bytes) -> None:
    for kind in (profile, 0xBEDE, 0x1000 | profile & 15):
        rtp.extensions(rtp.HEADER.pack(0x90, 96, 1, 2, 3) + kind.to_bytes(2, "big") + words.to_bytes(2, "big") + body)


def test_both_forms_of_extensions_are_read() -> None:
    head = rtp.HEADER.pack(0x91, 96, 1, 2, 3) + b"csrc"
    short = head + b"\xbe\xde\x00\x03" + b"\xa0h" + b"\0" + b"\x42one" + b"\xf0end!" + b"pay"
    assert rtp.extensions(short) == {10: b"h", 4: b"one"}, "id 15 ends them"
    wide = head + b"\x10\x05\x00\x02" + b"\x0a\x01h" + b"\x14\x00" + b"\0" + b"\x07\x09" + b"pay"
    assert rtp.extensions(wide) == {10: b"h", 20: b""}, "the last is longer than the block"
    assert rtp.extensions(head + b"\xab\xac\x00\x01\xa0hxx") == {}
    assert rtp.extensions(rtp.HEADER.pack(0x80, 96, 1, 2, 3) + b"pay") == {}


def test_reports_survive_the_round_trip() -> None:
    block = rtcp.Block(5, 12, -3, 70_000, 44, 0x11112222, 65536)
    compound = rtcp.receiver_report(1, [block]) + rtcp.description(1, "name") + rtcp.nack(1, 5, [10, 11, 26, 27, 9000])
    compound += rtcp.picture_loss(1, 5) + rtcp.bitrate_limit(1, [5], 2_500_000) + rtcp.goodbye([5])
    compound += rtcp.sender_report(5, ntp_time=1 << 40, rtp_time=99, packets=1, octets=2)
    feedback = rtcp.parse(compound)
    assert feedback.blocks == [block]
    assert feedback.nacks == [(5, n) for n in (10, 11, 26, 27, 9000)]
    assert feedback.keyframes == [5]
    assert feedback.byes == [5]
    assert feedback.reports == [rtcp.SenderReport(5, 1 << 40, 99)]
    assert feedback.limit == 2_500_000 >> 4 << 4, "18 bits and an exponent"


def test_a_nack_crosses_the_end_of_the_numbers() -> None:
    feedback = rtcp.parse(rtcp.nack(1, 5, [65535, 0, 1]))
    assert feedback.nacks == [(5, 65535), (5, 0), (5, 1)]


@given(st.integers(0, 2**40), st.integers(-30_000, 30_000))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_numbers_unwrap_to_the_nearest(near: int, distance: int) -> None:
    near += 1 << 17
    assert rtp.unwrap((near + distance) & 0xFFFF, near) == near + distance


def test_padding_takes_no_number() -> None:
    numbers = Renumbering(1000)
    outs = [numbers.place(n, padding=n in (12, 13), now=0.0) for n in range(10, 17)]
    assert outs == [1000, 1001, None, None, 1002, 1003, 1004]


def test_a_gap_keeps_its_numbers_for_late_packets() -> None:
    numbers = Renumbering(1000)
    assert numbers.place(65534, padding=False, now=0.0) == 1000
    assert numbers.place(2, padding=False, now=0.0) == 1004
    assert numbers.due(0.001) == []
    assert numbers.due(0.03) == [65535, 0, 1]
    assert numbers.due(0.04) == []
    assert numbers.place(0, padding=False, now=0.05) == 1002
    assert numbers.place(0, padding=False, now=0.06) is None, "a duplicate is not sent twice"
    assert numbers.due(0.2) == [65535, 1]
    assert numbers.due(GIVE_UP + 0.1) == []
    assert numbers.lost == 2
    assert numbers.place(65535, padding=False, now=3.0) is None, "too late to be of use"


def test_a_far_publisher_is_asked_less_often() -> None:
    numbers, now, sequence = Renumbering(0), 0.0, 0
    numbers.place(sequence, padding=False, now=now)
    asked = []
    for _ in range(20):  # each time one packet is lost, and comes 0.3 s after it was first asked for
        sequence, now = sequence + 2, now + 1.0
        numbers.place(sequence, padding=False, now=now)
        times = [at for step in range(34) if numbers.due(at := now + step / 100)]
        asked.append(len(times))
        numbers.place(sequence - 1, padding=False, now=now + 0.34)
    assert asked[0] == 4
    assert asked[-1] == 1
    assert numbers.lost == 0


def test_a_great_jump_is_a_new_beginning_without_loss() -> None:
    numbers = Renumbering(5)
    numbers.place(10, padding=False, now=0.0)
    assert numbers.place(10 + LARGEST_GAP + 2, padding=False, now=0.0) == 6
    assert numbers.due(1.0) == []


@given(st.lists(st.integers(0, 80), min_size=1, max_size=200), st.integers(0, 65535))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_number_is_given_twice(offsets: list[int], start: int) -> None:
    numbers, given_out = Renumbering(0), []
    for offset in offsets:
        out = numbers.place((start + offset) & 0xFFFF, padding=offset % 7 == 0, now=0.0)
        if out is not None:
            given_out.append(out)
    assert len(set(given_out)) == len(given_out)
    assert all(out < numbers.next_out for out in given_out)


def test_the_ring_keeps_the_last_and_forgets_the_rest() -> None:
    ring = Ring(8)
    for number in range(65530, 65545):
        ring.put(Kept(number, 0, number, b"x"))
    assert ring.get(65536) is None
    assert [ring.get(n) is not None for n in range(65537, 65545)] == [True] * 8
    gc.collect(0)
    assert not any(gc.is_tracked(each) for each in ring._kept), "no collection of garbage goes through them again"


def test_key_pictures_are_found_in_real_streams() -> None:
    key_unit, other = b"\0\0\0\1\x67abc\0\0\1\x68d\0\0\1\x65" + bytes(range(1, 250)) * 20, b"\0\0\1\x41" + b"\7" * 5000
    key_packets, other_packets = list(h264_payloads(key_unit)), list(h264_payloads(other))
    assert [rtp.starts_keyframe("H264", p) for p in key_packets] == [True, False, True] + [False] * (
        len(key_packets) - 3
    )
    assert not any(rtp.starts_keyframe("H264", p) for p in other_packets)
    assert rtp.starts_keyframe("H264", b"\x78\x00\x02\x68\x01\x00\x02\x67\x01"), "an SPS in an aggregate"
    assert [rtp.starts_keyframe("VP8", p) for p in vp8_payloads(b"\x10" + b"\1" * 3000)] == [True, False, False]
    assert not rtp.starts_keyframe("VP8", b"\x10\x11rest")
    assert rtp.starts_keyframe("VP8", b"\x90\x80\x81\x02\x10rest"), "with a long picture number"


def test_h264_fragments_join_to_the_unit() -> None:
    unit = b"\x65" + random.Random(1).randbytes(3000).replace(b"\0", b"\1")
    fragments = list(h264_payloads(b"\0\0\1" + unit))
    assert bytes([fragments[0][0] & 0xE0 | fragments[0][1] & 31]) + b"".join(f[2:] for f in fragments) == unit
    assert [f[1] & 0xC0 for f in fragments] == [0x80, 0, 0x40]


def test_requests_for_key_pictures_are_coalesced_and_repeated() -> None:
    requests = KeyframeRequests()
    assert not requests.due(0.0)
    for _ in range(100):
        requests.want()
    assert requests.due(10.0)
    requests.want()
    assert not requests.due(10.0 + REPEAT / 2)
    assert requests.due(10.0 + REPEAT), "unanswered: again"
    requests.came(11.0)
    assert not requests.due(12.0), "served"
    requests.want()
    assert not requests.due(11.0 + APART / 2), "a storm costs one picture a second"
    assert requests.due(11.0 + APART)


def test_reception_counts_loss_and_jitter() -> None:
    reception = Reception(9, 48_000)
    for number in range(100):
        if number % 10 != 5:
            reception.arrived(number, number * 960, number * 0.02)
    reception.reported(7 << 16, 960, 1.98)
    block = reception.block(2.0)
    assert (block.ssrc, block.lost, block.highest, block.last_sr) == (9, 10, 99, 7)
    assert 20 <= block.fraction <= 30
    assert reception.jitter_ms < 0.1
    assert reception.block(2.0).fraction == 0, "the fraction covers the time since the last report"


@given(st.binary(max_size=12), st.integers(-(2**20), 2**20), st.integers(-300, 300))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_vp8_payload_is_renumbered_without_an_error(payload: bytes, picture: int, base: int) -> None:
    changed = vp8.renumber(payload, picture, base)
    assert len(changed) == len(payload)
    before, after = vp8.ids(payload), vp8.ids(changed)
    if before is None or after is None:
        assert changed == payload
        return
    assert after.picture == (before.picture + picture) % (1 << 15 if before.long else 1 << 7)
    assert after.base == ((before.base + base) % 256 if before.base_at else 0)


def test_vp8_ids_are_found() -> None:
    assert vp8.ids(b"\x90\xe0\xff\xfe\x07\x20rest") == vp8.Ids(0x7FFE, True, 7, 4)
    assert vp8.ids(b"\x90\x80\x05rest") == vp8.Ids(5, False, 0, 0)
    assert vp8.ids(b"\x10rest") is None
    assert vp8.renumber(b"\x90\xe0\xff\xfe\xff\x20rest", 3, 2) == b"\x90\xe0\x80\x01\x01\x20rest"
