"""The API document holds every route, and everything it says can be looked up in it."""

import json
import re
from typing import Any

import pytest
from aiohttp import ClientSession
from api_world import Site

from api.app import build_app, every_route
from api.limits import RULES
from api.openapi import document
from api.problems import PROBLEM_JSON
from api.routing import PUBLIC, SIGNED_IN
from config.settings import Settings
from rooms.people.permissions import PERMISSIONS

ROUTES = every_route()
DOCUMENT = document(ROUTES, version="test")
OPERATIONS = [(path, method, it) for path, methods in DOCUMENT["paths"].items() for method, it in methods.items()]
NAMES = [f"{method} {path}" for path, method, _ in OPERATIONS]


@pytest.mark.parametrize("database", ["sqlite"])
async def test_every_route_is_in_the_document(settings: Settings) -> None:
    app = build_app(settings)
    served = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    served.discard(("GET", "/static/{name}"))
    assert served == {(method.upper(), path) for path, method, _ in OPERATIONS}
    assert not app.router.frozen


def test_every_operation_has_its_own_name() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=NAMES)
def test_an_operation_is_complete(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["x-needs"] in (PUBLIC, SIGNED_IN, *PERMISSIONS)
    declared = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
    assert declared == set(re.findall(r"{(\w+)}", path))
    assert all(re.fullmatch(r"[1-5]\d\d", status) for status in operation["responses"])
    wanted = {"404", "422", "429"} | ({"401"} if operation["x-needs"] != PUBLIC else set())
    assert wanted <= set(operation["responses"])
    for status in wanted:
        assert PROBLEM_JSON in operation["responses"][status]["content"]
    for reference in re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(operation)):
        assert reference in DOCUMENT["components"]["schemas"]


def test_references_within_schemas_lead_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(schemas)):
        assert reference.removeprefix("#/components/schemas/") in schemas


@pytest.mark.parametrize("database", ["sqlite"])
async def test_the_server_tells_it(site: Site, browser: ClientSession) -> None:
    async with browser.get("/openapi.json") as answer:
        assert (await answer.json())["paths"].keys() == DOCUMENT["paths"].keys()


def test_every_rule_guards_a_door() -> None:
    guarded = {route.limit for route in every_route() if route.limit} | {"offer"}
    assert guarded == RULES.keys()
