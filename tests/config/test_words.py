"""Words for people: both languages say the same things, and every word that is asked for is there."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from babel.messages.pofile import read_po

from api.access import THEMES
from config.words import FOLDER, LANGUAGES, catalogue, say, say_both
from rooms.county import RoomKind, SchoolKind, SchoolRole
from rooms.people.permissions import ROLES
from scheduler.outcome import Phase
from scheduler.problem import WEEK_NAMES, Family, PlanStatus

ROOT = Path(__file__).parents[2]
DOMAINS = sorted({path.stem for language in LANGUAGES for path in (FOLDER / language).glob("*.po")})
SOURCES = sorted(
    path
    for package in ("api", "config", "media", "rooms", "scheduler")
    for path in (ROOT / package).rglob("*")
    if path.suffix in (".py", ".html")
)
ASKED = re.compile(r"""\b(?:t|say|say_both)\(\s*(?:[a-z_.]*language,\s*)?f?["']([a-z_]+)\.([A-Za-z0-9_]+)["']\s*[,)]""")


def places(sentence: str) -> list[str]:
    """The names in braces of a sentence."""
    return sorted({name for _, name, _, _ in Formatter().parse(sentence) if name})


def test_there_are_words() -> None:
    assert {"common", "planner", "signin", "problem", "refusal"} <= set(DOMAINS)
    assert len(catalogue("zh_CN")) > 300


@pytest.mark.parametrize("domain", DOMAINS)
def test_both_languages_have_the_same_keys_and_places(domain: str) -> None:
    chinese, english = (
        {key: text for key, text in catalogue(language).items() if key.startswith(f"{domain}.")}
        for language in LANGUAGES
    )
    assert chinese.keys() == english.keys()
    assert {key: places(text) for key, text in chinese.items()} == {key: places(text) for key, text in english.items()}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("domain", DOMAINS)
def test_a_catalogue_holds_only_its_own_words_each_once_and_none_empty(language: str, domain: str) -> None:
    seen: list[str] = []
    with (FOLDER / language / f"{domain}.po").open("rb") as stream:
        for message in read_po(stream, abort_invalid=True):
            if message.id:
                assert str(message.id).startswith(f"{domain}."), message.id
                assert str(message.string).strip(), message.id
                assert not message.fuzzy, message.id
                seen.append(str(message.id))
    lines = (FOLDER / language / f"{domain}.po").read_text(encoding="utf-8")
    assert len(re.findall(r'^msgid "(?!")', lines, re.MULTILINE)) == len(set(seen)), "a key stands twice"


CLOSED: dict[str, tuple[str, ...]] = {
    "common.role_": ROLES,
    "common.desk_": ("planner", "teacher", "classroom", "bureau", "operator"),
    "common.family_": get_args(Family),
    "common.weeks_": tuple(WEEK_NAMES.values()),
    "common.kind_": get_args(SchoolKind),
    "common.school_role_": get_args(SchoolRole),
    "common.theme_": THEMES,
    "common.state_": ("planned", "ready", "live", "ended", "judged", "cancelled"),
    "common.verdict_": ("valid", "invalid", "excused", "unexcused", "unjudged"),
    "common.side_": ("lead", "receiver", "member"),
    "planner.room_": get_args(RoomKind),
    "planner.status_": get_args(PlanStatus),
    "planner.run_phase_": get_args(Phase),
    "planner.plan_state_": ("draft", "published", "superseded"),
}
"""Words whose last part is a value of the domain."""


@pytest.mark.parametrize("prefix", CLOSED)
def test_every_value_of_the_domain_has_its_word(prefix: str) -> None:
    assert [value for value in CLOSED[prefix] if f"{prefix}{value}" not in catalogue("zh_CN")] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_word_that_is_asked_for_is_there(path: Path) -> None:
    words = catalogue("zh_CN")
    text = path.read_text(encoding="utf-8")
    asked = {f"{domain}.{key}" for domain, key in ASKED.findall(text)}
    assert sorted(key for key in asked if key not in words) == []


def test_a_missing_word_is_an_error_and_places_are_filled() -> None:
    with pytest.raises(KeyError):
        say("en", "common.there_is_no_such_word")
    assert say("en", "common.people_count", n=3) == "3 people"
    assert say_both("common.close") == "关闭 / Close"
