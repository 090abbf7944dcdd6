"""A role reaches its subtree and nothing beside or above it."""

import pytest
from people_tree import MovedClock, People, Tree

from config.settings import Settings
from rooms.people.accounts import (
    NewAccount,
    RoleAt,
    create_account,
    disable,
    reset_password,
    set_roles,
)
from rooms.people.permissions import ACCOUNT_ROLES, PERMISSIONS, ROLES, permissions_of
from rooms.people.roster import list_accounts, list_units
from rooms.refusals import Forbidden, NotFound, Refusal
from rooms.store import Store


async def test_a_role_reaches_the_subtree(people: People, tree: Tree) -> None:
    city = await people.make("city", ("planner", tree.city))
    county = await people.make("county", ("planner", tree.a))
    school = await people.make("school", ("planner", tree.a2))
    assert city.counties("plan.run") == ("a", "b")
    assert county.counties("plan.run") == ("a",)
    assert school.counties("plan.run") == ()
    assert county.may("plan.run", county="a")
    assert county.may("plan.run", county="a", school="ap")
    assert not county.may("plan.run", county="b")
    assert not county.may("report.read", county="a")
    assert not school.may("plan.run", county="a")
    assert school.may("plan.run", county="a", school="a2")
    assert school.may("plan.run", county="a", school="ap")
    assert not school.may("plan.run", county="a", school="a1")
    assert not school.may("plan.run", county="b", school="a2")


async def test_paths_of_neighbours_do_not_mix(people: People, tree: Tree) -> None:
    """Unit 1 and unit 11 share a prefix of digits, not of the path."""
    county = await people.make("county", ("operator", tree.a))
    assert not county.may_at("people.change", county.grants[0].path.rstrip("/") + "1/")


@pytest.mark.parametrize("role", ROLES)
def test_the_duties_stand_apart(role: str) -> None:
    held = next(permissions_of(each) for each in ROLES if each == role)
    assert held <= set(PERMISSIONS)
    assert not ("people.change" in held and ("plan.publish" in held or "audit.read" in held))
    if role == "auditor":
        assert not held & {
            "county.import",
            "plan.run",
            "plan.publish",
            "lesson.change",
            "people.change",
            "lesson.teach",
        }


async def test_an_operator_stays_within_the_subtree(
    store: Store, clock: MovedClock, settings: Settings, people: People, tree: Tree
) -> None:
    school = await people.make("clerk", ("operator", tree.a1))
    above = await people.make("above", ("planner", tree.a))
    beside = await people.make("beside", ("planner", tree.a2))
    both = await people.make("both", ("planner", tree.a1), ("planner", tree.a2))
    own = await people.make("own", ("planner", tree.a1))
    for target in (above, beside, both):
        with pytest.raises(NotFound):
            await reset_password(store, clock, school, school.actor(), target.id)
        with pytest.raises(NotFound):
            await set_roles(store, clock, school, school.actor(), target.id, [RoleAt("planner", tree.a1)])
    await disable(store, clock, school, school.actor(), own.id)
    with pytest.raises(NotFound):
        await set_roles(store, clock, school, school.actor(), own.id, [RoleAt("planner", tree.a)])
    with pytest.raises(Forbidden):
        await set_roles(store, clock, school, school.actor(), school.id, [RoleAt("operator", tree.a1)])
    async with store.read() as session:
        rows = {row.login: row for row in await list_accounts(session, school, clock.now())}
        units = [unit.name for unit in await list_units(session, school)]
    assert set(rows) == {"clerk", "both", "own"}
    assert {login for login, row in rows.items() if row.whole} == {"own"}
    assert [role.org_id for role in rows["both"].roles] == [tree.a1]
    assert units == ["一小"]


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (NewAccount("bad login", "x", (RoleAt("planner", 2),)), "login_malformed"),
        (NewAccount("x1", " ", (RoleAt("planner", 2),)), "name_missing"),
        (NewAccount("x1", "x", ()), "role_missing"),
        (NewAccount("x1", "x", (RoleAt("planner", 2), RoleAt("auditor", 2))), "roles_apart"),
        (NewAccount("x1", "x", (RoleAt("device", 2),)), "unknown_role"),
        (NewAccount("x1", "x", (RoleAt("planner", 999),)), "unknown_org"),
        (NewAccount("x1", "x", (RoleAt("lead_teacher", 2),)), "teacher_role_without_teacher"),
        (NewAccount("x1", "x", (RoleAt("lead_teacher", 2),), ("b", "t9")), "unknown_teacher"),
        (NewAccount("COUNTY", "x", (RoleAt("planner", 2),)), "login_taken"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_an_account_that_cannot_be(
    store: Store, clock: MovedClock, people: People, tree: Tree, new: NewAccount, code: str
) -> None:
    county = await people.make("county", ("operator", tree.a))
    with pytest.raises(Refusal) as refusal:
        await create_account(store, clock, county, county.actor(), new)
    assert refusal.value.code == code


def test_every_account_role_has_permissions() -> None:
    assert all(permissions_of(role) for role in ACCOUNT_ROLES)
