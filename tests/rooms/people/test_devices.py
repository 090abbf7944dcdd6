"""A classroom's device and the assistants who act on it."""

from datetime import timedelta

import pytest
from people_tree import MovedClock, People, Tree

from config.settings import Settings
from rooms.people.assistants import create_assistant, recognise, set_in_use, set_pin
from rooms.people.devices import create_device, enrol, renew_code, revoke_device
from rooms.people.roster import assistants_of, list_devices
from rooms.people.scope import Principal
from rooms.people.sessions import principal_of
from rooms.refusals import Invalid, Locked, NotFound
from rooms.store import Store


@pytest.fixture
async def operator(people: People, tree: Tree) -> Principal:
    return await people.make("oper", ("operator", tree.a))


@pytest.fixture
async def device(store: Store, clock: MovedClock, operator: Principal) -> Principal:
    enrolment = await create_device(store, clock, operator, operator.actor(), "a", "a1", "r1", "大屏")
    return (await enrol(store, clock, enrolment.code, address="")).principal


async def test_a_printed_code_enrols_once(
    store: Store, clock: MovedClock, settings: Settings, operator: Principal
) -> None:
    enrolment = await create_device(store, clock, operator, operator.actor(), "a", "a1", "r1", "大屏")
    signed = await enrol(store, clock, f" {enrolment.code.lower().replace('-', ' ')} ", address="")
    assert signed.principal.room == ("a", "a1", "r1")
    with pytest.raises(NotFound):
        await enrol(store, clock, enrolment.code, address="")
    clock.move(days=200)
    assert await principal_of(store, clock, settings, signed.token) == signed.principal
    await revoke_device(store, clock, operator, operator.actor(), signed.principal.id)
    assert await principal_of(store, clock, settings, signed.token) is None
    async with store.read() as session:
        assert [row.state for row in await list_devices(session, operator, clock.now())] == ["revoked"]


async def test_a_code_lapses_and_can_be_renewed(
    store: Store, clock: MovedClock, settings: Settings, operator: Principal
) -> None:
    first = await create_device(store, clock, operator, operator.actor(), "a", "a1", None, "大屏")
    clock.at = first.expires_at
    with pytest.raises(NotFound):
        await enrol(store, clock, first.code, address="")
    second = await renew_code(store, clock, operator, operator.actor(), first.device_id)
    signed = await enrol(store, clock, second.code, address="")
    await renew_code(store, clock, operator, operator.actor(), first.device_id)
    assert await principal_of(store, clock, settings, signed.token) is None


async def test_a_device_belongs_to_the_subtree(store: Store, clock: MovedClock, people: People, tree: Tree) -> None:
    clerk = await people.make("clerk", ("operator", tree.a2))
    for county, school, room in (("a", "a1", None), ("b", "b1", None), ("a", "a2", "r1")):
        with pytest.raises(NotFound):
            await create_device(store, clock, clerk, clerk.actor(), county, school, room, "大屏")
    await create_device(store, clock, clerk, clerk.actor(), "a", "ap", None, "教学点大屏")


async def test_an_assistant_is_known_by_pin_in_the_own_school(
    store: Store, clock: MovedClock, settings: Settings, operator: Principal, device: Principal
) -> None:
    here = await create_assistant(store, clock, operator, operator.actor(), "a", "a1", "王芳", "2468")
    there = await create_assistant(store, clock, operator, operator.actor(), "a", "a2", "孙丽", "2468")
    assert (await recognise(store, clock, settings, device, device.actor(), here, "2468")).name == "王芳"
    with pytest.raises(NotFound):
        await recognise(store, clock, settings, device, device.actor(), there, "2468")
    with pytest.raises(Invalid):
        await recognise(store, clock, settings, device, device.actor(), here, "1357")
    async with store.read() as session:
        assert [row.name for row in await assistants_of(session, "a", "a1", clock.now())] == ["王芳"]
    await set_in_use(store, clock, operator, operator.actor(), here, False)
    with pytest.raises(NotFound):
        await recognise(store, clock, settings, device, device.actor(), here, "2468")


async def test_wrong_pins_lock_for_a_while(
    store: Store, clock: MovedClock, settings: Settings, operator: Principal, device: Principal
) -> None:
    here = await create_assistant(store, clock, operator, operator.actor(), "a", "a1", "王芳", "2468")
    for _ in range(settings.lock_after_failures):
        with pytest.raises(Invalid):
            await recognise(store, clock, settings, device, device.actor(), here, "1357")
    with pytest.raises(Locked):
        await recognise(store, clock, settings, device, device.actor(), here, "2468")
    clock.at += timedelta(minutes=5)
    assert (await recognise(store, clock, settings, device, device.actor(), here, "2468")).id == here
    await set_pin(store, clock, operator, operator.actor(), here, "8642")
    assert (await recognise(store, clock, settings, device, device.actor(), here, "8642")).id == here


@pytest.mark.parametrize("pin", ["123", "1234", "8765", "0000", "12a4", "123456789", "", "２４６８"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_poor_pin_is_refused(store: Store, clock: MovedClock, operator: Principal, pin: str) -> None:
    with pytest.raises(Invalid):
        await create_assistant(store, clock, operator, operator.actor(), "a", "a1", "王芳", pin)
