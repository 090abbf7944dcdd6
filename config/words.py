"""Words for people: catalogues in ``config/locale/<language>/<domain>.po``, Chinese first, English second.

A message id is a dotted key whose first part names its domain: ``plan.no_common_window``. Places in a sentence are
named in braces: ``{teacher}``. A missing message is a programming error and raises `KeyError`; the test
``tests/config/test_words.py`` holds both languages to the same keys and the same places.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, get_args

from babel.messages.pofile import read_po

Language = Literal["zh_CN", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
FOLDER = Path(__file__).parent / "locale"


@cache
def catalogue(language: Language) -> dict[str, str]:
    """All messages of a language by key."""
    return {key: text for path in sorted((FOLDER / language).glob("*.po")) for key, text in _read(path).items()}


@cache
def domain(language: Language, name: str) -> dict[str, str]:
    """The messages of one domain by key: a process reads only what it says. An unknown domain has none."""
    path = FOLDER / language / f"{name}.po"
    return _read(path) if path.is_file() else {}


def _read(path: Path) -> dict[str, str]:
    with path.open("rb") as stream:
        return {str(message.id): str(message.string) for message in read_po(stream) if message.id}


def say(language: Language, key: str, /, **fields: object) -> str:
    """The sentence for a key in a language, its places filled."""
    return domain(language, key.partition(".")[0])[key].format(**fields)


def say_both(key: str, /, **fields: object) -> str:
    """Chinese, then English, in one line: for files that both kinds of reader open."""
    return " / ".join(say(language, key, **fields) for language in LANGUAGES)
