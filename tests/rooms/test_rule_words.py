"""Everything the rules say to people has words in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rooms
from config.words import LANGUAGES, Language, catalogue
from rooms.planning.changes import REASONS
from rooms.planning.occurrences import SUPERSEDED
from rooms.reports import FIGURE_KEYS
from rooms.reports.concerns import KINDS

ROOMS = Path(rooms.__file__).parent
OURS = ["attendance.py", "judging.py", "planning", "live"]


def texts() -> list[str]:
    files = [
        file for name in OURS for file in ([ROOMS / name] if name.endswith(".py") else (ROOMS / name).rglob("*.py"))
    ]
    return [file.read_text() for file in files]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_list_and_outlook(language: Language) -> None:
    words = catalogue(language)
    wanted = {f"verdict.figure_{key}{end}" for key in FIGURE_KEYS for end in ("", "_definition")}
    wanted |= {f"verdict.exception_{kind}" for kind in KINDS}
    wanted |= {f"verdict.outlook_{outlook}" for outlook in ("met", "on_course", "at_risk", "missed")}
    assert wanted <= words.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_a_verdict(language: Language) -> None:
    found = {
        reason
        for text in texts()
        for reason in re.findall(
            r'"(no_[a-z_]+|below_[a-z]+|valid|not_over|receivers_excused|lead_did_not_teach)"', text
        )
    } - {"no_verdict", "no_plan"}  # what is said where there is none of either
    assert {"no_presence", "no_assistant", "below_required", "no_valid_receiver"} <= found
    assert {f"verdict.reason_{code}" for code in {*found, *REASONS, SUPERSEDED}} <= catalogue(language).keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal(language: Language) -> None:
    pattern = r'raise (?:NotFound|Invalid|Conflict|Unavailable|Locked)\(\s*"([a-z_]+)"'
    found = {code for text in texts() for code in re.findall(pattern, text)}
    assert {"lesson_clash", "too_early", "plan_unknown", "evidence_late"} <= found
    assert {f"refusal.{code}" for code in found} <= catalogue(language).keys()
