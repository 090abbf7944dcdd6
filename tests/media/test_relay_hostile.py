"""Packets from strangers and from authentic peers that mean harm: nothing dies, nothing grows, nobody is moved.

The cases, each beside a live class:

1. empty datagrams and junk from a third address into a live session
2. forged ClientHellos and fatal alerts from a third address during a handshake
3. empty datagrams from the peer's own address during its handshake
4. a flood into a session whose handshake never ends
5. malformed connectivity checks: one line of log for each source and minute
6. a certificate other than announced
7. authentic nonsense in RTP and RTCP, storms of PLI and NACK
8. datagrams larger than any packet, and 20,000 of junk
9. colliding SSRCs, wrong payload types, a thousand sections, data channels with large messages
10. checks with a valid fragment and a wrong password; no answer is larger than its question
11. candidates that point at this machine, the network's insides, multicast, and names
12. ten thousand joins that are never finished
13. reports, estimates and goodbyes with the largest and smallest values
14. packets that were captured and are sent again
15. handshakes forged from the address of a peer whose session stands
16. connectivity checks that were read on their way and are sent again from elsewhere

(A changed address is in test_relay_line.py, mutated offers are in test_relay_sdp.py, all of it for ten minutes is `make fuzz`.)
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import resource
import socket
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import media_fuzz
import pytest
from media_world import LEAD, ROOM, ScriptedPublisher, join, only
from waiting import PATIENCE, until

from media.clients.peer import PAYLOAD_TYPES, Peer
from media.errors import BadOffer, Full
from media.events import Connected, MediaEvent, MediaSlot, PeerId, SourceName
from media.forwarding.resending import MOST_RESENT, RESENT_SHARE
from media.packets import rtcp
from media.packets.rtp import HEADER
from media.relay import Relay
from media.sessions import publishing
from media.signalling.sdp import parse_offer
from media.wire import stun
from media.wire.aiortc_bridge import QUEUE, Identity
from media.wire.ice import MOST_REMEMBERED, QUIET, Agent, Switchboard
from media.wire.stun import Address

CLIENT_HELLO = bytes.fromhex("16feff0000000000000000003601000028000000000000002a") + bytes(46)
FATAL_ALERT = bytes.fromhex("15feff0000000000000000000202") + b"\x28"
H264 = PAYLOAD_TYPES["H264"]


@pytest.fixture(autouse=True)
async def nothing_complained_or_grew(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """No warning, no traceback, no open socket more than before."""
    before = len(os.listdir("/proc/self/fd"))
    gc.freeze()  # what was loaded before takes a second to look through, and is not this test's
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    gc.collect()
    left = len(os.listdir("/proc/self/fd"))
    assert left <= before + 3, "the relay's own fixture is taken down after this"


def stranger() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


async def test_a_strangers_packets_do_not_touch_a_live_class(relay: Relay, teacher: ScriptedPublisher) -> None:
    teacher.stream()
    pupil, session = await join(relay, "pupil")
    door = ("127.0.0.1", relay.port)
    with stranger() as third:
        for junk in (b"", b"\0", CLIENT_HELLO, FATAL_ALERT, b"\x80" * 3, b"\x80\xc8" + bytes(50), os.urandom(1500)):
            for _ in range(300):
                third.sendto(junk, door)
            await asyncio.sleep(0.01)
    count = pupil.packets
    await until(lambda: pupil.packets > count + 20)
    assert relay.totals().stray > 1000
    assert relay.session(session).connected
    assert pupil.lost == 0
    await pupil.close()


async def test_forged_handshakes_from_elsewhere_do_not_hinder_a_join(relay: Relay, teacher: ScriptedPublisher) -> None:
    door = ("127.0.0.1", relay.port)

    async def forge() -> None:
        with stranger() as third:
            while True:
                for forged in (CLIENT_HELLO, FATAL_ALERT, b""):
                    third.sendto(forged, door)
                await asyncio.sleep(0.001)

    attack = asyncio.create_task(forge())
    teacher.stream()
    for number in range(10):
        pupil, _ = await join(relay, f"class-{number}")
        await pupil.close()
    attack.cancel()
    await asyncio.wait({attack})


async def test_a_peers_own_junk_ends_at_most_its_own_session(relay: Relay, teacher: ScriptedPublisher) -> None:
    """From proved addresses: broken DTLS and SRTP before and after the handshake, and authentic nonsense."""
    teacher.stream()
    good, good_session = await join(relay, "good")
    chance = random.Random(7)
    for number in range(6):
        bad = Peer()
        answer = await relay.subscribe(ROOM, LEAD, PeerId(f"bad-{number}"), bad.offer(sends=False))
        bad.answer = parse_offer(answer.sdp)
        bad.open(("127.0.0.1", relay.port))
        bad.check()
        await until(lambda b=bad: b.checks_answered)
        for _ in range(200):
            bad.send(
                bytes([chance.choice((20, 21, 22, 23, 63, 128, 144, 191, 200))])
                + chance.randbytes(chance.randrange(90))
            )
        bad.send(CLIENT_HELLO)
        bad.send(FATAL_ALERT)
        await asyncio.sleep(0.01)
        await bad.close()
    evil, _ = await join(relay, "evil")
    for _ in range(400):
        body = chance.randbytes(4 * chance.randrange(1, 30))
        head = struct.pack(
            "!BBH", 0x80 | chance.randrange(32), chance.choice((200, 201, 203, 205, 206)), len(body) // 4
        )
        evil.peer.send_rtcp(head + body)
        evil.peer.send_rtp(
            HEADER.pack(0x80 | chance.randrange(64), chance.randrange(128), 1, 2, 3) + chance.randbytes(9)
        )
    for _ in range(200):
        first = 0x80 | chance.randrange(64)
        teacher.peer.send_rtp(
            HEADER.pack(first, chance.choice((H264, 103, 111)), chance.randrange(65536), 1, 777) + body
        )
    await asyncio.sleep(0.1)
    count = good.packets
    await until(lambda: good.packets > count + 20)
    assert relay.session(good_session).connected
    assert relay.session(teacher.session).connected
    await evil.close()
    await good.close()


async def test_a_flood_of_an_unfinished_session_costs_no_memory(relay: Relay, teacher: ScriptedPublisher) -> None:
    victim = Peer()
    answer = await relay.subscribe(ROOM, LEAD, PeerId("flood"), victim.offer(sends=False))
    victim.answer = parse_offer(answer.sdp)
    victim.open(("127.0.0.1", relay.port))
    victim.check()
    await until(lambda: victim.checks_answered)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(40):
        for _ in range(500):
            victim.send(b"\x16" + bytes(1199))
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    session = relay._sessions[answer.session]
    assert session.channel._ice.queue.qsize() <= QUEUE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, "KiB"
    await victim.close()


async def test_checks_without_the_password_are_not_answered(relay: Relay, teacher: ScriptedPublisher) -> None:
    loop = asyncio.get_running_loop()
    answer = teacher.peer.answer
    assert answer is not None
    with stranger() as third:
        third.setblocking(False)
        third.connect(("127.0.0.1", relay.port))
        right = stun.request(addressee=answer.fragment, sender="x", password=answer.password)
        for forged in (
            stun.request(addressee=answer.fragment, sender="x", password="wrong"),
            stun.request(addressee="nobody", sender="x", password=answer.password),
            right[:-40] + bytes(40),
            right[:30],
            b"\0\1" + os.urandom(18),
        ):
            third.send(forged)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.sock_recv(third, 2048), 0.2)
        assert relay.totals().refused_checks >= 5
        third.send(right)
        reply = stun.parse(await asyncio.wait_for(loop.sock_recv(third, 2048), PATIENCE))
        assert reply is not None
        assert reply.kind == stun.RESPONSE
        assert reply.authentic(answer.password)


def test_a_live_sessions_address_cannot_be_taken_by_another() -> None:
    """A peer with a session of its own forges the source address of its neighbour's."""
    sent: list[bytes] = []
    now = [100.0]
    board = Switchboard(lambda datagram, address: bool(sent.append(datagram)) or True, lambda: now[0])
    got: dict[str, list[bytes]] = {"victim": [], "thief": []}

    def agent(name: str) -> Agent:
        made = Agent(on_dtls=got[name].append, on_media=got[name].append, on_moved=lambda: None, now=now[0])
        board.add(made)
        return made

    victim, thief = agent("victim"), agent("thief")
    address = ("192.0.2.9", 4444)

    def check(of: Agent) -> None:
        credentials = of.credentials
        board.datagram(stun.request(addressee=credentials.fragment, sender="x", password=credentials.password), address)

    check(victim)
    check(thief)
    board.datagram(b"\x80packet", address)
    assert (len(got["victim"]), len(got["thief"]), len(sent)) == (1, 0, 1)
    now[0] += 10
    check(thief)
    board.datagram(b"\x80packet", address)
    assert len(got["thief"]) == 1, "a silent one's address may be somebody else's by now"
    board.remove(victim)
    board.datagram(b"\x80packet", address)
    assert len(got["thief"]) == 2, "the end of the one does not touch the other"


