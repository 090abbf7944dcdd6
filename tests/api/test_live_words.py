"""The words that the scripts of a live lesson ask for stand in the data block of their page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.stage import script_words
from config.words import LANGUAGES, Language

SCRIPTS = Path(__file__).parents[2] / "api" / "static" / "live"
ASKED = re.compile(r"""\bword\(\s*(["`])((?:live|teacher|classroom)\.[^"`]*)\1""")
PLACE = re.compile(r"\\\$\\\{.*?\\\}")
"""``${…}`` of a template string, after it was escaped."""
CHOSEN = re.compile(r"""[?:]\s*"((?:live|teacher|classroom)\.\w+)\"""")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.js")), ids=lambda path: path.stem)
def test_every_word_of_a_script_is_there(path: Path, language: Language) -> None:
    words = script_words(language, "live", "teacher", "classroom")
    text = path.read_text()
    asked = [key for _, key in ASKED.findall(text)] + CHOSEN.findall(text)
    for key in asked:
        shape = re.compile(PLACE.sub(r"\\w+", re.escape(key)))
        assert any(shape.fullmatch(known) for known in words), f"{path.name} asks for {key}"


def test_the_scripts_do_ask() -> None:
    assert sum(len(ASKED.findall(path.read_text())) for path in SCRIPTS.glob("*.js")) > 15
