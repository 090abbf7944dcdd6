"""Made-up counties: the same bytes for a seed, files without a mistake, and as much trouble as real ones give."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import mean, pstdev

import pytest

from rooms.county import County
from rooms.exporting import records, write_folder
from rooms.generating import SIZES, SizeName, generated
from rooms.generating.bells import FAMILIES, Family, table
from rooms.importing import read_county
from rooms.planning.problem import problem_of
from scheduler.greedy import plain_greedy
from scheduler.offers import Offers
from scheduler.problem import ALL_WEEKS
from scheduler.windows import Grid


@pytest.fixture(scope="module")
def large() -> County:
    return generated(1, "large")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_county(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_folder(generated(7, "small"), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 15
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)
    assert records(generated(8, "small")) != records(generated(7, "small"))


@pytest.mark.parametrize("seed", range(1, 6))
def test_its_files_read_back_as_the_same_county_without_a_mistake(tmp_path: Path, seed: int) -> None:
    made = generated(seed, "medium")
    write_folder(made, tmp_path)
    reading = read_county(tmp_path)
    assert [finding.code for finding in reading.findings] == []
    assert reading.county is not None
    assert problem_of(reading.county) == problem_of(made)


def test_nobody_in_it_is_real(large: County) -> None:
    assert "虚构" in large.name
    assert (large.city, large.province) == ("虚构市", "虚构省")
    assert not any(school.contact_phone for school in large.schools)
    assert len({school.name for school in large.schools}) == len(large.schools)


def test_a_large_county_has_the_shape_of_a_real_one(large: County) -> None:
    asked = sum(need.halves for need in large.needs or ()) / 2
    assert len(large.schools) == sum(SIZES["large"].schools.values()) == 146
    assert sum(school.leads for school in large.schools) == 25
    assert 780 <= len(large.classes) <= 960
    assert 1300 <= asked <= 2000
    assert len({school.bell_code for school in large.schools}) > 15
    assert any(len(lesson.class_codes) > 1 for lesson in large.lessons)
    assert any(lesson.weeks != ALL_WEEKS for lesson in large.lessons)
    assert any(lesson.teacher_code is None for lesson in large.lessons)
    assert any(need.halves % 2 for need in large.needs or ())
    assert any(len(group.grades) == 2 for group in large.classes)
    assert max(Counter(group.receiving_room_code for group in large.classes if group.receiving_room_code).values()) > 2
    assert any(pairing.locked for pairing in large.pairings)
    assert (len(large.communities), len(large.courses)) == (8, 5)


def test_the_free_periods_of_lead_teachers_lie_unevenly(large: County) -> None:
    """Evenly spread duties would leave every weekday of a teacher about equally free: real ones do not."""
    held: Counter[tuple[str, int]] = Counter()
    for away in large.unavailabilities:
        if away.resource == "teacher":
            held.update((away.code, day) for day in away.weekdays)
    teachers = {code for code, _ in held}
    by_day = [[held[code, day] for day in range(1, 6)] for code in sorted(teachers)]
    assert mean(pstdev(days) for days in by_day) > 0.8


@pytest.mark.parametrize("size", ["medium", "large"])
def test_serving_by_turns_leaves_a_good_part_unmet(size: SizeName) -> None:
    """What keeps a county from being a toy: whoever takes the first seat that is free runs out of seats."""
    problem = problem_of(generated(1, size))
    board = plain_greedy(Offers(problem, Grid(problem)))
    asked = sum(need.halves * need.priority for need in problem.needs)
    assert 0.05 <= 1 - board.weighted / asked <= 0.20


@pytest.mark.parametrize("family", [family for families in FAMILIES.values() for family in families])
def test_a_bell_table_rings_one_period_after_another(family: Family) -> None:
    bells = [bell for bell in table(family, (4, 4)) if bell.weekday == 5]
    assert [bell.period for bell in bells] == list("12345678")
    assert all(one.end + 5 <= two.start for one, two in pairwise(bells))