def test_a_copied_check_moves_nothing() -> None:
    """Whoever reads a check on its way sends it from elsewhere: at once, when the session is quiet, after an hour of others."""
    sent: list[Address] = []
    now, moved = [100.0], [0]
    board = Switchboard(lambda datagram, address: bool(sent.append(address)) or True, lambda: now[0])

    def count() -> None:
        moved[0] += 1

    agent = Agent(on_dtls=lambda d: None, on_media=lambda d: None, on_moved=count, now=now[0])
    board.add(agent)
    home, thief, roaming = ("192.0.2.9", 4444), ("198.51.100.7", 5555), ("192.0.2.9", 4445)

    def check() -> bytes:
        return stun.request(addressee=agent.credentials.fragment, sender="x", password=agent.credentials.password)

    first = check()
    board.datagram(first, home)
    for quiet in (0.0, QUIET + 1):
        now[0] += quiet
        board.datagram(first, thief)
    assert (agent.selected, agent.addresses, sent, board.refused_checks) == (home, [home], [home], 2)
    board.datagram(first, home)
    assert sent == [home, home], "one whose answer was lost is answered again"
    board.datagram(check(), roaming)
    board.datagram(first, home)
    assert (agent.selected, moved[0]) == (roaming, 2), "an old one does not lead back either"

    said = len(sent)
    for _ in range(MOST_REMEMBERED - 2):
        board.datagram(check(), roaming)
    board.datagram(first, thief)
    assert agent.addresses == [home, roaming]
    fresh = [stun.request(addressee="x", sender="y", password="z") for _ in range(MOST_REMEMBERED)]
    taken_for_old = sum(not agent.transactions.fresh(request[8:20]) for request in fresh)
    assert taken_for_old < MOST_REMEMBERED / 100
    assert len(sent) > said + MOST_REMEMBERED * 0.99


