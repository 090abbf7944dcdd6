"""Why a lesson is missing: the smallest set of facts that keeps it out of every place, verified before it is said.

Where a certificate holds *whatever the plan* (nobody is qualified, no minutes in common, the school's own ceiling proved in
`scheduler.bound`), it gives the reason its name. Beside it stands the nearest place of the finished plan: of all that `scheduler.places`
finds, the one with the fewest facts against it. Each is verified by `scheduler.relax`: without exactly these facts, the judge
lets the lesson in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scheduler.assemble import numbered
from scheduler.certificates import Certificates
from scheduler.ledger import Ledger
from scheduler.places import Closed, Seeker
from scheduler.problem import ClassCode, Meeting, Need, Plan, Problem, SchoolCode, Subject, Unmet
from scheduler.relax import NEW, Surroundings, fits, relaxed

TRIES = 8
"""Places that are put before the judge until one is verified; the first nearly always is."""


@dataclass(frozen=True, slots=True)
class SchoolCeiling:
    """What was proved for a receiving school, in halves × priority and in halves."""

    weighted: int
    most_halves: int
    asked_halves: int


def explain(
    problem: Problem,
    meetings: Sequence[Meeting],
    ceilings: Mapping[SchoolCode, SchoolCeiling],
    previous: Plan | None = None,
    known: Mapping[tuple[ClassCode, Subject], Unmet] | None = None,
    fixed: Iterable[str] = (),
) -> tuple[list[Meeting], list[Unmet]]:
    """A reason for every need that lacks lessons in a finished plan, and its meetings with every lesson more that simply fits.

    The search keeps one window a period of those that suit the same people; once the plan stands another one may be free. A meeting that
    stood in `previous` gets its code again. `known`: reasons that are known to hold still, for so many missing halves; nothing is looked for there.
    `fixed`: codes of meetings that keep their room even where a larger one would let somebody join.
    """
    explainer = Explainer(problem, meetings, ceilings, previous, known or {})
    explainer.ledger.locked |= frozenset(fixed)
    explainer.settle()
    return explainer.meetings, explainer.reasons()


class Explainer:
    """One finished plan, asked about its missing lessons."""

    def __init__(
        self,
        problem: Problem,
        meetings: Sequence[Meeting],
        ceilings: Mapping[SchoolCode, SchoolCeiling],
        previous: Plan | None = None,
        reasons: Mapping[tuple[ClassCode, Subject], Unmet] | None = None,
    ) -> None:
        self.problem, self.ceilings, self._still = problem, ceilings, reasons or {}
        self.ledger = Ledger(problem, meetings)
        self.around = Surroundings(problem, meetings)
        self.certificates = Certificates(problem)
        self.previous = previous
        self._known: dict[tuple[ClassCode, Subject, int], list[Closed]] = {}

    def lacking(self) -> Iterator[tuple[Need, int]]:
        """Needs with the halves that are missing."""
        for need in self.problem.needs:
            missing = need.halves - self._served(need)
            if missing > 0:
                yield need, missing

    def _served(self, need: Need) -> int:
        return sum(m.slot.halves for m in self.ledger.of_need.get((need.school_class, need.subject), ()))

    def reasons(self) -> list[Unmet]:
        full = self._at_ceiling()
        return [self._reason(need, missing, full) for need, missing in self.lacking()]

    def _reason(self, need: Need, missing: int, full: set[SchoolCode]) -> Unmet:
        still = self._holds_still(need, missing)
        if still is not None:
            return still
        code, facts = "", {}
        certificate = self.certificates.of(need)
        school = self.problem.classes[need.school_class].school
        if certificate is not None:
            code, facts = certificate.code, dict(certificate.facts)
        elif school in full:
            ceiling = self.ceilings[school]
            code = "school_full"
            facts = {"school": school, "asked": ceiling.asked_halves / 2, "most": ceiling.most_halves / 2}
        closed = self.nearest(need, missing)
        if closed is None:
            return Unmet(need.school_class, need.subject, missing, code or "not_verified", facts or _who(need))
        if not code:
            code = f"place_{closed.facts[0].kind}" if len(closed.facts) == 1 else "place_several"
            facts = _who(need)
        return Unmet(need.school_class, need.subject, missing, code, facts, closed.place, closed.facts)

    def _holds_still(self, need: Need, missing: int) -> Unmet | None:
        known = self._still.get((need.school_class, need.subject))
        return known if known is not None and known.missing_halves == missing else None

    def nearest(self, need: Need, missing: int) -> Closed | None:
        """The place with the fewest facts against it that the judge confirms."""
        if self.problem.policy.max_receivers < 1:
            return None
        places = self._nearest(need, missing)
        return next((closed for closed in places[:TRIES] if self.verified(need, closed)), None)

    def _nearest(self, need: Need, missing: int) -> list[Closed]:
        """Kept while the ledger stays as it is."""
        key = (need.school_class, need.subject, min(missing, 2))
        if key not in self._known:
            self._known[key] = Seeker(self.ledger, need, missing).nearest()
        return self._known[key]

    def closed_by_one(self, need: Need, missing: int) -> list[Closed]:
        """The places that one fact alone closes."""
        return [closed for closed in self._nearest(need, missing) if len(closed.facts) == 1]

    def verified(self, need: Need, closed: Closed) -> bool:
        """Without exactly these facts the lesson has its place, says the judge."""
        return bool(closed.facts) and self._fitted(need, closed) is not None

    def _fitted(self, need: Need, closed: Closed) -> tuple[Meeting, ...] | None:
        problem, meetings = self.around.of(need, closed.place)
        return fits(relaxed(problem, meetings, closed.facts), need, closed.place)

    @property
    def meetings(self) -> list[Meeting]:
        return list(self.ledger.meetings.values())

    def settle(self) -> None:
        """Gives every need the lessons, and halves of lessons, that nothing keeps out."""
        lacking = [need for need, _ in self.lacking()]
        while lacking:
            need = lacking.pop(0)
            while (subject := self._take(need)) is not None:
                again = [other for other, _ in self.lacking() if other.subject == subject and other not in lacking]
                lacking += again  # the new meeting may have a seat for them

    def _take(self, need: Need) -> Subject | None:
        """One lesson more of a need, or half of one; None where there is no open place."""
        missing = need.halves - self._served(need)
        if self._holds_still(need, missing):
            return None
        for halves in range(min(missing, 2), 0, -1):
            for closed in Seeker(self.ledger, need, halves).open(half=halves == 1 < missing):
                after = self._fitted(need, closed)
                if after is not None:
                    self._keep([meeting for meeting in after if meeting.code in (NEW, closed.place.joins)])
                    return need.subject
        return None

    def _keep(self, meetings: list[Meeting]) -> None:
        for meeting in meetings:
            if meeting.code == NEW:
                meeting = numbered([meeting], self.previous, beside=self.meetings)[0]
            self.ledger.add(meeting)
        self.around = Surroundings(self.problem, self.meetings)
        self._known.clear()

    def _at_ceiling(self) -> set[SchoolCode]:
        """Schools that get all that can be proved possible, though not all they ask for."""
        weighted: Counter[SchoolCode] = Counter()
        halves: Counter[SchoolCode] = Counter()
        for need in self.problem.needs:
            school, served = self.problem.classes[need.school_class].school, self._served(need)
            weighted[school] += served * need.priority
            halves[school] += served
        return {
            school
            for school, ceiling in self.ceilings.items()
            if ceiling.most_halves < ceiling.asked_halves
            and (weighted[school] >= ceiling.weighted or halves[school] >= ceiling.most_halves)
        }


def _who(need: Need) -> dict[str, object]:
    return {"school_class": ClassCode(need.school_class), "subject": Subject(need.subject)}
