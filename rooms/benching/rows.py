"""A row for every trial, and what the rows of a county show against what is aimed at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from rooms.benching.trials import Method, Trial
from rooms.planning.files import lessons
from scheduler.problem import Problem

GAP_PCT, LESS_UNMET_PCT, FIRST_PLAN_SECONDS, MEMORY_MB = 1.0, 30.0, 2.0, 2048.0
"""What is aimed at: of the worst seed, the gap at most; beside the best baseline, less unmet service above the bound at least;
the first legal plan and the memory at most."""
Number = int | float


@dataclass(frozen=True, slots=True)
class Row:
    """One trial. Lessons a week, weighted by priority where the name says so; `None` where there is nothing to say."""

    county: str
    method: Method
    seed: int
    needed: Number
    served: Number | None
    needed_weighted: Number
    served_weighted: Number | None
    bound: Number | None
    """Proved by the method itself; of a baseline, the best that was proved of the county in this run."""
    gap_pct: float | None
    unmet_above_bound: Number | None
    """Weighted lessons between the best bound proved in this run and what is served."""
    seconds: float
    first_plan_seconds: float | None
    within_1_pct_seconds: float | None
    peak_memory_mb: float
    violations: int
    facts: Mapping[str, object]


def rows_of(county: str, problem: Problem, trials: Iterable[tuple[Method, int, Trial, float]]) -> list[Row]:
    """The rows of one county's trials: method, seed, trial, peak memory in MB."""
    trials = list(trials)
    most = sum(need.halves * need.priority for need in problem.needs)
    best = min((trial.plan.bound_weighted for _, _, trial, _ in trials if trial.plan and trial.proved), default=None)
    return [_row(county, problem, most, best, *one) for one in trials]


def _row(
    county: str, problem: Problem, most: int, best: int | None, method: Method, seed: int, trial: Trial, peak: float
) -> Row:
    plan = trial.plan
    served = plan.served_weighted if plan else None
    bound = plan.bound_weighted if plan and trial.proved else best
    reached = [when for when, value in trial.steps if served is not None and value >= 0.99 * served]
    return Row(
        county=county,
        method=method,
        seed=seed,
        needed=lessons(sum(need.halves for need in problem.needs)),
        served=lessons(plan.served_halves) if plan else None,
        needed_weighted=lessons(most),
        served_weighted=None if served is None else lessons(served),
        bound=None if bound is None else lessons(bound),
        gap_pct=None if bound is None or served is None else round(100 * (bound - served) / max(1, bound), 3),
        unmet_above_bound=None if best is None or served is None else lessons(best - served),
        seconds=round(trial.seconds, 2),
        first_plan_seconds=round(trial.steps[0][0], 2) if trial.steps else None,
        within_1_pct_seconds=round(reached[0], 2) if reached else None,
        peak_memory_mb=round(peak, 1),
        violations=trial.violations,
        facts=trial.facts,
    )


# ---------------------------------------------------------------- what they show


@dataclass(frozen=True, slots=True)
class Target:
    """Something aimed at, what was measured, and whether that is enough; `met` is None where nothing can be said."""

    name: str
    aim: str
    measured: float | None
    met: bool | None


@dataclass(frozen=True, slots=True)
class Summary:
    """One county: the planner's worst seed beside the best baseline."""

    county: str
    worst_seed: int | None
    best_baseline: Method | None
    targets: tuple[Target, ...]


def summary_of(rows: Sequence[Row]) -> Summary:
    """What the rows of one county show."""
    ours = [row for row in rows if row.method == "sanke"]
    others = [row for row in rows if row.method != "sanke" and row.unmet_above_bound is not None]
    whole = [row for row in ours if row.unmet_above_bound is not None]
    worst = max(whole, key=lambda row: row.unmet_above_bound or 0, default=None) if len(whole) == len(ours) else None
    best = min(others, key=lambda row: row.unmet_above_bound or 0, default=None)
    firsts = [row.first_plan_seconds for row in ours if row.first_plan_seconds is not None]
    gaps = [row.gap_pct for row in ours if row.gap_pct is not None]
    targets = (
        at_most("gap, worst seed, %", GAP_PCT, max(gaps) if len(gaps) == len(ours) and gaps else None),
        _less_unmet(worst, best),
        at_most("first plan, s", FIRST_PLAN_SECONDS, max(firsts) if len(firsts) == len(ours) and firsts else None),
        at_most("peak memory, MB", MEMORY_MB, max((row.peak_memory_mb for row in ours), default=None)),
        at_most("violations", 0, sum(row.violations for row in ours)),
    )
    return Summary(rows[0].county, worst.seed if worst else None, best.method if best else None, targets)


def at_most(name: str, aim: float, measured: float | None) -> Target:
    return Target(name, f"≤ {aim:g}", measured, None if measured is None else measured <= aim)


def at_least(name: str, aim: float, measured: float | None) -> Target:
    return Target(name, f"≥ {aim:g}", measured, None if measured is None else measured >= aim)


def _less_unmet(worst: Row | None, best: Row | None) -> Target:
    """Where the best baseline reaches the bound, nothing is left to gain: met if the planner reaches it too."""
    nothing = at_least("less unmet above the bound than the best baseline, %", LESS_UNMET_PCT, None)
    if worst is None or best is None or worst.unmet_above_bound is None or best.unmet_above_bound is None:
        return nothing
    if best.unmet_above_bound == 0:
        return replace(nothing, met=worst.unmet_above_bound == 0)
    less = round(100 * (1 - worst.unmet_above_bound / best.unmet_above_bound), 1)
    return at_least(nothing.name, LESS_UNMET_PCT, less)


# ---------------------------------------------------------------- tables

HEADS = {
    "county": "county",
    "method": "method",
    "seed": "seed",
    "needed_weighted": "wanted × priority",
    "served_weighted": "served × priority",
    "bound": "proved bound",
    "gap_pct": "gap %",
    "unmet_above_bound": "unmet above bound",
    "seconds": "seconds",
    "first_plan_seconds": "first plan s",
    "within_1_pct_seconds": "within 1 % s",
    "peak_memory_mb": "peak MB",
    "violations": "violations",
}


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    return markdown(HEADS.values(), ([asdict(row)[key] for key in HEADS] for row in rows))


WORDS = {True: "PASS", False: "short", None: "—"}


def summary_table(summaries: Iterable[Summary]) -> str:
    """The targets of every county as a Markdown table."""
    return markdown(
        ("county", "worst seed", "best baseline", "target", "aim", "measured", ""),
        (
            [one.county, one.worst_seed, one.best_baseline, target.name, target.aim, target.measured, WORDS[target.met]]
            for one in summaries
            for target in one.targets
        ),
    )


def targets_table(targets: Iterable[Target]) -> str:
    """The targets as a Markdown table."""
    rows = ([target.name, target.aim, target.measured, WORDS[target.met]] for target in targets)
    return markdown(("target", "aim", "measured", ""), rows)


def markdown(heads: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; a dash stands where there is nothing to say."""
    heads = list(heads)
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join("—" if cell is None else str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