def test_proved_addresses_are_bounded() -> None:
    board = Switchboard(lambda datagram, address: True, lambda: 5.0)
    agent = Agent(on_dtls=lambda d: None, on_media=lambda d: None, on_moved=lambda: None, now=5.0)
    board.add(agent)
    credentials = agent.credentials
    for port in range(1000, 1100):
        request = stun.request(addressee=credentials.fragment, sender="x", password=credentials.password)
        board.datagram(request, ("192.0.2.9", port))
    assert len(agent.addresses) == len(board._by_address) == 8
    assert agent.selected in agent.addresses


async def test_empty_datagrams_during_a_handshake_do_not_hinder_it(relay: Relay, teacher: ScriptedPublisher) -> None:
    teacher.stream()
    peer = Peer()
    answer = await relay.subscribe(ROOM, LEAD, PeerId("empty"), peer.offer(sends=False))

    async def pester() -> None:
        while True:
            for _ in range(20):
                peer.send(b"")
            await asyncio.sleep(0.001)

    attack = asyncio.create_task(pester())
    await peer.connect(answer.sdp)
    await until(lambda: relay.session(answer.session).connected)
    attack.cancel()
    await asyncio.wait({attack})
    await peer.close()


async def test_malformed_checks_are_one_line_a_source_and_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "media.wire.strays")
    now = [0.0]
    board = Switchboard(lambda datagram, address: True, lambda: now[0])
    chance = media_fuzz.Chance(5)
    check = stun.request(addressee="somebody", sender="x", password="y" * 22)
    for minute in range(3):
        board.strays.tell(now[0])
        for number in range(3000):
            board.datagram(chance.bytes_like(check), (f"192.0.2.{number % 3}", number))
            board.datagram(b"", (f"198.51.{number % 250}.{number // 250}", 1))  # forged sources
        now[0] += 30.0
        board.strays.tell(now[0])
        now[0] += 30.5
        board.strays.tell(now[0])
        lines = [record.getMessage() for record in caplog.records]
        assert len(lines) <= 17 * (minute + 1)
        for host in range(3):
            assert sum(f"source=192.0.2.{host} " in line for line in lines) == minute + 1
    assert board.stray + board.refused_checks >= 17_000
    assert len(board.strays._by_host) == 0


