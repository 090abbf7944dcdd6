"""Foreign pages, inline scripts, floods and slow bodies get nowhere."""

import asyncio
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession
from api_world import PAGE, PASSWORD, Site
from pydantic import SecretStr
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from waiting import SOON, until
from yarl import URL

from api import security
from api.access import session_cookie
from api.limits import RULES
from api.pages import asset
from api.problems import ProblemBody
from api.server import running
from config.settings import Settings

pytestmark = pytest.mark.parametrize("database", ["sqlite"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer x"},
    ],
)
async def test_a_foreign_page_writes_nothing(site: Site, headers: dict[str, str]) -> None:
    async with site.client(site.as_("planner"), **headers) as foreign, foreign.post("/api/sign-out") as answer:
        assert (answer.status, (await answer.json())["code"]) == (403, "foreign_origin")
    async with site.client(site.as_("planner")) as own, own.get("/api/me") as answer:
        assert answer.status == 200


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
async def test_ones_own_page_writes(site: Site, headers: dict[str, str]) -> None:
    async with site.client(site.as_("planner"), **headers) as own, own.post("/api/sign-out") as answer:
        assert answer.status == 204


async def test_ones_own_origin_writes(site: Site) -> None:
    origin = site.server.local_url
    async with site.client(site.as_("planner"), Origin=origin) as own, own.post("/api/sign-out") as answer:
        assert answer.status == 204


async def test_a_foreign_page_opens_no_web_socket(site: Site) -> None:
    headers = {"Origin": "https://evil.example", "Upgrade": "websocket", "Connection": "Upgrade"}
    address = f"/live/{site.world.here.occurrence}"
    async with site.client(site.as_("lead_teacher")) as own, own.get(address, headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    "path", ["/sign-in", "/enrol", "/link/abcdefgh", "/nowhere", "/api/me", "/healthz", "/static/base.css"]
)
async def test_every_answer_has_strict_headers(browser: ClientSession, path: str) -> None:
    async with browser.get(path, headers=PAGE) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "camera=(self)" in answer.headers["Permissions-Policy"]
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Server" not in answer.headers
        assert ("no-store" in answer.headers["Cache-Control"]) == (not path.startswith("/static/"))


async def test_static_files_are_kept_only_under_their_hash(browser: ClientSession) -> None:
    async with browser.get(asset("base.css")) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    for other in ("/static/base.css", "/static/base.css?v=0123456789ab"):  # the hash of another version's file
        async with browser.get(other) as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", [f"{'a' * 300}.css", "../pages.py", "%00.css", "base.css/x.css", ""])
async def test_what_is_no_static_file_is_not_found(browser: ClientSession, name: str) -> None:
    async with browser.get(URL(f"/static/{name}", encoded=True)) as answer:
        assert answer.status == 404


async def test_guesses_are_counted(browser: ClientSession) -> None:
    limit = int(RULES["sign_in"].split("/")[0])
    for _ in range(limit):
        async with browser.post("/sign-in", json={}) as answer:
            assert answer.status == 422
    async with browser.post("/sign-in", json={}) as answer:
        assert answer.status == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert ProblemBody.model_validate(await answer.json()).facts["seconds"] >= 1


async def test_limits_can_be_kept_in_redis(settings: Settings, redis_url: str) -> None:
    shared = settings.model_copy(update={"redis_url": SecretStr(redis_url)})
    async with running(shared) as one, ClientSession(one.local_url) as browser:
        for _ in range(int(RULES["enrol"].split("/")[0])):
            async with browser.post("/enrol", json={"code": "nothing"}) as answer:
                assert answer.status == 404
    async with running(shared) as two, ClientSession(two.local_url) as browser:
        answer = await browser.post("/enrol", json={"code": "nothing"})
        assert answer.status == 429


async def test_a_body_that_never_ends_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "DEADLINE", 0.3)
    place = urlsplit(site.server.local_url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(
        b"POST /api/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    answer = await asyncio.wait_for(reader.read(), SOON)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"request_timeout" in answer


async def test_the_cookie_is_kept_from_scripts(site: Site, browser: ClientSession) -> None:
    body = {"login": "planner-alpha", "password": PASSWORD}
    async with browser.post("/api/sign-in", json=body) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


async def test_behind_tls_the_cookie_is_bound_to_the_host(settings: Settings) -> None:
    assert session_cookie(settings.model_copy(update={"secure_cookies": True})).startswith("__Host-")


async def test_only_this_machine_reads_the_figures(site: Site, browser: ClientSession) -> None:
    async with browser.get("/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
        assert "sanke_http_requests_total" in text
        assert "sanke_audit_entries 0.0" in text
    object.__setattr__(site.server.services.settings, "trusted_proxies", ("127.0.0.1",))
    async with browser.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"}) as answer:
        assert answer.status == 401


async def test_a_log_line_is_found_by_the_id_that_a_person_was_told(site: Site, browser: ClientSession) -> None:
    with capture_logs(processors=[merge_contextvars]) as lines:
        async with browser.get("/healthz"), browser.get("/nowhere") as answer:
            told = answer.headers["X-Request-Id"]
    assert [(line["request"], line["status"]) for line in lines if line["event"] == "request"] == [(told, 404)]


async def test_who_hangs_up_within_a_request_is_no_error(site: Site) -> None:
    place = urlsplit(site.server.local_url)
    with capture_logs() as lines:
        _, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(
            b"POST /api/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await until(lambda: lines, "a line of the log", SOON)
    assert [(line["event"], line["status"]) for line in lines] == [("request", 499)]
