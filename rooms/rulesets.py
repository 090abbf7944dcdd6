"""Attendance rule sets: immutable once published, named by their id and the SHA-256 of their text."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "config" / "rules"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The parameters of a published rule set; its id and the SHA-256 of its text stand on every verdict."""

    id: str
    sha256: str
    minimum_seconds: int
    minimum_percent: int
    round_up_seconds: int
    merge_gap_seconds: int
    largest_shift_seconds: int
    late_after_seconds: int
    early_leave_before_seconds: int
    upload_grace_seconds: int
    require_assistant: bool
    require_head_count: bool
    good_slot_percent: int

    def required_seconds(self, lesson_seconds: int) -> int:
        """V: the minimum, or the share of the lesson rounded up, whichever is more."""
        share = -(-lesson_seconds * self.minimum_percent // (100 * self.round_up_seconds)) * self.round_up_seconds
        return max(self.minimum_seconds, share)


def read_rules(text: str, sha256: str) -> RuleSet:
    """A rule set from its TOML text. Raises `ValueError` where a value is missing, unknown or out of range."""
    values = tomllib.loads(text)
    wanted = {field.name: field.type for field in fields(RuleSet) if field.name != "sha256"}
    if set(values) != set(wanted):
        raise ValueError(f"attendance rules: {sorted(set(values) ^ set(wanted))} missing or unknown")
    kinds = {"str": str, "int": int, "bool": bool}
    for name, kind in wanted.items():
        if type(values[name]) is not kinds[str(kind)] or (kind == "int" and values[name] < 0):
            raise ValueError(f"attendance rules: {name} = {values[name]!r}")
    if values["round_up_seconds"] < 1 or max(values["minimum_percent"], values["good_slot_percent"]) > 100:
        raise ValueError("attendance rules: round_up_seconds is at least 1, shares are at most 100")
    return RuleSet(sha256=sha256, **values)


def load_rules(name_or_path: str) -> RuleSet:
    """The rule set of a name in ``config/rules/`` or of a path to a TOML file.

    Raises `FileNotFoundError` where there is none and `ValueError` where its text is no rule set.
    """
    path = Path(name_or_path) if name_or_path.endswith(".toml") else FOLDER / f"{name_or_path}.toml"
    text = path.read_bytes()
    return read_rules(text.decode(), hashlib.sha256(text).hexdigest())