async def test_another_certificate_than_announced_gets_nothing(
    relay: Relay, teacher: ScriptedPublisher, events: list[MediaEvent]
) -> None:
    teacher.stream()
    got: list[memoryview] = []
    liar = Peer(on_rtp=got.append)
    offer = liar.offer(sends=False).replace(liar.identity.fingerprint.value, Identity().fingerprint.value)
    answer = await relay.subscribe(ROOM, LEAD, PeerId("liar"), offer)
    await liar.connect(answer.sdp)  # its side is content: the relay's certificate is the announced one
    await until(lambda: answer.session not in relay._sessions)
    await asyncio.sleep(0.1)
    assert got == []
    assert only(events, Connected, peer="liar") == []
    await liar.close()


async def test_storms_of_requests_cost_one_key_picture_a_second(relay: Relay, teacher: ScriptedPublisher) -> None:
    """Every packet there is, of sound and picture, is asked for again 25 times a second, and a key picture as often."""
    teacher.stream(key_every=1000)
    pupil, _ = await join(relay, "pupil")
    storm, _ = await join(relay, "storm")
    await until(lambda: len(storm.streams) == 2)
    asked, began, answered = teacher.keyframes_asked, time.monotonic(), 0
    sent = [layer.retransmitted for layer in relay.snapshot(ROOM).layers]
    while time.monotonic() - began < 2.5:
        for stream in storm.streams.values():
            everything = range(stream.highest - 250, stream.highest + 1)
            compound = rtcp.picture_loss(1, stream.ssrc) + rtcp.nack(1, stream.ssrc, [n & 0xFFFF for n in everything])
            storm.peer.send_rtcp(rtcp.receiver_report(1, []) + compound)
        await asyncio.sleep(0.04)
        if teacher.keyframes_asked - asked > answered:
            answered += 1
            teacher.frame(key=True)
    seconds = time.monotonic() - began
    assert teacher.keyframes_asked - asked <= 1 + seconds
    again = [layer.retransmitted - before for layer, before in zip(relay.snapshot(ROOM).layers, sent, strict=True)]
    assert 200 < again[0] <= MOST_RESENT * (1 + seconds)
    layer = relay.snapshot(ROOM).layers[1]
    assert again[1] * layer.octets / layer.packets <= RESENT_SHARE * 125_000 * (1 + seconds)
    count = pupil.packets
    await until(lambda: pupil.packets > count + 20)
    await storm.close()
    await pupil.close()


async def test_absurd_reports_are_believed_of_nobody_else(relay: Relay, teacher: ScriptedPublisher) -> None:
    """Reports, estimates and goodbyes with the largest and smallest values, on one's own streams and on others'."""
    teacher.stream()
    pupil, session = await join(relay, "pupil", report_every=0.1)
    evil, _ = await join(relay, "evil", report_every=3600)
    await until(lambda: len(evil.streams) == len(pupil.streams) == 2)
    ssrcs = [stream.ssrc for stream in evil.streams.values()]
    huge = 0xFFFFFFFF
    for lost in (-0x800000, 0, 0x7FFFFF):
        for highest in (0, 0xFFFF, 0x7FFFFFFF, huge):
            blocks = [
                rtcp.Block(ssrc, 255, lost, highest, huge, huge, huge) for ssrc in (*ssrcs, 1, teacher.video_ssrc)
            ]
            limits = [rtcp.bitrate_limit(1, ssrcs, bits) for bits in (0, 1, (2**18 - 1) << 63)]
            evil.peer.send_rtcp(rtcp.receiver_report(1, blocks) + b"".join(limits) + rtcp.goodbye([*ssrcs, 1]))
            report = rtcp.sender_report(ssrcs[0], ntp_time=2**64 - 1, rtp_time=huge, packets=huge, octets=huge)
            evil.peer.send_rtcp(report + rtcp.goodbye(ssrcs))
        await asyncio.sleep(0.3)
    views = {view.peer: view for view in relay.snapshot(ROOM).sessions}
    assert views[PeerId("pupil")].lost == 0
    assert views[PeerId("pupil")].rung == "full"
    count = pupil.packets
    await until(lambda: pupil.packets > count + 20)
    assert relay.session(session).connected
    assert relay.session(teacher.session).connected
    await evil.close()
    await pupil.close()


