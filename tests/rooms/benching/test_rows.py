"""What a bench says of its trials: bounds, what is unmet above them, and which targets are met."""

from __future__ import annotations

from dataclasses import replace

from rooms.benching.rows import Row, rows_of, summary_of, summary_table, table
from rooms.benching.trials import Method, Trial
from scheduler.problem import Plan
from tests.scheduler.small import county, plan

PROBLEM = county()  # four needs of two lessons with priority 5: 80 weighted halves


def trial(served: int, bound: int, *, proved: bool, first: float = 0.5, violations: int = 0) -> Trial:
    made: Plan = replace(plan(PROBLEM), served_weighted=served, bound_weighted=bound)
    return Trial(made, proved, 9.0, ((first, served // 2), (3.0, served)), violations)


def rows(*trials: tuple[Method, Trial]) -> list[Row]:
    return rows_of("county", PROBLEM, [(method, number, one, 100.0) for number, (method, one) in enumerate(trials, 1)])


def test_a_baseline_is_measured_against_the_best_bound_of_the_run() -> None:
    greedy, one, two = rows(
        ("plain greedy", trial(40, 80, proved=False)),
        ("sanke", trial(64, 70, proved=True)),
        ("sanke", trial(60, 66, proved=True)),
    )
    assert (greedy.bound, greedy.unmet_above_bound) == (33, 13)
    assert (one.bound, one.unmet_above_bound) == (35, 1)
    assert (two.bound, two.unmet_above_bound, two.gap_pct) == (33, 3, 9.091)
    assert (two.first_plan_seconds, two.within_1_pct_seconds) == (0.5, 3.0)


def met(*trials: tuple[Method, Trial]) -> list[bool | None]:
    return [target.met for target in summary_of(rows(*trials)).targets]


def test_the_worst_seed_counts() -> None:
    greedy: tuple[Method, Trial] = ("plain greedy", trial(40, 80, proved=False))
    good, late = trial(64, 64, proved=True), trial(64, 64, proved=True, first=2.5)
    assert met(greedy, ("sanke", good)) == [True, True, True, True, True]
    assert met(greedy, ("sanke", good), ("sanke", late)) == [True, True, False, True, True]
    assert met(greedy, ("sanke", good), ("sanke", trial(48, 64, proved=True)))[:2] == [False, True]
    assert met(greedy, ("sanke", trial(44, 64, proved=True)))[:2] == [False, False]
    assert met(greedy, ("sanke", trial(64, 64, proved=True, violations=1)))[4] is False


def test_nothing_is_claimed_without_a_baseline_or_a_plan() -> None:
    assert met(("sanke", trial(64, 64, proved=True)))[1] is None
    ended = Trial(None, False, 9.0, (), 0, {"ended": "time"})
    assert met(("plain greedy", trial(40, 80, proved=False)), ("sanke", ended))[:3] == [None, None, None]


def test_a_baseline_at_the_bound_can_only_be_equalled() -> None:
    whole: tuple[Method, Trial] = ("monolithic CP-SAT", trial(64, 80, proved=False))
    assert met(whole, ("sanke", trial(64, 64, proved=True)))[1] is True
    assert met(whole, ("sanke", trial(62, 64, proved=True)))[1] is False


def test_the_tables_have_a_line_for_every_row_and_target() -> None:
    found = rows(("plain greedy", trial(40, 80, proved=False)), ("sanke", trial(64, 64, proved=True)))
    assert table(found).count("\n") == 3
    assert summary_table([summary_of(found)]).count("PASS") == 5
