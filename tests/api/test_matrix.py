"""Every role × every route × the other county, generated from the API document: what is closed stays closed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from api_world import PAGE, PIN, ROLES, Side, Site

from api.app import every_route
from api.openapi import document
from api.routing import PUBLIC
from config.settings import Settings

DOCUMENT = document(every_route(), version="test")
OPERATIONS = [(path, method, it) for path, methods in DOCUMENT["paths"].items() for method, it in methods.items()]
EVERYONE = (*ROLES, "device", "nobody")
CLOSED = {401, 403, 404}
BY_TOKEN = ("/link/", "/calendar/", "/whip/", "/whep/", "/media/")
"""Doors that open to a secret of their own, whoever holds it; `test_media` and `test_identity` try those."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limit_scale": 1000})


def named(side: Side) -> dict[str, Any]:
    """What a parameter or a field of this name is, in one county."""
    return {
        "county": side.county,
        "school": side.receiving_school,
        "school_code": side.receiving_school,
        "room": side.receiving_room,
        "room_code": side.receiving_room,
        "teacher": side.teacher,
        "teacher_code": side.teacher,
        "class": side.school_class,
        "school_class": side.school_class,
        "occurrence": side.occurrence,
        "occurrence_id": side.occurrence,
        "lesson": side.occurrence,
        "number": 1,
        "side": side.receiver_side,
        "plan": side.plan,
        "plan_id": side.plan,
        "previous_id": side.plan,
        "version": side.plan,
        "run": side.run,
        "circumstance": side.circumstance,
        "lock": side.lock,
        "draft": side.draft,
        "recording": side.recording,
        "other": side.occurrence,
        "account": side.accounts["planner"],
        "account_id": side.accounts["planner"],
        "device": side.device,
        "device_id": side.device,
        "assistant": side.assistant,
        "assistant_id": side.assistant,
        "encoder": side.encoder,
        "org": side.org,
        "org_id": side.org,
        "code": side.teacher,
        "class_code": side.school_class,
        "quota_of": side.receiving_school,
    }


def one_of(name: str) -> str:
    """The name of one of many: counties → county, schools → school."""
    return name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s")


GIVEN = {"pin": PIN, "start": "08:00", "end": "08:40", "event_id": "0" * 16}
"""Fields that have to look like something, and belong to no county."""


def example(schema: dict[str, Any], name: str, names: dict[str, Any]) -> Any:
    """A valid value for a schema; what has a known name becomes that county's."""
    if "$ref" in schema:
        return example(DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], name, names)
    if name in GIVEN:
        return GIVEN[name]
    if name in names and schema.get("type") in ("string", "integer"):
        return names[name]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if "anyOf" in schema:
        return example(schema["anyOf"][0], name, names)
    match schema.get("type"):
        case "object":
            wanted = schema.get("required", [])
            return {key: example(it, key, names) for key, it in schema.get("properties", {}).items() if key in wanted}
        case "array":
            return [example(schema["items"], one_of(name), names) for _ in range(schema.get("minItems", 0))]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return {"date": "2026-11-23", "date-time": "2026-11-23T08:00:00Z"}.get(
        schema.get("format", ""), "1" * max(schema.get("minLength", 4), 4)
    )


CHOSEN = {"subject": "music", "figure": "planned_receive", "file": "lead.m3u8", "worker": "nowhere:1:0000"}
"""Parameters that belong to no county; there is no such worker."""
OF_THE_HOUSE = ("/api/operator/relays/",)
"""Things of the installation, which no county has."""


def _first(schema: dict[str, Any]) -> Any:
    whole = DOCUMENT["components"]["schemas"].get(schema.get("$ref", "").rsplit("/", 1)[-1], schema)
    return whole.get("const") or next(iter(whole.get("enum", ())), None)


