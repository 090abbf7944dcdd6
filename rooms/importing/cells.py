"""How the text of a cell becomes a value. A cell that cannot be understood raises `CellFault` with a code of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rooms.county import LARGEST
from scheduler.problem import WEEK_BITS

T = TypeVar("T")
HALF_WIDTH = str.maketrans({"\uff0c": ",", "\u3001": ",", "\uff1b": ";", "\uff1a": ":", "\uff0b": "+", "\uff0d": "-"})
HALF_WIDTH_LIST = str.maketrans({"\uff1b": ";"})
LONGEST = 32_767
LONGEST_CODE = 64

WEEKDAYS: Mapping[str, int] = {
    word: day for day, names in enumerate(("一", "二", "三", "四", "五", "六", "日天"), 1) for word in names
}
WEEK_WORDS: Mapping[str, int] = {
    **WEEK_BITS,
    "全部": 3, "每周": 3, "单周": 1, "双周": 2, "单": 1, "双": 2,
}  # fmt: skip
FLAGS: Mapping[str, bool] = {"0": False, "1": True, "否": False, "是": True}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "schools.kind": {
        "优质学校": "strong", "中心小学": "central_primary", "乡镇中心小学": "central_primary", "村小": "village_primary",
        "教学点": "teaching_point", "初中": "junior", "九年一贯制": "nine_year", "九年一贯制学校": "nine_year", "高中": "senior",
    },
    "schools.role": {"主讲": "lead", "接收": "receive", "主讲和接收": "both", "双向": "both", "不参加": "none", "无": "none"},
    "stage": {"小学": "primary", "初中": "junior", "高中": "senior"},
    "rooms.kind": {"录播教室": "recording", "主讲教室": "recording", "接收教室": "receiving"},
    "resource": {"教师": "teacher", "教室": "room", "班级": "class", "学校": "school"},
    "calendar.kind": {"放假": "holiday", "假日": "holiday", "调休": "makeup", "补课": "makeup", "考试": "exam", "停课": "closed"},
}  # fmt: skip


class CellFault(ValueError):
    """A cell that cannot be understood; `code` and `facts` make the sentence."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def cached(parse: Callable[[str], T]) -> Callable[[str], T]:
    """The same parser, remembering what it has read: a timetable repeats few values many times."""
    return lru_cache(maxsize=8192)(parse)


def text(cell: str) -> str:
    return cell


def code(cell: str) -> str:
    if len(cell) > LONGEST_CODE:
        raise CellFault("code_too_long", most=LONGEST_CODE)
    if ";" in cell:
        raise CellFault("code_with_semicolon", value=cell)
    return cell


def period(cell: str) -> str:
    if len(cell) > 16:
        raise CellFault("code_too_long", most=16)
    return cell


def integer(cell: str, least: int = 0, most: int = LARGEST) -> int:
    if not re.fullmatch(r"[0-9]+", cell) or len(cell) > 7 or not least <= int(cell) <= most:
        raise CellFault("bad_integer", value=cell, least=least, most=most)
    return int(cell)


def length(cell: str) -> int:
    """Minutes of a lesson or meeting."""
    minutes = integer(cell)
    if not 1 <= minutes <= 480:
        raise CellFault("bad_length", value=cell)
    return minutes


def number(cell: str) -> float:
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]*)?", cell):
        raise CellFault("bad_number", value=cell)
    return float(cell)


@cached
def halves(cell: str) -> int:
    """Weekly lessons, counted in halves: ``2.5`` is 5."""
    doubled = number(cell) * 2
    if doubled != int(doubled) or doubled > 200:
        raise CellFault("bad_halves", value=cell)
    return int(doubled)


