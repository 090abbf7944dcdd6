"""What the planning commands say, in both languages, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from config.words import LANGUAGES, say
from rooms.importing import Reading
from rooms.planning.files import read_plan
from rooms.refusals import Refusal
from scheduler.diagnose import diagnose
from scheduler.outcome import Ended, Outcome, Solved
from scheduler.problem import Plan, Problem


def say_all(console: Console, key: str, facts: Mapping[str, object], before: str = "") -> None:
    """A sentence, a line for each language; `before` stands in front of it."""
    for language in LANGUAGES:
        console.print(before + say(language, key, **facts), markup=False)


def tell_mistakes(console: Console, reading: Reading, before: str = "") -> None:
    """Every mistake of a county's files, with its place."""
    for finding in reading.errors:
        for language in LANGUAGES:
            console.print(f"{before}{finding.place(language)}: {finding.sentence(language)}", markup=False)


TOLD = 5
"""Findings that are told before a run; the rest is counted."""


def tell_before(console: Console, problem: Problem) -> None:
    """What contradicts itself or cannot be met, before the search begins."""
    found = diagnose(problem)
    if found:
        say_all(console, "plan.before_run", {"count": len(found)})
    for each in found[:TOLD]:
        say_all(console, f"plan.{each.code}", each.facts, "  ")
    if len(found) > TOLD:
        say_all(console, "plan.before_run_more", {"count": len(found) - TOLD}, "  ")


def tell_end(console: Console, outcome: Outcome, before: str = "") -> None:
    """Why there is no plan, or what cut its search short; nothing where all went well."""
    match outcome:
        case Ended(reason, facts):
            say_all(console, f"plan.ended_{reason}", {"attempts": 1, **facts}, before)
        case Solved(_, cut):
            if cut is not None and cut.reason != "stopped":
                say_all(console, f"plan.cut_{cut.reason}", cut.facts, before)


def standing_plan(console: Console, folder: Path | None, problem: Problem) -> Plan | None:
    """The plan that stood before; ends the process in words where it cannot be read."""
    if folder is None:
        return None
    try:
        return read_plan(folder, problem)
    except Refusal as refusal:
        say_all(console, f"refusal.{refusal.code}", refusal.facts)
        sys.exit(1)
