"""A classroom without the floor is silent, and for the lead alone."""

from __future__ import annotations

import asyncio

import pytest
from media_world import LEAD, ROOM, ScriptedPublisher
from waiting import SOON, until

from media.clients.counting import CountOnlySubscriber
from media.errors import NoFloor
from media.events import PeerId, SourceName
from media.orders import GiveFloor
from media.relay import Relay

VILLAGE = PeerId("village")
SOURCE = SourceName("class:village")


async def receiving(relay: Relay, peer: str) -> CountOnlySubscriber:
    """Somebody who gets the village's picture and sound."""
    subscriber = CountOnlySubscriber()
    answer = await relay.subscribe(ROOM, SOURCE, PeerId(peer), subscriber.offer())
    await subscriber.connect(answer.sdp)
    await until(lambda: relay.session(answer.session).connected)
    return subscriber


def arrived(relay: Relay, kind: str) -> int:
    """Packets of the village that went on."""
    return next((view.packets for view in relay.snapshot(ROOM).layers if (view.source, view.kind) == (SOURCE, kind)), 0)


async def speak(village: ScriptedPublisher) -> None:
    for _ in range(10):
        village.sound()
        village.frame(key=True)
        await asyncio.sleep(0.005)


async def test_the_floor_opens_and_closes_a_classroom(relay: Relay) -> None:
    lead, village = ScriptedPublisher(), ScriptedPublisher()
    await lead.start(relay, source=LEAD)
    await village.start(relay, peer=VILLAGE, source=SOURCE)
    teacher = await receiving(relay, "teacher")
    with pytest.raises(NoFloor):
        await receiving(relay, "point")
    await speak(village)
    await until(lambda: arrived(relay, "video") >= 20)
    assert arrived(relay, "audio") == 0, "no sound without the floor"

    await relay.carry_out(GiveFloor(ROOM, VILLAGE))
    point = await receiving(relay, "point")
    await speak(village)
    await until(lambda: arrived(relay, "audio") == 10)
    await until(lambda: len(point.streams) == 2)

    await relay.carry_out(GiveFloor(ROOM, PeerId("point")))
    await asyncio.wait_for(point.ended.wait(), SOON)
    assert not teacher.ended.is_set(), "the lead sees its classes always"
    with pytest.raises(NoFloor):
        await receiving(relay, "point")
    await speak(village)
    await until(lambda: arrived(relay, "video") >= 80)
    assert arrived(relay, "audio") == 10
    for each in (teacher, point):
        await each.close()
    for each_publisher in (village, lead):
        await each_publisher.peer.close()


async def test_a_floor_is_forgotten_with_its_room(relay: Relay) -> None:
    village = ScriptedPublisher()
    await village.start(relay, peer=VILLAGE, source=SOURCE)
    await relay.carry_out(GiveFloor(ROOM, VILLAGE))
    await relay.close_session(village.session)
    await village.peer.close()
    again = ScriptedPublisher()
    await again.start(relay, peer=VILLAGE, source=SOURCE)
    again.sound()
    again.frame(key=True)
    await until(lambda: arrived(relay, "video"))
    assert arrived(relay, "audio") == 0
    await again.peer.close()
