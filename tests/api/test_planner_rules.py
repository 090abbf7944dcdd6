"""Rules and wishes on the planner's desk: in words, editable, and each wish of a plan with its meetings."""

from __future__ import annotations

import pytest
from api_world import PAGE, Site

from api.planner.rules import Values
from rooms.county import POLICY_KEYS, policy_range

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@one_database
async def test_a_planner_sets_a_weight_and_takes_it_back(site: Site) -> None:
    async with site.client(site.as_("planner")) as client:
        async with client.post(
            "/api/planner/alpha/policy", json={"wish_few_moves": 77, "match_edition": False}
        ) as answer:
            assert (answer.status, await answer.json()) == (200, {"changed": 2})
        async with client.get("/planner/alpha/rules", headers=PAGE) as answer:
            text = await answer.text()
            assert answer.status == 200
            assert 'value="77"' in text
            assert "/policy/reset" in text
        async with client.post("/api/planner/alpha/policy", json={"wish_few_moves": 101}) as answer:
            assert answer.status == 422
        async with client.post("/api/planner/alpha/policy/reset") as answer:
            assert await answer.json() == {"changed": 2}
        async with client.get("/planner/alpha/rules", headers=PAGE) as answer:
            assert "/policy/reset" not in await answer.text()


@one_database
@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_every_wish_of_a_plan_opens(site: Site, language: str) -> None:
    async with site.client(site.as_("planner")) as client:
        for number in range(1, 7):
            address = f"/planner/alpha/plans/1/wishes/W{number}"
            async with client.get(address, headers={**PAGE, "Accept-Language": language.replace("_", "-")}) as answer:
                text = await answer.text()
                assert answer.status == 200, text[-600:]
                assert f"<h2>W{number} " in text


def test_every_key_can_be_set_within_its_range() -> None:
    assert tuple(Values.model_fields) == POLICY_KEYS
    schema = Values.model_json_schema()["properties"]
    for key in POLICY_KEYS:
        whole = next(each for each in schema[key]["anyOf"] if each["type"] != "null")
        if whole["type"] == "integer":
            assert (whole["minimum"], whole["maximum"]) == policy_range(key)
