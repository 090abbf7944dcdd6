"""Running ``fet-cl``. It places all or nothing, so what the greedy left out is offered in batches that are halved when they do not fit,
and what it cannot get beyond is taken out."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scheduler.board import Board
from scheduler.fet.activities import Activities, Activity, Hour, hours_placed, seated
from scheduler.fet.document import document
from scheduler.greedy import plain_greedy
from scheduler.offers import Offers

PROGRAM = "fet-cl"
QUIET = ("dayshorizontal", "daysvertical", "timehorizontal", "timevertical")
"""Timetables that FET need not write."""
SEEDS = ("10", "11", "12", "20", "21", "22")
STOPPING = 5.0
"""Seconds FET is given to write what it has."""
SLICE = 1 / 15
"""Part of the time that one run of FET gets: it reaches its highest stage early or not at all."""
LEAST = 1.0
"""Seconds below which a run is not worth starting."""


def fet_version() -> str | None:
    """The installed program's version; None where it is missing."""
    if shutil.which(PROGRAM) is None:
        return None
    told = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout  # noqa: S603 # found on the path
    return next((line.strip() for line in told.splitlines() if line.strip()), PROGRAM)


@dataclass(frozen=True, slots=True)
class Placed:
    """What FET could do with some activities."""

    hours: dict[int, Hour]
    whole: bool
    """All of them are placed; else `hours` are those of the highest stage it reached."""
    culprit: int | None
    """The activity it could not get beyond."""


def place(offers: Offers, activities: Sequence[Activity], seconds: float, seed: int) -> Placed:
    """One run of FET; what it placed at best where the time runs out."""
    with tempfile.TemporaryDirectory(prefix="sanke-fet-") as folder:
        file = Path(folder) / "county.fet"
        file.write_text(document(offers, activities), encoding="utf-8")
        command = [PROGRAM, f"--inputfile={file}", f"--outputdir={folder}/out", "--htmllevel=0"]
        command += [f"--writetimetables{name}=false" for name in QUIET]
        command += [f"--randomseeds{name}={seed}" for name in SEEDS]
        _run(command, seconds)
        return _read(Path(folder) / "out")


def _run(command: Sequence[str], seconds: float) -> None:
    """Runs FET for so long; told to stop, it writes what it has. Its own limit of time is not a hard one."""
    with subprocess.Popen(  # noqa: S603 # a program of the system, on a file of this process
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as fet:
        for wait, end in ((seconds, fet.terminate), (STOPPING, fet.kill)):
            try:
                fet.wait(wait)
            except subprocess.TimeoutExpired:
                end()


def _read(folder: Path) -> Placed:
    """The timetable of all activities, or of the highest stage; the log names the activity that could not be placed next."""
    log = folder / "logs" / "difficult_activities.txt"
    named = re.search(r"^Id: (\d+)", log.read_text(encoding="utf-8-sig"), re.MULTILINE) if log.exists() else None
    for name in ("county", "county-highest"):
        for file in sorted((folder / "timetables" / name).glob("*_activities.xml")):
            hours = hours_placed(file.read_text(encoding="utf-8-sig"))
            return Placed(hours, whole=name == "county", culprit=int(named[1]) if named else None)
    return Placed({}, whole=False, culprit=None)


@dataclass(frozen=True, slots=True)
class FetResult:
    """The best board, with the number of activities that FET was offered and that it placed."""

    board: Board
    offered: int
    placed: int
    dropped: int
    """Lessons of single classes that FET placed and the rules do not allow."""


def by_fet(offers: Offers, seconds: float, seed: int, tell: Callable[[int], None]) -> FetResult:
    """The best that FET makes of a county in the time. `tell` is called with the weighted service of every better board."""
    activities = Activities(plain_greedy(offers))
    search = _Search(offers, activities.placed, seconds, seed, tell)
    search.settle()
    search.add(activities.left_out)
    return FetResult(search.board, len(activities.placed) + len(activities.left_out), len(search.hours), search.dropped)


class _Search:
    """A set of activities that FET can place together: culprits are taken out, then more is offered."""

    def __init__(
        self, offers: Offers, base: Sequence[Activity], seconds: float, seed: int, tell: Callable[[int], None]
    ) -> None:
        self.offers, self.seed, self.tell = offers, seed, tell
        self.until, self.slice = time.monotonic() + seconds, seconds * SLICE
        self.kept = {activity.number: activity for activity in base}
        self.hours: dict[int, Hour] = {}
        self.board, self.dropped = Board(offers), 0

    def settle(self) -> None:
        """Runs until FET can place all that is kept, leaving out what it could not get beyond."""
        while self.kept and self._left() > 0:
            placed = self._place(list(self.kept.values()))
            if placed.whole or placed.culprit is None:
                return
            self.kept.pop(placed.culprit, None)

    def add(self, more: Sequence[Activity]) -> None:
        """Offers a batch; where FET cannot place it, one half after the other."""
        if not more or self._left() <= 0:
            return
        if self._place([*self.kept.values(), *more]).whole:
            self.kept.update((activity.number, activity) for activity in more)
        elif len(more) > 1:
            middle = len(more) // 2
            self.add(more[:middle])
            self.add(more[middle:])

    def _left(self) -> float:
        return self.until - time.monotonic()

    def _place(self, activities: Sequence[Activity]) -> Placed:
        placed = place(self.offers, activities, min(self.slice, max(LEAST, self._left())), self.seed)
        board, dropped = seated(self.offers, activities, placed.hours)
        if board.weighted > self.board.weighted:
            self.board, self.dropped, self.hours = board, dropped, placed.hours
            self.tell(board.weighted)
        return placed
