"""The import's help names every file, column, Chinese heading and policy key, and no heading means two columns of a file."""

from pathlib import Path

from rooms.county import POLICY_KEYS
from rooms.importing.columns import FORMS, normal
from scheduler.problem import Policy

HELP = (Path(__file__).parents[3] / "docs" / "IMPORT.md").read_text(encoding="utf-8")


def test_every_column_is_explained() -> None:
    for form in FORMS:
        title = f"### `{form.file}` · {' / '.join(form.chinese)}"
        assert title in HELP
        section = HELP.split(title)[1].split("### ")[0]
        for column in form.columns:
            name = f"**`{column.name}`**" if column.required else f"`{column.name}`"
            assert f"| {name} | {'、'.join(column.chinese)} |" in section


def test_every_policy_key_stands_with_its_default() -> None:
    for key in POLICY_KEYS:
        assert f"| `{key}` | {int(getattr(Policy(), key))} |" in HELP


def test_headings_are_unambiguous() -> None:
    for form in FORMS:
        headings = [normal(heading) for column in form.columns for heading in (column.name, *column.chinese)]
        assert len(set(headings)) == len(headings)
    titles = [normal(title) for form in FORMS for title in (form.name, *form.chinese)]
    assert len(set(titles)) == len(titles)
