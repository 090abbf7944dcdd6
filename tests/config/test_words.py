"""Words for people: both languages say the same things, and nothing is said that no catalogue holds."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from config.words import FOLDER, LANGUAGES, catalogue

ROOT = Path(__file__).parents[2]
CODE = [path for room in ("api", "rooms", "config", "scheduler") for path in (ROOT / room).rglob("*.py")]
TEMPLATES = sorted((ROOT / "api" / "templates").rglob("*.html"))
REFUSED = re.compile(
    r"\b(?:Refusal|NotFound|Forbidden|NotSignedIn|Invalid|Conflict|Locked|Unavailable)\(\s*\"([a-z_]+)\""
)
SAID = re.compile(
    r"\b(?:say_both|t)\(\s*[\"']([a-z]+\.[a-z0-9_.]+)[\"']\s*[,)]|\bsay\([^\"'()]*[\"']([a-z]+\.[a-z0-9_.]+)[\"']\s*[,)]"
)


def places(text: str) -> set[str]:
    """Names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys_and_places() -> None:
    chinese, english = catalogue("zh_CN"), catalogue("en")
    assert chinese.keys() == english.keys(), chinese.keys() ^ english.keys()
    different = {key for key in chinese if places(chinese[key]) != places(english[key])}
    assert not different


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.po")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_catalogue_is_whole(path: Path) -> None:
    with path.open("rb") as stream:
        messages = [message for message in read_po(stream) if message.id]
    assert messages
    ids = re.findall(r'^msgid "(.+)"$', path.read_text(), re.MULTILINE)
    assert len(ids) == len(set(ids)), {each for each in ids if ids.count(each) > 1}
    assert not [message.id for message in messages if not message.string or message.fuzzy]
    assert {str(message.id).split(".")[0] for message in messages} == {path.stem}


def test_chinese_comes_first_and_is_chinese() -> None:
    chinese = re.compile(r"[\u4e00-\u9fff]")
    words = catalogue("zh_CN")
    assert LANGUAGES[0] == "zh_CN"
    assert sum(bool(chinese.search(text)) for text in words.values()) > 0.85 * len(words)


@pytest.mark.parametrize("path", [*TEMPLATES, *CODE], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_said_can_be_said(path: Path) -> None:
    text = path.read_text()
    keys = {key for found in SAID.findall(text) for key in found if key}
    keys |= {f"refusal.{code}" for code in REFUSED.findall(text)}
    missing = keys - catalogue("zh_CN").keys()
    assert not missing