async def test_what_was_captured_and_is_sent_again_proves_nothing(
    relay: Relay, teacher: ScriptedPublisher, events: list[MediaEvent]
) -> None:
    """All that a classroom sent, again and again from its own address, once it sends no more."""
    teacher.stream()
    pupil, session = await join(relay, "pupil", report_every=0.1)
    captured: list[bytes] = []
    send = pupil.peer.send
    pupil.peer.send = lambda datagram: captured.append(datagram) or send(datagram)  # type: ignore[func-returns-value, method-assign]  # a wire tap
    await until(lambda: len(captured) > 5)
    pupil.peer.send = lambda datagram: None  # type: ignore[method-assign]  # it loses its power
    await asyncio.sleep(0.1)
    heard, unauthentic = relay._sessions[session].agent.heard_at, relay._sessions[session].unauthentic
    packets = [datagram for datagram in captured if datagram[0] >= 128]
    for _ in range(8):
        for datagram in packets:
            send(datagram)
        await asyncio.sleep(0.1)
    assert relay._sessions[session].agent.heard_at == heard, "nor does it keep the session alive"
    assert relay._sessions[session].unauthentic - unauthentic == 8 * len(packets)
    await relay.close_session(session)
    slots = only(events, MediaSlot, session=session)
    known = [slot for slot in slots if slot.acknowledged is not None]
    assert sum(slot.acknowledged or 0 for slot in known) <= sum(slot.packets for slot in known)
    assert slots[-1].acknowledged is None
    assert sum((slot.ended_at - slot.started_at).total_seconds() for slot in slots[len(known) :]) > 0.6
    await pupil.close()


async def test_handshakes_forged_from_a_live_peers_address_do_not_end_its_session(
    relay: Relay, teacher: ScriptedPublisher
) -> None:
    teacher.stream()
    pupil, session = await join(relay, "pupil")
    close = bytes.fromhex("15feff000000000000000000020100")
    chance = random.Random(3)
    for number in range(300):
        junk = bytes([chance.randrange(20, 64)]) + chance.randbytes(chance.randrange(80))
        newer = bytes.fromhex("17fefd0001") + number.to_bytes(6, "big") + b"\0\x18" + chance.randbytes(24)
        for forged in (CLIENT_HELLO, FATAL_ALERT, close, b"", junk, newer):
            pupil.peer.send(forged)
        if number % 20 == 0:
            await asyncio.sleep(0.005)
    count = pupil.packets
    await until(lambda: pupil.packets > count + 20)
    assert relay.session(session).connected
    await pupil.close()


