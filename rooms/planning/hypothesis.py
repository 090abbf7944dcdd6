"""What if: a county in which something is otherwise than it is. Pure; the county itself, its files and its plans stay as they are.

A hypothesis is an ordered set of suppositions. What may happen to a county is a `Circumstance`; beyond that a policy value, one
more lead room and a shifted bell table can be supposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, assert_never

from rooms.county import POLICY_KEYS, County, Room, policy_range
from rooms.planning.circumstances import Circumstance, with_circumstances
from rooms.planning.circumstances import misfit as circumstance_misfit

MOST = 12
"""Suppositions of one hypothesis."""
DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Happens:
    """Something happens to the county, for good."""

    what: Circumstance


@dataclass(frozen=True, slots=True)
class PolicyIs:
    """A policy key has another value; a switch is 0 or 1."""

    key: str
    value: int


@dataclass(frozen=True, slots=True)
class LeadRoomMore:
    """A lead school has one more room from which it may lead."""

    school: str


@dataclass(frozen=True, slots=True)
class BellsShifted:
    """Every period of a bell table begins and ends so many minutes later (or earlier, where negative)."""

    bell_code: str
    minutes: int


Supposition = Happens | PolicyIs | LeadRoomMore | BellsShifted
Hypothesis = tuple[Supposition, ...]


def suppose(county: County, hypothesis: Iterable[Supposition]) -> County:
    """The county as it would be. Suppositions that do not fit (`misfit`) must have been refused before."""
    for each in hypothesis:
        county = _supposed(county, each)
    return county


def misfit(county: County, each: Supposition) -> str | None:
    """Why a county cannot be supposed so: a refusal code, or None where it can.

    Those of circumstances, ``circumstance_unknown`` for what the county does not have, ``what_if_policy`` (no such key, or a value
    outside its range), ``what_if_same`` (it is so already), ``what_if_bells`` (a period would leave the day, or nothing moves).
    """
    match each:
        case Happens(what):
            return circumstance_misfit(county, what)
        case PolicyIs(key, value):
            return _policy_misfit(county, key, value)
        case LeadRoomMore(school):
            found = county.school_by_code.get(school)
            return None if found is not None and found.leads else "circumstance_unknown"
        case BellsShifted(code, minutes):
            bells = [bell for bell in county.bells if bell.bell_code == code]
            if not bells:
                return "bell_unknown"
            inside = all(bell.start + minutes >= 0 and bell.end + minutes <= DAY for bell in bells)
            return None if minutes and inside else "what_if_bells"
        case _:
            assert_never(each)


def first_misfit(county: County, hypothesis: Iterable[Supposition]) -> tuple[Supposition, str] | None:
    """The first supposition that does not fit the county as those before it leave it, and its refusal code."""
    for each in hypothesis:
        if (why := misfit(county, each)) is not None:
            return each, why
        county = _supposed(county, each)
    return None


def _policy_misfit(county: County, key: str, value: int) -> str | None:
    if key not in POLICY_KEYS:
        return "what_if_policy"
    least, most = policy_range(key)
    if not least <= value <= most:
        return "what_if_policy"
    return "what_if_same" if int(getattr(county.policy, key)) == value else None


def _supposed(county: County, each: Supposition) -> County:
    match each:
        case Happens(what):
            return with_circumstances(county, [what])
        case PolicyIs(key, value):
            return replace(county, policy_values={**county.policy_values, key: value})
        case LeadRoomMore(school):
            room = Room(_free_code(county, school), school, "recording", can_lead=True)
            return replace(county, rooms=tuple(sorted((*county.rooms, room), key=lambda room: room.code)))
        case BellsShifted(code, minutes):
            bells = (
                replace(bell, start=bell.start + minutes, end=bell.end + minutes) if bell.bell_code == code else bell
                for bell in county.bells
            )
            return replace(county, bells=tuple(bells))
        case _:
            assert_never(each)


def _free_code(county: County, school: str) -> str:
    number = 1
    while f"{school}-new{number}" in county.room_by_code:
        number += 1
    return f"{school}-new{number}"


# ---------------------------------------------------------------- as JSON


def to_json(hypothesis: Iterable[Supposition]) -> list[dict[str, Any]]:
    """What a run and a version keep; `from_json` reads it again."""
    return [_to_json(each) for each in hypothesis]


def _to_json(each: Supposition) -> dict[str, Any]:
    match each:
        case Happens(what):
            until = what.until_date.isoformat() if what.until_date else None
            dates = {"from_date": what.from_date.isoformat(), "until_date": until}
            return {**asdict(what), **dates, "weekdays": sorted(what.weekdays)}
        case PolicyIs():
            return {"kind": "policy", **asdict(each)}
        case LeadRoomMore():
            return {"kind": "lead_room", **asdict(each)}
        case BellsShifted():
            return {"kind": "bells_shifted", **asdict(each)}
        case _:
            assert_never(each)


def from_json(values: Iterable[Mapping[str, Any]]) -> Hypothesis:
    """The hypothesis that `to_json` wrote."""
    return tuple(map(_from_json, values))


def _from_json(values: Mapping[str, Any]) -> Supposition:
    given = {key: value for key, value in values.items() if key != "kind"}
    match values["kind"]:
        case "policy":
            return PolicyIs(**given)
        case "lead_room":
            return LeadRoomMore(**given)
        case "bells_shifted":
            return BellsShifted(**given)
        case _:
            until = values["until_date"]
            dates = {
                "from_date": date.fromisoformat(values["from_date"]),
                "until_date": date.fromisoformat(until) if until else None,
            }
            return Happens(Circumstance(**{**values, **dates, "weekdays": frozenset(values["weekdays"])}))
