"""Who signs in, who stays signed in, and what an attempt costs."""

import asyncio
from datetime import timedelta

import pytest
from people_tree import PASSWORD, MovedClock, People, Tree
from sqlalchemy import func, select

from config.settings import Settings
from rooms.people.accounts import change_password, disable, reset_password, unlock
from rooms.people.links import follow_link, make_link
from rooms.people.passwords import digest
from rooms.people.principals import system_principal
from rooms.people.scope import Principal
from rooms.people.sessions import clear_over, principal_of, sign_in, sign_out
from rooms.refusals import Forbidden, Invalid, NotFound, NotSignedIn, Refusal
from rooms.store import SYSTEM, Store
from rooms.tables import Account, AuditLeaf, Session, SignInLink


@pytest.fixture
async def planner(people: People, tree: Tree) -> Principal:
    return await people.make("liwei", ("planner", tree.a))


async def actions(store: Store) -> list[str]:
    async with store.read() as session:
        return list(await session.scalars(select(AuditLeaf.action).order_by(AuditLeaf.index)))


async def test_a_person_signs_in_and_out(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    signed = await sign_in(store, clock, settings, " LiWei ", PASSWORD, address="10.0.0.1")
    assert await principal_of(store, clock, settings, signed.token) == planner
    async with store.read() as session:
        kept = await session.scalar(select(Session.token_hash))
    assert kept is not None
    assert signed.token not in kept
    await sign_out(store, clock, signed.token, signed.principal, signed.principal.actor())
    assert await principal_of(store, clock, settings, signed.token) is None
    async with store.read() as session:
        told = await session.execute(
            select(AuditLeaf.action, AuditLeaf.county).order_by(AuditLeaf.index.desc()).limit(2)
        )
        assert told.all() == [("session.sign_out", planner.home_county), ("session.sign_in", planner.home_county)]


async def test_unknown_login_and_wrong_password_look_alike(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    said = []
    for login, password in (("liwei", "Wrong-password-1"), ("nobody", PASSWORD), ("liwei", "x" * 5000)):
        with pytest.raises(NotSignedIn) as refusal:
            await sign_in(store, clock, settings, login, password, address="")
        said.append((refusal.value.code, refusal.value.facts))
    assert said[0] == said[1] == said[2]


async def test_five_wrong_passwords_lock(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    for _ in range(settings.lock_after_failures):
        with pytest.raises(NotSignedIn):
            await sign_in(store, clock, settings, "liwei", "Wrong-password-1", address="")
    with pytest.raises(NotSignedIn):
        await sign_in(store, clock, settings, "liwei", PASSWORD, address="")
    assert (await actions(store)).count("account.lock") == 1
    await unlock(store, clock, system_principal(), SYSTEM, planner.id)
    assert (await sign_in(store, clock, settings, "liwei", PASSWORD, address="")).principal == planner


async def test_guesses_at_the_same_moment_are_five_at_most(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    async def guess() -> bool:
        try:
            await sign_in(store, clock, settings, "liwei", "Wrong-password-1", address="")
        except NotSignedIn:
            return False
        return True

    assert not any(await asyncio.gather(*(guess() for _ in range(12))))
    async with store.read() as session:
        account = await session.get_one(Account, planner.id)
        tried = await session.scalar(
            select(func.count())
            .select_from(AuditLeaf)
            .where(AuditLeaf.object == "account:liwei", AuditLeaf.action == "session.sign_in")
        )
        assert (account.failures, tried) == (5, 5)
        assert account.locked_at is not None


async def test_success_forgets_earlier_failures(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    for _ in range(3):
        for _ in range(settings.lock_after_failures - 1):
            with pytest.raises(NotSignedIn):
                await sign_in(store, clock, settings, "liwei", "Wrong-password-1", address="")
        await sign_in(store, clock, settings, "liwei", PASSWORD, address="")


async def test_a_session_ends_when_idle_or_old(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    idle = await sign_in(store, clock, settings, "liwei", PASSWORD, address="")
    clock.move(minutes=settings.session_idle_minutes)
    assert await principal_of(store, clock, settings, idle.token) is None
    used = await sign_in(store, clock, settings, "liwei", PASSWORD, address="")
    for _ in range(settings.session_max_hours * 60 // 20 - 1):
        clock.move(minutes=20)
        assert await principal_of(store, clock, settings, used.token) is not None
    clock.move(minutes=20)
    assert await principal_of(store, clock, settings, used.token) is None


async def test_signing_in_again_replaces_the_session(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    first = await sign_in(store, clock, settings, "liwei", PASSWORD, address="")
    second = await sign_in(store, clock, settings, "liwei", PASSWORD, address="", replaces=first.token)
    assert first.token != second.token
    assert await principal_of(store, clock, settings, first.token) is None


async def test_a_disabled_account_is_out_at_once(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    signed = await sign_in(store, clock, settings, "liwei", PASSWORD, address="")
    await disable(store, clock, system_principal(), SYSTEM, planner.id)
    assert await principal_of(store, clock, settings, signed.token) is None
    with pytest.raises(Forbidden):
        await sign_in(store, clock, settings, "liwei", PASSWORD, address="")


async def test_the_first_password_must_be_changed(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    first = await reset_password(store, clock, system_principal(), SYSTEM, planner.id)
    signed = await sign_in(store, clock, settings, "liwei", first.password, address="")
    other = await sign_in(store, clock, settings, "liwei", first.password, address="")
    assert signed.principal.must_change_password
    actor = signed.principal.actor()
    await change_password(
        store, clock, settings, signed.principal, actor, first.password, "Another-Yard-8", keep=signed.token
    )
    kept = await principal_of(store, clock, settings, signed.token)
    assert kept is not None
    assert not kept.must_change_password
    assert await principal_of(store, clock, settings, other.token) is None
    await sign_in(store, clock, settings, "liwei", "Another-Yard-8", address="")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("Sh0rt!", "password_too_short"),
        ("alllowercaseletters", "password_too_simple"),
        ("Liwei-is-here-1", "password_has_login"),
        ("Password123!", "password_common"),
        (PASSWORD, "password_unchanged"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_poor_password_is_refused(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal, password: str, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await change_password(store, clock, settings, planner, planner.actor(), PASSWORD, password)
    assert refusal.value.code == code


async def test_a_link_is_good_for_one_use(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    token = await make_link(store, clock, settings, SYSTEM, account_id=planner.id)
    assert (await follow_link(store, clock, settings, token, address="")).principal == planner
    with pytest.raises(NotFound):
        await follow_link(store, clock, settings, token, address="")
    late = await make_link(store, clock, settings, SYSTEM, account_id=planner.id, lasts=timedelta(minutes=5))
    clock.move(minutes=5)
    with pytest.raises(NotFound):
        await follow_link(store, clock, settings, late, address="")


async def test_a_link_is_worth_nothing_after_a_new_password(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    token = await make_link(store, clock, settings, SYSTEM, account_id=planner.id)
    await reset_password(store, clock, system_principal(), SYSTEM, planner.id)
    with pytest.raises(NotFound):
        await follow_link(store, clock, settings, token, address="")


async def test_the_countys_auditors_see_that_somebody_made_a_link(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    await make_link(store, clock, settings, SYSTEM, account_id=planner.id)
    async with store.read() as session:
        made = select(AuditLeaf.object, AuditLeaf.county).where(AuditLeaf.action == "link.create")
        assert (await session.execute(made)).all() == [("account:liwei", planner.home_county)]
    assert planner.home_county is not None


async def test_a_link_is_used_again_in_a_demonstration_only(
    store: Store, clock: MovedClock, settings: Settings, planner: Principal
) -> None:
    with pytest.raises(Refusal):
        await make_link(store, clock, settings, SYSTEM, account_id=planner.id, reusable=True)
    demo = settings.model_copy(update={"demo": True})
    token = await make_link(store, clock, demo, SYSTEM, account_id=planner.id, reusable=True)
    for _ in range(2):
        assert (await follow_link(store, clock, demo, token, address="")).principal == planner
    with pytest.raises(NotFound):
        await follow_link(store, clock, settings, token, address="")


async def test_what_is_over_for_long_is_kept_no_longer(
    store: Store, clock: MovedClock, settings: Settings, people: People, planner: Principal, tree: Tree
) -> None:
    await people.make("zhaomin", ("planner", tree.a))

    async def enters(login: str) -> str:
        return (await sign_in(store, clock, settings, login, PASSWORD, address="")).token

    async def kept() -> tuple[int, int]:
        await clear_over(store, clock, settings)
        async with store.read() as session:
            found = [await session.scalar(select(func.count()).select_from(each)) for each in (Session, SignInLink)]
        return found[0] or 0, found[1] or 0

    await make_link(store, clock, settings, SYSTEM, account_id=planner.id)
    for _ in range(3):
        await enters("liwei")
    await enters("zhaomin")
    clock.move(days=1)
    ended = await enters("liwei")
    await sign_out(store, clock, ended, planner, planner.actor())
    clock.move(days=89)
    token = await enters("liwei")
    assert await kept() == (6, 1)
    clock.move(hours=13)
    assert await kept() == (3, 0), "what was ended a day later, and the last of each"
    clock.move(days=1)
    assert await kept() == (2, 0)
    async with store.read() as session:
        assert set(await session.scalars(select(Session.token_hash))) >= {digest(token)}
