"""Coming in, staying in, and being sent out."""

from datetime import timedelta

import pytest
from aiohttp import ClientSession
from api_world import PAGE, PASSWORD, Site
from sqlalchemy import update

from api.access import session_cookie
from rooms.people.links import make_link
from rooms.people.passwords import digest, tidy_code
from rooms.store import SYSTEM
from rooms.tables import Account, Device, Session

FORM = {"login": "planner-alpha", "password": PASSWORD}


async def test_the_form_leads_to_the_desk(site: Site, browser: ClientSession) -> None:
    async with browser.post("/sign-in", data=FORM, headers=PAGE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
    async with browser.get("/", headers=PAGE, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/planner/alpha"
    async with browser.get("/api/me") as answer:
        me = await answer.json()
    assert (me["login"], me["roles"]) == ("planner-alpha", ["planner"])
    assert "plan.run" in me["permissions"]
    assert "people.change" not in me["permissions"]


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("/planner/alpha?week=3", "/planner/alpha?week=3"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"])
async def test_nobody_is_sent_elsewhere(browser: ClientSession, site: Site, wanted: str, given: str) -> None:
    async with browser.post("/sign-in", data=FORM | {"next": wanted}, headers=PAGE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, given)


async def test_a_wrong_password_says_so_on_the_form(site: Site, browser: ClientSession) -> None:
    async with browser.post("/sign-in", data=FORM | {"password": "wrong"}, headers=PAGE) as answer:
        assert answer.status == 401
        text = await answer.text()
        assert "账号或密码不正确" in text
        assert f'value="{FORM["login"]}"' in text, "nobody types the login again"
        assert text.count("autofocus") == 1
        assert not answer.cookies
    async with browser.post("/enrol", data={"code": '7K3M"9QXD'}, headers=PAGE) as answer:
        assert 'value="7K3M&#34;9QXD"' in await answer.text()


async def test_five_wrong_passwords_lock_the_account(site: Site, browser: ClientSession) -> None:
    for _ in range(5):
        async with browser.post("/api/sign-in", json=FORM | {"password": "wrong"}) as answer:
            assert answer.status == 401
    async with browser.post("/api/sign-in", json=FORM) as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, "wrong_credentials")


async def test_a_sign_out_ends_the_session_on_the_server(site: Site) -> None:
    token = site.as_("auditor")
    async with site.client(token) as one, one.post("/api/sign-out") as answer:
        assert answer.status == 204
        assert answer.cookies[session_cookie(site.server.services.settings)]["max-age"] == "0"
    async with site.client(token) as again, again.get("/api/me") as answer:
        assert answer.status == 401


async def test_an_idle_session_ends_and_a_classroom_stays(site: Site) -> None:
    services = site.server.services
    long_ago = services.clock.now() - timedelta(minutes=services.settings.session_idle_minutes)
    async with services.store.write() as session:
        await session.execute(update(Session).values(used_at=long_ago))
    async with site.client(site.as_("planner")) as person, person.get("/api/me") as answer:
        assert answer.status == 401
    async with site.client(site.as_("device")) as classroom, classroom.get("/api/me") as answer:
        assert (answer.status, (await answer.json())["kind"]) == (200, "device")


async def test_a_link_asks_for_one_click_and_works_once(site: Site, browser: ClientSession) -> None:
    services = site.server.services
    account = site.world.here.accounts["auditor"]
    token = await make_link(services.store, services.clock, services.settings, SYSTEM, account_id=account)
    async with browser.get(f"/link/{token}", headers=PAGE) as answer:
        assert answer.status == 200
        assert not answer.cookies
    async with browser.post(f"/link/{token}", headers=PAGE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
    async with browser.get("/api/me") as answer:
        assert (await answer.json())["login"] == "auditor-alpha"
    async with site.client() as other, other.post(f"/link/{token}") as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "link_spent")


async def test_a_printed_code_makes_a_browser_the_classroom(site: Site, browser: ClientSession) -> None:
    services, device = site.server.services, site.world.here.device
    lasts = services.clock.now() + timedelta(days=1)
    values = {"enrol_code_hash": digest(tidy_code("7K3M-9QXD-R2TV")), "enrol_expires_at": lasts}
    async with services.store.write() as session:
        await session.execute(update(Device).where(Device.id == device).values(**values))
    async with browser.post("/enrol", data={"code": "wrong"}, headers=PAGE) as answer:
        assert answer.status == 404
    async with browser.post("/enrol", data={"code": "7k3m 9qxd r2tv"}, headers=PAGE, allow_redirects=False) as answer:
        assert answer.status == 303
        assert int(next(iter(answer.cookies.values()))["max-age"]) > 300 * 86400
    async with browser.get("/", headers=PAGE, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/classroom"


async def test_a_first_password_is_changed_before_anything_else(site: Site) -> None:
    services = site.server.services
    async with services.store.write() as session:
        await session.execute(update(Account).where(Account.login == "planner-alpha").values(must_change_password=True))
    async with site.client(site.as_("planner")) as person:
        async with person.get("/planner/alpha", headers=PAGE, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/password")
        async with person.post("/preferences", json={}, allow_redirects=False) as answer:
            assert answer.status == 303
        async with person.get("/openapi.json") as answer:
            assert (answer.status, (await answer.json())["code"]) == (403, "password_change_needed")
        async with person.post("/password", data={"old": PASSWORD, "new": "short"}, headers=PAGE) as answer:
            assert answer.status == 422
        new = {"old": PASSWORD, "new": "A-Newer-Horse-8"}
        async with person.post("/password", data=new, headers=PAGE, allow_redirects=False) as answer:
            assert answer.status == 303
        async with person.get("/openapi.json") as answer:
            assert answer.status == 200


async def test_language_and_theme_are_remembered(site: Site) -> None:
    async with site.client(site.as_("planner")) as person:
        chosen = {"language": "en", "theme": "dark", "next": "/password"}
        async with person.post("/preferences", data=chosen, headers=PAGE) as answer:
            text = await answer.text()
            assert str(answer.url).endswith("/password")
        assert 'lang="en"' in text
        assert 'data-theme="dark"' in text
    async with site.client(site.as_("planner")) as elsewhere, elsewhere.get("/api/me") as answer:
        assert (await answer.json())["language"] == "en"
