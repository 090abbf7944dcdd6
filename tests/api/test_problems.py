"""Every error has one shape, in both languages, whatever made it."""

import aiohttp
import pytest
from aiohttp import ClientSession
from api_world import PAGE, Site

from api.problems import STATUS, Problem, ProblemBody
from config.words import LANGUAGES, catalogue


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
        ("PUT", "/api/me", 405, "method_not_allowed"),
        ("GET", "/api/me", 401, "sign_in_needed"),
        ("GET", "/planner/alpha", 401, "sign_in_needed"),
        ("GET", "/calendar/no-such-token-here.ics", 404, "not_found"),
        ("POST", "/api/sign-in", 415, "wrong_type"),
        ("POST", "/whip/" + "a" * 32 + "/lead", 401, "token_invalid"),
    ],
)
async def test_errors_have_one_shape(browser: ClientSession, method: str, path: str, status: int, code: str) -> None:
    async with browser.request(method, path) as answer:
        assert answer.status == status
        assert answer.content_type == "application/problem+json"
        body = ProblemBody.model_validate(await answer.json())
    assert (body.code, body.status, body.type) == (code, status, f"urn:sanke:problem:{code}")
    assert set(body.words) == set(LANGUAGES)
    assert body.detail == body.words["zh_CN"] != body.words["en"]
    assert body.instance.startswith("urn:uuid:")


async def test_the_reader_chooses_the_language(browser: ClientSession) -> None:
    async with browser.get("/nowhere", headers={"Accept-Language": "en-GB,en;q=0.9"}) as answer:
        assert (await answer.json())["title"] == "Not found"


async def test_wrong_fields_are_named_and_not_repeated(browser: ClientSession) -> None:
    async with browser.post("/api/sign-in", json={"login": "a" * 65, "pasword": "x", "next": "/"}) as answer:
        assert answer.status == 422
        body = await answer.json()
    assert {error["at"] for error in body["errors"]} == {"body.login", "body.password", "body.pasword"}
    assert "a" * 65 not in str(body)


@pytest.mark.parametrize("text", ["{", "[1,", '{"login": NaN}', '{"login": "\\u0000"}', "[" * 5000])
async def test_what_is_no_json_is_refused(browser: ClientSession, text: str) -> None:
    async with browser.post("/api/sign-in", data=text, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
        assert (await answer.json())["code"] == "bad_request"


async def test_a_body_has_a_limit(browser: ClientSession) -> None:
    try:
        async with browser.post("/api/sign-in", json={"login": "x", "password": "y" * 400_000}) as answer:
            assert answer.status == 413
            assert (await answer.json())["code"] == "too_large"
    except aiohttp.ClientOSError:
        pytest.fail("the server cut the line instead of answering")


async def test_people_get_a_page_and_strangers_the_door(browser: ClientSession) -> None:
    async with browser.get("/nowhere", headers=PAGE) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
        assert "没有找到" in await answer.text()
    async with browser.get("/planner/alpha?tab=x", headers=PAGE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/sign-in?next=%2Fplanner%2Falpha%3Ftab%3Dx")


async def test_a_broken_handler_tells_nothing_and_keeps_its_number(site: Site, browser: ClientSession) -> None:
    object.__setattr__(site.server.services, "pages", None)
    async with browser.get("/sign-in") as answer:
        assert answer.status == 500
        body = await answer.json()
    assert body["code"] == "internal"
    assert "Traceback" not in str(body)
    assert "NoneType" not in str(body)


def test_every_problem_has_words_in_both_languages() -> None:
    for language in LANGUAGES:
        words = catalogue(language)
        missing = {code for code in STATUS if f"problem.{code}" not in words or f"problem.{code}_title" not in words}
        assert not missing, language


def test_a_refusal_without_a_title_takes_that_of_its_status() -> None:
    problem = Problem("link_spent", status=404, key="refusal.link_spent")
    assert problem.body("en").title == "Not found"
