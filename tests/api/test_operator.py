"""The operator's desk: what is handed over is shown once, and nobody reaches beyond the own subtree."""

from typing import Any

import pytest
from aiohttp import ClientSession
from api_world import PAGE, Site
from sqlalchemy import update

from rooms.tables import AccountRole, School, Teacher


async def ask(session: ClientSession, path: str, body: object = None) -> tuple[int, Any]:
    async with session.post(path, json=body if body is not None else {}) as answer:
        return answer.status, (await answer.json() if answer.content_length else None)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page_is_there_in_both_languages(site: Site, language: str) -> None:
    async with site.client(site.as_("operator"), **{"Accept-Language": language}) as session:
        for path in (
            "/operator",
            "/operator/devices",
            "/operator/encoders",
            "/operator/assistants",
            "/operator/system",
        ):
            async with session.get(path, headers=PAGE) as answer:
                assert answer.status == 200, await answer.text()


async def test_an_account_is_made_and_its_first_password_must_go(site: Site) -> None:
    here = site.world.here
    new = {"login": "chen.jing", "name": "陈静", "roles": [{"role": "auditor", "org_id": here.org}]}
    async with site.client(site.as_("operator")) as session:
        status, made = await ask(session, "/api/operator/accounts", new)
        assert status == 201
        status, problem = await ask(session, "/api/operator/accounts", new)
        assert (status, problem["code"]) == (409, "login_taken")
        async with session.get("/operator", headers=PAGE) as answer:
            page = await answer.text()
        assert "chen.jing" in page
        assert made["password"] not in page
        status, link = await ask(session, f"/api/operator/accounts/{made['account_id']}/link")
        assert status == 200
    async with site.client() as session:
        status, _ = await ask(session, "/api/sign-in", {"login": "chen.jing", "password": made["password"]})
        assert status == 200
        async with session.get(f"/bureau/{here.county}", headers=PAGE, allow_redirects=False) as answer:
            assert answer.status in (303, 403)
    assert "/link/" in link["url"]


async def test_a_teacher_of_the_same_code_in_another_county_can_have_an_account(site: Site) -> None:
    here, there = site.world.here, site.world.there
    async with site.server.services.store.write() as session:
        mine = await session.get_one(Teacher, (here.county, here.teacher))
        same = {each.name: getattr(mine, each.name) for each in Teacher.__table__.columns}
        session.add(Teacher(**same | {"county": there.county, "school_code": there.school}))
        session.add(AccountRole(account_id=here.accounts["operator"], role="operator", org_id=there.org))
    async with site.client(site.as_("operator")) as session, session.get("/operator", headers=PAGE) as answer:
        page = await answer.text()
    assert f'value="{there.county}/{here.teacher}"' in page
    assert f'value="{here.county}/{here.teacher}"' not in page, "has one already"


async def test_the_operator_of_a_school_empties_no_relay_worker(site: Site) -> None:
    here = site.world.here
    async with site.client(site.as_("operator")) as session:
        status, _ = await ask(session, "/api/operator/relays/gone:1:abcd/drain")
        assert status == 404, "the county's operator might"
        async with site.server.services.store.write() as writing:
            school = await writing.get_one(School, (here.county, here.school))
            held = update(AccountRole).where(AccountRole.account_id == here.accounts["operator"])
            await writing.execute(held.values(org_id=school.org_id))
        status, problem = await ask(session, "/api/operator/relays/gone:1:abcd/drain")
        assert (status, problem["code"]) == (403, "not_allowed")


async def test_duties_stay_apart(site: Site) -> None:
    here = site.world.here
    roles = [{"role": "auditor", "org_id": here.org}, {"role": "planner", "org_id": here.org}]
    async with site.client(site.as_("operator")) as session:
        status, problem = await ask(
            session, "/api/operator/accounts", {"login": "both", "name": "两面", "roles": roles}
        )
        assert (status, problem["code"]) == (422, "roles_apart")
        mine = here.accounts["operator"]
        status, problem = await ask(session, f"/api/operator/accounts/{mine}/roles", {"roles": roles[:1]})
        assert (status, problem["code"]) == (403, "own_account")


async def test_another_countys_people_are_not_there(site: Site) -> None:
    there = site.world.there
    async with site.client(site.as_("operator")) as session:
        for path in (
            f"/api/operator/accounts/{there.accounts['planner']}/reset",
            f"/api/operator/accounts/{there.accounts['planner']}/link",
            f"/api/operator/accounts/{there.accounts['planner']}/disable",
            f"/api/operator/devices/{there.device}/revoke",
            f"/api/operator/devices/{there.device}/code",
            f"/api/operator/assistants/{there.assistant}/disable",
        ):
            status, _ = await ask(session, path)
            assert status == 404, path
        roles = [{"role": "planner", "org_id": there.org}]
        status, _ = await ask(session, "/api/operator/accounts", {"login": "spy", "name": "外人", "roles": roles})
        assert status == 404
        device = {"county": there.county, "school": there.school, "name": "大屏"}
        status, _ = await ask(session, "/api/operator/devices", device)
        assert status == 404
        async with session.get("/operator", headers=PAGE) as answer:
            assert there.county not in await answer.text()


async def test_a_device_is_enrolled_with_its_slip_and_revoked(site: Site) -> None:
    here = site.world.here
    form = {"county": here.county, "school": here.receiving_school, "room": here.receiving_room, "name": "大屏"}
    async with site.client(site.as_("operator")) as operator:
        status, slip = await ask(operator, "/api/operator/devices", form)
        assert status == 201
        assert slip["qr"].startswith("data:image/svg+xml")
        async with site.client() as screen:
            async with screen.post("/enrol", data={"code": slip["code"].lower()}, allow_redirects=False) as answer:
                assert answer.status == 303
            async with screen.get("/classroom", headers=PAGE) as answer:
                assert answer.status == 200
            status, _ = await ask(operator, f"/api/operator/devices/{slip['device_id']}/revoke")
            assert status == 204
            async with screen.get("/classroom", headers=PAGE, allow_redirects=False) as answer:
                assert answer.status == 303


async def test_a_poor_pin_is_refused_in_words(site: Site) -> None:
    here = site.world.here
    form = {"county": here.county, "school": here.receiving_school, "name": "王芳", "pin": "1234"}
    async with site.client(site.as_("operator"), **{"Accept-Language": "zh-CN"}) as session:
        status, problem = await ask(session, "/api/operator/assistants", form)
        assert (status, problem["code"]) == (422, "pin_malformed")
        assert "PIN" in problem["detail"]
        status, made = await ask(session, "/api/operator/assistants", form | {"pin": "2468"})
        assert status == 201
        status, _ = await ask(session, f"/api/operator/assistants/{made['assistant_id']}/pin", {"pin": "8642"})
        assert status == 204