async def test_a_publisher_that_floods_is_curbed_and_goes_on(
    relay: Relay, teacher: ScriptedPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil, _ = await join(relay, "pupil")
    monkeypatch.setattr(publishing, "REPORT_EVERY", every := 0.2)
    session = relay._sessions[teacher.session]
    assert isinstance(session, publishing.PublisherSession)
    for limit, most in (("MOST_PACKETS", 100), ("MOST_OCTETS", 100 * 212)):
        with monkeypatch.context() as patch:
            patch.setattr(publishing, limit, most)
            session._report_at = 0.0
            await until(lambda: session._report_at > 0)
            began, before = time.monotonic(), pupil.packets
            for number in range(100):
                teacher.frame(key=number % 10 == 0, packets=12)
                await asyncio.sleep(0.002)
            await until(lambda before=before: pupil.packets - before >= 100)
            await asyncio.sleep(0.05)
            assert pupil.packets - before <= 101 * (2 + (time.monotonic() - began) / every)
    teacher.stream()
    count = pupil.packets
    await until(lambda: pupil.packets > count + 60)
    await pupil.close()


async def test_huge_datagrams_and_much_junk_leave_the_class_alone(relay: Relay, teacher: ScriptedPublisher) -> None:
    teacher.stream()
    pupil, session = await join(relay, "pupil")
    door = ("127.0.0.1", relay.port)
    with stranger() as third:
        for number in range(20_000):
            third.sendto(b"\x90junk", door)
            if number % 400 == 0:
                third.sendto(b"\x80" + bytes(60_000), door)
                pupil.peer.send(b"\x80" + bytes(9_000))
                pupil.peer.send(b"\x16" + bytes(9_000))
                await asyncio.sleep(0.001)
    count = pupil.packets
    await until(lambda: pupil.packets > count + 20)
    assert relay.session(session).connected
    await pupil.close()


async def test_confused_streams_and_data_channels_end_at_most_their_own_session(
    relay: Relay, teacher: ScriptedPublisher
) -> None:
    teacher.stream()
    pupil, _ = await join(relay, "pupil")
    confused = ScriptedPublisher()
    await confused.start(relay, peer="class-2", source=SourceName("class:2"))
    confused.audio_ssrc = confused.video_ssrc = teacher.video_ssrc
    for number in range(200):
        confused.frame(key=number % 5 == 0)
        confused.sound()
        for kind in (0, 72, 127, PAYLOAD_TYPES["OPUS"], H264):
            confused.peer.send_rtp(HEADER.pack(0x80, kind, number, 5, 1000 + number % 50) + b"\x65" * 20)
        confused.peer.channel._transport._ssl.send(bytes(1100))  # a data channel's message: DTLS of its own
        await confused.peer.channel._transport._write_ssl()
        if number % 10 == 0:
            await asyncio.sleep(0.001)
    with pytest.raises(BadOffer):
        await relay.publish(ROOM, LEAD, PeerId("many"), "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 1000)
    mixed = pupil.peer.offer(sends=False) + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:9\r\n"
    answer = await relay.subscribe(ROOM, LEAD, PeerId("data"), mixed)
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel" in answer.sdp
    await relay.close_session(answer.session)
    count = pupil.packets
    await until(lambda: pupil.packets > count + 20)
    assert (pupil.lost, pupil.bad_samples) == (0, 0)
    await confused.close()
    await pupil.close()


def test_no_answer_is_larger_than_its_question() -> None:
    sent: list[bytes] = []
    board = Switchboard(lambda datagram, address: bool(sent.append(datagram)) or True, lambda: 1.0)
    agent = Agent(on_dtls=lambda d: None, on_media=lambda d: None, on_moved=lambda: None, now=1.0)
    board.add(agent)
    own = agent.credentials
    for password, answers in (("wrong" * 5, 0), (own.password, 1)):
        for source in (("192.0.2.7", 5), ("2001:db8::7", 5, 0, 0), ("::ffff:192.0.2.7", 5, 0, 0)):
            question = stun.request(addressee=own.fragment, sender="abcd", password=password)
            sent.clear()
            board.datagram(question, source)
            assert [len(answer) <= len(question) for answer in sent] == [True] * answers


async def test_candidates_are_never_called(relay: Relay, teacher: ScriptedPublisher) -> None:
    with stranger() as trap:
        trap.bind(("127.0.0.1", 0))
        trap.setblocking(False)
        port = trap.getsockname()[1]
        hosts = (
            "127.0.0.1",
            "::1",
            "169.254.169.254",
            "10.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "localhost",
            "x.local",
        )
        lines = "".join(f"a=candidate:1 1 udp 2122260223 {host} {port} typ host\r\n" for host in hosts)
        peer = Peer()
        answer = await relay.subscribe(ROOM, LEAD, PeerId("ssrf"), peer.offer(sends=False) + lines)
        await relay.trickle(answer.session, "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" + lines)
        await relay.restart_ice(
            answer.session, f"a=ice-ufrag:abcd\r\na=ice-pwd:{'p' * 24}\r\nm=audio 9 X 0\r\n" + lines
        )
        await asyncio.sleep(0.2)
        with pytest.raises(BlockingIOError):
            trap.recv(1)
    await relay.close_session(answer.session)


async def test_ten_thousand_unfinished_joins_leave_room_for_nobody_but_the_class(
    relay: Relay, teacher: ScriptedPublisher
) -> None:
    """One address gets a hundred places, all of them together two hundred; the class goes on, and what was taken is freed."""
    teacher.stream()
    pupil, _ = await join(relay, "pupil")
    offer = Peer().offer(sends=False)
    taken: dict[str, int] = {"192.0.2.1": 0, "": 0}
    before = media_fuzz.reading(relay).kib
    for number in range(10_000):
        origin = "192.0.2.1" if number < 5000 else ""
        try:
            await relay.subscribe(ROOM, LEAD, PeerId(f"zombie-{number}"), offer, origin=origin)
            taken[origin] += 1
        except Full:
            if number % 200 == 0:
                await asyncio.sleep(0)
    assert taken == {"192.0.2.1": 100, "": 100}
    assert media_fuzz.reading(relay).kib - before < 200 * 250, "KiB"
    count = pupil.packets
    await until(lambda: pupil.packets > count + 20)
    for session in [s for s in relay._sessions.values() if s.connected_at is None]:
        relay.end(session, "failed")
    again, _ = await join(relay, "pupil-2")
    await again.close()
    await pupil.close()


async def test_a_few_seconds_of_everything_at_once(tmp_path: Path) -> None:
    """`make fuzz` in small."""
    outcome = await media_fuzz.run(20261126, tmp_path, seconds=0, sdp=150)
    assert outcome["faults"] == []
    assert min(outcome["done"][kind] for kind in ("rtp", "rtcp", "stun", "dtls", "sdp", "fragments")) > 50
