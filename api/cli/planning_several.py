"""``sanke plan`` with several counties: a line of progress and a folder of files for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from api.cli.side_by_side import County, Planned, plan_side_by_side, read_all
from api.cli.telling import say_all, standing_plan, tell_end, tell_mistakes
from config.words import say_both
from rooms.importing import Reading
from rooms.planning.files import lessons
from scheduler.outcome import Limits
from scheduler.outcome import Progress as Step
from scheduler.problem import Plan


def plan_several(
    console: Console,
    folders: Sequence[Path],
    out: Path,
    previous: Path | None,
    limits: Limits,
    until: float,
    quiet: bool,
) -> int:
    """Plans until the monotonic instant. The exit code: 0 all written, 1 some have mistakes in their input, 2 some got no plan."""
    names = [folder.resolve().stem if folder.is_file() else folder.resolve().name for folder in folders]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        say_all(console, "plan.several_same_name", {"name": twice[0]})
        return 1
    counties: list[County] = []
    for name, read in zip(names, read_all(folders, limits.workers), strict=True):
        if isinstance(read, Reading):
            tell_mistakes(console, read, f"{name}: ")
            continue
        standing = previous / name if previous is not None and (previous / name).exists() else None
        counties.append(County(name, read, standing_plan(console, standing, read), out / name))
    if not counties:
        return 1
    with Lines(console, counties, quiet) as lines:
        done = plan_side_by_side(counties, limits, until, lines.tell, Event())
    for each in done:
        tell_end(console, each.outcome, f"{each.county.name}: ")
        if each.violations:
            facts = {"rule": each.violations[0].rule, "count": len(each.violations)}
            say_all(console, "plan.not_legal", facts, f"{each.county.name}: ")
    plans = [each.plan for each in done if each.plan is not None]
    if plans and not quiet:
        facts = {"counties": len(plans), "all": len(folders), "folder": out, **figures(plans)}
        say_all(console, "plan.several_summary", facts)
    if len(counties) < len(folders):
        return 1
    return 0 if len(plans) == len(folders) else 2


def figures(plans: Sequence[Plan]) -> dict[str, object]:
    """Weighted service of several plans together."""
    bound, served = sum(plan.bound_weighted for plan in plans), sum(plan.served_weighted for plan in plans)
    gap = 100 * (bound - served) / bound if bound else 0.0
    return {"served": lessons(served), "bound": lessons(bound), "gap": f"{gap:.2f}"}


class Lines:
    """A line for each county that keeps up to date on a terminal, and is written once it is planned elsewhere."""

    def __init__(self, console: Console, counties: Sequence[County], quiet: bool) -> None:
        self._console, self._quiet = console, quiet
        shown = not quiet and console.is_terminal
        columns = TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[words]}", markup=False)
        self._progress = Progress(*columns, console=console, disable=not shown)
        self._lines: dict[str, TaskID] = {
            county.name: self._progress.add_task(county.name, total=None, start=False, words="")
            for county in sorted(counties, key=lambda county: county.name)
        }

    def __enter__(self) -> Lines:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def tell(self, county: County, news: Step | Planned) -> None:
        """Called from the lanes' threads."""
        line = self._lines[county.name]
        if isinstance(news, Planned):
            words = say_both("plan.several_none")
            if news.plan is not None:
                words = say_both("plan.several_done", seconds=round(news.seconds), **figures([news.plan]))
            self._progress.update(line, total=1, completed=1, words=words)
            if self._progress.disable and not self._quiet:
                self._console.print(f"{county.name}: {words}", markup=False)
        elif news.served_weighted is not None:
            bound = "—" if news.bound_weighted is None else lessons(news.bound_weighted)
            facts = {"seconds": round(news.seconds), "served": lessons(news.served_weighted), "bound": bound}
            self._progress.update(line, words=say_both("plan.progress", **facts))