@cached
def clock(cell: str) -> int:
    """``HH:MM`` as minutes since midnight; seconds of zero are overlooked."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(:00)?", cell.translate(HALF_WIDTH))
    if not found or int(found[2]) > 59 or int(found[1]) * 60 + int(found[2]) > 1440:
        raise CellFault("bad_time", value=cell)
    return int(found[1]) * 60 + int(found[2])


def day(cell: str) -> date:
    found = re.fullmatch(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?", cell)
    try:
        if not found:
            raise ValueError
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise CellFault("bad_date", value=cell) from None


def _range(cell: str, lowest: int, highest: int, fault: str) -> frozenset[int]:
    numbers: set[int] = set()
    for part in re.split(r"[;+,]", cell.translate(HALF_WIDTH)):
        found = re.fullmatch(r"\s*([0-9]{1,3})\s*(?:[-–~]\s*([0-9]{1,3})\s*)?", part)
        if not found:
            raise CellFault(fault, value=cell)
        low, high = int(found[1]), int(found[2] or found[1])
        if not lowest <= low <= high <= highest:
            raise CellFault(fault, value=cell)
        numbers.update(range(low, high + 1))
    return frozenset(numbers)


@cached
def grades(cell: str) -> frozenset[int]:
    """``3``, ``1+2``, ``1-6``, ``4;5;6``."""
    return _range(cell, 1, 12, "bad_grades")


@cached
def weekdays(cell: str) -> frozenset[int]:
    """``3``, ``1-5``, ``1;3;5``, 周一至周五."""
    plain = re.sub(r"星期|周|礼拜", "", cell)
    plain = "".join(str(WEEKDAYS.get(letter, letter)) for letter in re.sub(r"[至到]", "-", plain))
    return _range(plain, 1, 7, "bad_weekdays")


@cached
def weekday(cell: str) -> int:
    try:
        days = weekdays(cell)
    except CellFault:
        days = frozenset()
    if len(days) != 1:
        raise CellFault("bad_weekday", value=cell)
    return next(iter(days))


@cached
def weeks(cell: str) -> int:
    if cell.lower() not in WEEK_WORDS:
        raise CellFault("bad_weeks", value=cell)
    return WEEK_WORDS[cell.lower()]


@cached
def flag(cell: str) -> bool:
    if cell not in FLAGS:
        raise CellFault("bad_flag", value=cell)
    return FLAGS[cell]


def priority(cell: str) -> int:
    if not re.fullmatch(r"[1-9]", cell):
        raise CellFault("bad_priority", value=cell)
    return int(cell)


def percentage(cell: str) -> float:
    """``50`` or ``50%``. A workbook keeps 50 % in a cell of percentages as 0.5: one per cent or less is asked back, not believed."""
    value = number(cell.rstrip("%"))
    if value > 100:
        raise CellFault("bad_number", value=cell)
    if 0 < value <= 1:
        raise CellFault("bad_percentage", value=cell)
    return value


def zone(cell: str) -> str:
    try:
        ZoneInfo(cell)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CellFault("bad_timezone", value=cell) from None
    return cell


def choice(group: str) -> Callable[[str], str]:
    """A word of a closed list, in English or in Chinese."""
    chinese = CHOICES[group]
    allowed = tuple(dict.fromkeys(chinese.values()))

    @cached
    def parse(cell: str) -> str:
        word = chinese.get(cell, cell.lower())
        if word not in allowed:
            raise CellFault("bad_choice", value=cell, allowed=" ".join(allowed))
        return word

    return parse


@cached
def codes(cell: str) -> tuple[str, ...]:
    """``A;B;C``, none of them twice."""
    listed = tuple(part.strip() for part in cell.translate(HALF_WIDTH_LIST).split(";") if part.strip())
    if len(set(listed)) < len(listed):
        twice = next(part for part in listed if listed.count(part) > 1)
        raise CellFault("twice_in_list", value=twice)
    return tuple(code(part) for part in listed)


def stages(cell: str) -> tuple[str, ...]:
    return tuple(STAGE(part) for part in codes(cell))


def stage_word(cell: str) -> str:
    """The stage of a community: the known words in one form, any other word as it stands."""
    return CHOICES["stage"].get(cell, cell)


STAGE = choice("stage")


@cached
def pairs(cell: str) -> Mapping[str, str]:
    """``english:PEP;music:SJ``; a key named twice keeps both values."""
    found: dict[str, str] = {}
    for part in codes(cell):
        key, _, value = (piece.strip() for piece in part.translate(HALF_WIDTH).partition(":"))
        if not key:
            raise CellFault("bad_pairs", value=cell)
        found[key] = f"{found[key]};{value}" if found.get(key) else value
    return dict(sorted(found.items()))


@cached
def subjects(cell: str) -> Mapping[str, frozenset[int]]:
    """``music:1-6;art`` as subject → grades, none where the subject is bare."""
    return {subject: grades(named) if named else frozenset() for subject, named in pairs(cell).items()}
