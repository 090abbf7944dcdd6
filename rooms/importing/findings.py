"""What an import has to say about a file: a code with facts, and where it was found. Words are in the ``import`` catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from config.words import Language, say

Level = Literal["error", "warning"]
MOST_FINDINGS = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """An error stops the import, a warning does not.

    `row` is the data row (the first after the header is 1), `line` the row that a spreadsheet shows for it (the header
    is usually 1), `column` the English name of FORMATS, `heading` what stands at the top of the column in the file.
    """

    level: Level
    file: str
    row: int | None
    column: str
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    line: int | None = None
    heading: str = ""

    @property
    def is_error(self) -> bool:
        return self.level == "error"

    def place(self, language: Language) -> str:
        """Where: ``lessons.csv, row 12 (spreadsheet row 13), column weekday``."""
        parts = [self.file] if self.file else []
        if self.row is not None:
            parts.append(say(language, "import.at_row", row=self.row, line=self.line or self.row + 1))
        elif self.line is not None:
            parts.append(say(language, "import.at_line", line=self.line))
        if self.column:
            heading = self.heading.rstrip("*")
            column = self.column if heading.casefold() in ("", self.column) else f"{self.column}({heading})"
            parts.append(say(language, "import.at_column", column=column))
        return say(language, "import.joiner").join(parts)

    def sentence(self, language: Language) -> str:
        """What is wrong and how to mend it."""
        return say(language, f"import.{self.code}", **self.facts)


class Findings:
    """Collects findings; of errors and of warnings only the first `MOST_FINDINGS` each, so that a ruined file cannot fill the memory."""

    def __init__(self) -> None:
        self._errors: list[Finding] = []
        self._warnings: list[Finding] = []
        self._count = 0

    @property
    def has_errors(self) -> bool:
        return bool(self._errors)

    def add(self, finding: Finding) -> None:
        self._count += 1
        kept = self._errors if finding.is_error else self._warnings
        if len(kept) < MOST_FINDINGS:
            kept.append(finding)

    def about_file(self, level: Level, file: str, code: str, column: str = "", **facts: object) -> None:
        """A finding about a whole file or column."""
        self.add(Finding(level, file, None, column, code, facts))

    def all(self) -> tuple[Finding, ...]:
        """Errors first, in the order in which they were found; what there is beyond `MOST_FINDINGS` is counted."""
        shown = [*self._errors, *self._warnings][:MOST_FINDINGS]
        if dropped := self._count - len(shown):
            level: Level = "error" if self._errors else "warning"
            shown.append(Finding(level, "", None, "", "more_findings", {"count": dropped}))
        return tuple(shown)
