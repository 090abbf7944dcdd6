"""The design system keeps its promises: legible in light and dark, whole, and nothing from another host."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

API = Path(__file__).parents[2] / "api"
STATIC, TEMPLATES = API / "static", API / "templates"
TOKENS = (STATIC / "tokens.css").read_text(encoding="utf-8")


def tokens(opening: str) -> dict[str, str]:
    """The values of the block that begins with `opening`."""
    start = TOKENS.index(opening) + len(opening)
    return dict(re.findall(r"--([a-z0-9-]+):\s*([^;]+);", TOKENS[start : TOKENS.index("}", start)]))


LIGHT = tokens(":root {")
DARK = LIGHT | tokens(':root:not([data-theme="light"]) {')


def luminance(colour: str) -> float:
    """Relative luminance of a hex colour (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TONES = ("jade", "vermilion", "ochre", "indigo", "plum", "slate")
READ = [
    *[(ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("paper", "surface")],
    ("ink-2", "sunken"),
    ("jade", "surface"),
    ("jade", "paper"),
    ("vermilion", "surface"),
    ("on-solid", "jade"),
    ("on-solid", "vermilion"),
    ("bar-ink", "bar"),
    ("bar-ink-2", "bar"),
    ("bar-ink", "bar-hover"),
    *[(f"{tone}-ink", f"{tone}-soft") for tone in TONES],
]


@pytest.mark.parametrize(("theme", "values"), [("light", LIGHT), ("dark", DARK)])
@pytest.mark.parametrize(("ink", "ground"), READ)
def test_text_can_be_read(theme: str, values: dict[str, str], ink: str, ground: str) -> None:
    ratio = contrast(values[ink], values[ground])
    assert ratio >= 4.5, f"{theme}: {ink} on {ground} is {ratio:.2f}"


def test_both_ways_into_the_dark_are_the_same() -> None:
    assert tokens(':root:not([data-theme="light"]) {') == tokens(':root[data-theme="dark"] {')


def test_every_token_that_is_used_is_defined() -> None:
    sheets = {path: path.read_text(encoding="utf-8") for path in STATIC.rglob("*.css")}
    defined = {name for text in sheets.values() for name in re.findall(r"--([a-z0-9-]+)\s*:", text)}
    for path, text in sheets.items():
        used = set(re.findall(r"var\(--([a-z0-9-]+)(?=\))", text))
        assert used <= defined, (path.name, used - defined)


def test_every_icon_that_is_used_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))
    for path in TEMPLATES.rglob("*.html"):
        used = set(re.findall(r"""ui\.icon\(\s*["']([a-z-]+)["']""", path.read_text(encoding="utf-8")))
        assert used <= drawn, (path.name, used - drawn)


def test_every_minute_of_the_school_day_has_its_classes() -> None:
    text = (STATIC / "minutes.css").read_text(encoding="utf-8")
    for edge in "se":
        minutes = [int(minute) for minute in re.findall(rf"\.{edge}(\d+){{--{edge}:\1}}", text)]
        assert minutes == list(range(6 * 60, 22 * 60 + 31))


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*")), ids=lambda path: str(path.relative_to(STATIC)))
def test_nothing_comes_from_another_host(path: Path) -> None:
    if path.suffix in (".css", ".js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""(?:url\(|import\s|from\s|fetch\()\s*["']?(?:https?:)?//""", text)
        assert "eval(" not in text
        assert ".innerHTML" not in text, "text is set as text"
