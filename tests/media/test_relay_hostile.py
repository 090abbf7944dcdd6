"""Packets from strangers and from authentic peers that mean harm: nothing dies, nothing grows, nobody is moved."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import socket
import struct

import pytest
from media_world import LEAD, ROOM, ScriptedPublisher, join, until

from media import stun
from media.aiortc_bridge import QUEUE
from media.events import PeerId
from media.ice import Agent, Switchboard
from media.peer import PAYLOAD_TYPES, Peer
from media.relay import Relay
from media.rtp import HEADER
from media.sdp import parse_offer

CLIENT_HELLO = bytes.fromhex("16feff0000000000000000003601000028000000000000002a") + bytes(46)
FATAL_ALERT = bytes.fromhex("15feff0000000000000000000202") + b"\x28"
H264 = PAYLOAD_TYPES["H264"]


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
        reply = stun.parse(await asyncio.wait_for(loop.sock_recv(third, 2048), 1))
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


def test_proved_addresses_are_bounded() -> None:
    board = Switchboard(lambda datagram, address: True, lambda: 5.0)
    agent = Agent(on_dtls=lambda d: None, on_media=lambda d: None, on_moved=lambda: None, now=5.0)
    board.add(agent)
    request = stun.request(addressee=agent.credentials.fragment, sender="x", password=agent.credentials.password)
    for port in range(1000, 1100):
        board.datagram(request, ("192.0.2.9", port))
    assert len(agent.addresses) == len(board._by_address) == 8
    assert agent.selected in agent.addresses