def asked(path: str, operation: dict[str, Any], side: Side) -> tuple[str, dict[str, Any], Any, bool]:
    """Address, query and body that ask for things of a county; and whether they name any."""
    names = named(side)
    address, query = path, {}
    for each in operation["parameters"]:
        if each["in"] == "path":
            value = names.get(each["name"]) or CHOSEN.get(each["name"]) or _first(each["schema"])
            assert value or path.startswith(BY_TOKEN), f"teach the matrix what {each['name']} is: {path}"
            address = address.replace(f"{{{each['name']}}}", str(value or "x"))
        elif each["required"] or each["name"] in names:
            query[each["name"]] = str(example(each["schema"], each["name"], names))
    content = operation.get("requestBody", {}).get("content", {})
    body = example(content["application/json"]["schema"], "", names) if "application/json" in content else None
    touches = (
        address != path
        or bool(names.keys() & query.keys())
        or bool(names.keys() & {one_of(each) for each in body or {}})
    )
    return address, query, body, touches


async def status(client: aiohttp.ClientSession, method: str, path: str, operation: dict[str, Any], side: Side) -> int:
    address, query, body, _ = asked(path, operation, side)
    sent: dict[str, Any] = {"params": query, "allow_redirects": False}
    if body is not None:
        sent["json"] = body
    elif "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
        form = aiohttp.FormData()
        form.add_field("file", b"nothing", filename="county.zip")
        sent["data"] = form
    async with client.request(method, address, **sent) as answer:
        return answer.status


@pytest.mark.parametrize("role", EVERYONE)
async def test_nothing_of_another_county_is_open(site: Site, role: str) -> None:
    opened = []
    async with site.client(site.as_(role)) as client:
        for path, method, operation in OPERATIONS:
            if path.startswith(BY_TOKEN) or operation["x-needs"] == PUBLIC:
                continue
            if role != "nobody" and not asked(path, operation, site.world.there)[3]:
                continue
            found = await status(client, method, path, operation, site.world.there)
            if found not in CLOSED:
                opened.append(f"{method.upper()} {path} → {found}")
    assert not opened


@pytest.mark.parametrize("database", ["sqlite"])
async def test_the_same_question_is_answered_at_home(site: Site) -> None:
    """Without this the matrix proved nothing: a question that nobody is answered is closed by being wrong."""
    never = []
    for path, method, operation in OPERATIONS:
        if (
            path.startswith(BY_TOKEN)
            or operation["x-needs"] == PUBLIC
            or not asked(path, operation, site.world.here)[3]
        ):
            continue
        if (method == "get" and path.startswith("/live/")) or path.startswith(OF_THE_HOUSE):
            continue
        found = set()
        for role in EVERYONE[:-1]:
            async with site.client(site.as_(role)) as client:
                found.add(await status(client, method, path, operation, site.world.here))
        if found <= CLOSED:
            never.append(f"{method.upper()} {path}: {sorted(found)}")
    assert not never


@pytest.mark.parametrize("role", EVERYONE)
async def test_no_list_names_another_county(site: Site, role: str) -> None:
    async with site.client(site.as_(role)) as client:
        for path, method, operation in OPERATIONS:
            if method != "get" or path.startswith((*BY_TOKEN, "/live/")):
                continue
            address, query, _, _ = asked(path, operation, site.world.here)
            async with client.get(address, params=query, headers=PAGE) as answer:
                text = (await answer.read()).decode(errors="replace")
            assert "beta" not in text, f"{role}: {path}"


@pytest.mark.parametrize("database", ["sqlite"])
async def test_ones_own_county_is_no_way_into_another(site: Site) -> None:
    """The county of the caller in the address, everything else of the other one."""
    mixed = replace(site.world.there, county=site.world.here.county)
    opened = []
    for role in EVERYONE[:-1]:
        async with site.client(site.as_(role)) as client:
            for path, method, operation in OPERATIONS:
                inner = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
                if "county" not in inner or not inner & named(mixed).keys() - {"county", "number"}:
                    continue
                found = await status(client, method, path, operation, mixed)
                if found not in CLOSED:
                    opened.append(f"{role}: {method.upper()} {path} → {found}")
    assert not opened
