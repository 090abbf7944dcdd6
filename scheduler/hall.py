"""Who is held when around a board, and where an activity could be: communities (H12) and network courses (H13)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import replace

from scheduler.board import Board
from scheduler.minutes import Minutes, Sketch, Standing, minutes
from scheduler.problem import (
    ALL_WEEKS,
    EVEN,
    ODD,
    ClassCode,
    Community,
    Meeting,
    NetworkCourse,
    RoomCode,
    SchoolCode,
    Slot,
    TeacherCode,
)
from scheduler.windows import periods_touched


class Hall:
    """Who is held when, with the board's meetings and those of the activities placed so far."""

    def __init__(self, board: Board, standing: Standing) -> None:
        self.board = board
        self.problem, self.staff, self._lead_rooms = standing.problem, standing.staff, standing.lead_rooms
        self._stood = standing.stood
        self.held: dict[tuple[str, str], Minutes] = standing.held.copy()
        self.load: dict[tuple[TeacherCode, int, int], int] = defaultdict(int)
        """Remote meetings of a teacher by weekday (0: the whole week) and parity."""
        self.seated: dict[SchoolCode, list[Minutes]] = defaultdict(list)
        """Classes in meetings, one entry a class and meeting."""
        for sitting in board.sittings.values():
            spot = board.offers.spots[sitting.spot]
            classes = [board.offers.wants[need].need.school_class for need in sitting.needs]
            self._hold(spot.teacher, sitting.room, spot.slot, classes, ())

    def _hold(
        self,
        lead: TeacherCode,
        room: RoomCode,
        slot: Slot,
        classes: Iterable[ClassCode],
        members: Iterable[TeacherCode],
    ) -> None:
        self.held["room", room] |= minutes(slot)
        self.join(slot, classes, {lead, *members})

    def join(self, slot: Slot, classes: Iterable[ClassCode], people: Iterable[TeacherCode]) -> None:
        """Holds those who attend a meeting."""
        mask = minutes(slot)
        for code in people:
            self.held["teacher", code] |= mask
            for week in (ODD, EVEN):
                if week & slot.weeks:
                    self.load[code, 0, week] += 1
                    self.load[code, slot.weekday, week] += 1
        for group in (self.problem.classes[code] for code in classes):
            self.held["class", group.code] |= mask
            self.seated[group.school].append(mask)
            if group.receiving_room is not None:
                self.held["room", group.receiving_room] |= mask

    def take(self, lead: TeacherCode, sketch: Sketch) -> None:
        """Holds everything an activity's meeting needs."""
        self._hold(lead, sketch.room, sketch.slot, sketch.classes, sketch.members)

    # ------------------------------------------------------------ questions

    def teacher_free(self, code: TeacherCode, slot: Slot) -> bool:
        """H3 and H9, and H11 for a teacher who might be wanted as an assistant."""
        teacher = self.problem.teachers[code]
        within = all(
            self.load[code, 0, week] < teacher.week_limit and self.load[code, slot.weekday, week] < teacher.day_limit
            for week in (ODD, EVEN)
            if week & slot.weeks
        )
        return within and not self.held["teacher", code] & minutes(slot)

    def spares(self, school: SchoolCode, mask: Minutes, classes: int, teachers: int) -> bool:
        """H11: whether the school can seat so many more classes and miss so many more teachers in these minutes."""
        if not self.problem.policy.require_assistant or not self.staff[school]:
            return True
        if not classes and not any(seated & mask for seated in self.seated[school]):
            return True
        free = [mask & ~self.held["teacher", code] for code in self.staff[school]]
        inside = [seated & mask for seated in self.seated[school] if seated & mask]
        edges = mask & ~(mask << 1)
        for piece in (*free, *inside):
            edges |= mask & ((piece & ~(piece << 1)) | (~piece & (piece << 1)))
        while edges:
            bit = edges & -edges
            edges ^= bit
            left = sum(bool(piece & bit) for piece in free) - teachers
            asked = sum(bool(piece & bit) for piece in inside) + classes
            if asked and asked > left:
                return False
        return True

    def room(
        self,
        school: SchoolCode,
        mask: Minutes,
        barred: frozenset[RoomCode] = frozenset(),
        liked: RoomCode | None = None,
    ) -> RoomCode | None:
        """A free lead room of the school: the one that is liked, else the one with the fewest seats."""
        rooms = [code for code in self._lead_rooms[school] if not self.held["room", code] & mask and code not in barred]
        return min(rooms, key=lambda code: (code != liked, self.board.seats_in(code), code)) if rooms else None

    # ------------------------------------------------------------ locked

    def locked(self) -> list[Meeting]:
        """The meetings of locked activities, held; every further class of a course's audience that is free joins (H13)."""
        found = []
        courses = {course.code: course for course in self.problem.courses}
        for meeting in (lock.meeting for lock in self.board.offers.locks):
            if meeting.family == "delivery":
                continue
            classes = meeting.classes
            if meeting.family == "network":
                school = self.problem.teachers[meeting.lead_teacher].school
                free = self.listeners(courses[meeting.ref], meeting.slot, minutes(meeting.slot), school, there=classes)
                classes = tuple(sorted({*classes, *free}))
            self.take(meeting.lead_teacher, Sketch(meeting.slot, meeting.lead_room, classes, meeting.members))
            found.append(replace(meeting, classes=classes))
        return found

    # ------------------------------------------------------------ communities

    def community(
        self, community: Community, held: Sequence[Slot] = (), liked: Collection[Slot] = ()
    ) -> list[Sketch] | None:
        """H12: the window with the largest attendance; odd and even weeks apart only where no common window is left; None where that cannot be.

        `held`: meetings of the community that stand already; only its other weeks are looked for. `liked`: windows it had before; the
        first of them in which it can be held is taken.
        """
        weeks = community.weeks
        for slot in held:
            weeks &= ~slot.weeks
        if not weeks:
            return []
        for slot in liked:
            stays = self._gathering(community, weeks, slot)
            if stays is not None:
                return [stays]
        together = self._gathering(community, weeks)
        if together is not None or weeks != ALL_WEEKS:
            return [together] if together is not None else None
        odd = self._gathering(community, ODD)
        even = self._gathering(community, EVEN)
        return [odd, even] if odd is not None and even is not None else None

    def _gathering(self, community: Community, weeks: int, only: Slot | None = None) -> Sketch | None:
        host_school = self.problem.teachers[community.host].school
        best: Sketch | None = None
        for slot in self.community_windows(community, weeks):
            mask = minutes(slot)
            if only not in (None, slot):
                continue
            if not self.teacher_free(community.host, slot) or not self.spares(host_school, mask, 0, 1):
                continue
            present = [code for code in community.members if code != community.host and self.teacher_free(code, slot)]
            liked = self._stood.get((community.code, slot))
            if best is not None and len(present) + (liked is not None) <= len(best.members):
                continue
            members = self.who_may_leave(present, mask, host_school)
            if len(members) * 100 < community.min_attendance_pct * len(community.members):
                continue
            room = self.room(host_school, mask, liked=liked)
            least = 0 if best is None else len(best.members) + (liked is None)
            if room is not None and len(members) >= least:
                best = Sketch(slot, room, members=members)
        return best

    def who_may_leave(
        self, present: list[TeacherCode], mask: Minutes, host_school: SchoolCode
    ) -> tuple[TeacherCode, ...]:
        """Those whose schools keep enough assistants without them."""
        gone: dict[SchoolCode, int] = defaultdict(int)
        gone[host_school] = 1
        chosen = []
        for code in present:
            school = self.problem.teachers[code].school
            if self.spares(school, mask, 0, gone[school] + 1):
                gone[school] += 1
                chosen.append(code)
        return tuple(chosen)

    def community_windows(self, community: Community, weeks: int) -> Iterator[Slot]:
        """Windows within the host school's day that begin or end where a period of anybody's school does."""
        schools = {self.problem.teachers[code].school for code in (community.host, *community.members)}
        host = self.problem.schools[self.problem.teachers[community.host].school]
        for weekday, periods in sorted(host.periods.items()):
            first, last = periods[0][0], max(end for _, end in periods)
            edges = {
                edge
                for school in schools
                for period in self.problem.schools[school].periods.get(weekday, ())
                for edge in period
            }
            starts = edges | {edge - community.length for edge in edges}
            for start in sorted(starts):
                if first <= start and start + community.length <= last:
                    yield Slot(weekday, start, start + community.length, weeks)

    # ------------------------------------------------------------ courses

    def course(
        self, course: NetworkCourse, held: Sequence[Slot] = (), liked: Collection[Slot] = ()
    ) -> list[Sketch] | None:
        """H13: all meetings on different weekdays while there are enough, each with everybody who is free; None where that cannot be.

        `held`: meetings of the course that stand already; only the others are found. `liked`: windows to take before all others.
        """
        school = self.problem.teachers[course.lead_teacher].school
        weekdays = len(self.problem.schools[school].periods)
        before = (dict(self.held), dict(self.load), {key: list(value) for key, value in self.seated.items()})
        placed: list[Sketch] = []
        parts = [ALL_WEEKS] * (course.halves // 2) + [ODD] * (course.halves % 2)
        for slot in held:
            if slot.weeks not in parts:
                return None
            parts.remove(slot.weeks)
        for weeks in parts:
            used = [slot.weekday for slot in (*held, *(sketch.slot for sketch in placed))]
            barred = set(used) if len(used) < weekdays else set()
            options = [sketch for sketch in self._lectures(course, weeks) if sketch.slot.weekday not in barred]
            if not options:
                self.held, self.load, self.seated = (
                    defaultdict(int, before[0]),
                    defaultdict(int, before[1]),
                    defaultdict(list, before[2]),
                )
                return None
            best = max(
                options,
                key=lambda each: (
                    each.slot in liked,
                    each.audience,
                    (course.code, each.slot) in self._stood,
                    -each.slot.weekday,
                    -each.slot.start,
                ),
            )
            placed.append(best)
            self.take(course.lead_teacher, best)
        return placed

    def _lectures(self, course: NetworkCourse, weeks: int) -> Iterator[Sketch]:
        school = self.problem.teachers[course.lead_teacher].school
        for slot in self.course_windows(course, weeks):
            mask = minutes(slot)
            if not self.teacher_free(course.lead_teacher, slot) or not self.spares(school, mask, 0, 1):
                continue
            classes = self.listeners(course, slot, mask, school)
            rooms = {self.problem.classes[code].receiving_room for code in classes}
            liked = self._stood.get((course.code, slot))
            room = self.room(school, mask, frozenset(room for room in rooms if room is not None), liked)
            if room is not None and classes:
                yield Sketch(slot, room, classes)

    def listeners(
        self,
        course: NetworkCourse,
        slot: Slot,
        mask: Minutes,
        lead_school: SchoolCode,
        rooms: Container[RoomCode] = (),
        there: Collection[ClassCode] = (),
    ) -> tuple[ClassCode, ...]:
        """The classes of the audience that are free and could hear it; `rooms` are held by the same meeting and may be shared.

        `there`: classes that attend in any case, though this hall does not hold them yet; the others are found beside them.
        """
        chosen: list[ClassCode] = []
        per_school: dict[SchoolCode, int] = defaultdict(int)
        for code in there:
            per_school[self.problem.classes[code].school] += 1
        for code in course.audience:
            if code in there:
                continue
            group = self.problem.classes[code]
            room = group.receiving_room
            if (
                self.problem.qualified(course.lead_teacher, course.subject, code)
                and 1 <= periods_touched(self.problem.schools[group.school], slot) <= 2
                and not self.held["class", code] & mask
                and (room is None or room in rooms or not self.held["room", room] & mask)
                and self.spares(group.school, mask, per_school[group.school] + 1, int(group.school == lead_school))
            ):
                per_school[group.school] += 1
                chosen.append(code)
        return tuple(chosen)

    def course_windows(self, course: NetworkCourse, weeks: int) -> Iterator[Slot]:
        least = self.problem.policy.min_common_minutes
        school = self.problem.teachers[course.lead_teacher].school
        for weekday, periods in sorted(self.problem.schools[school].periods.items()):
            for start, end in periods:
                length = end - start if course.length is None else max(course.length, min(least, end - start))
                if length <= end - start:  # a course that is longer than every period cannot be held
                    for first in sorted({start, end - length}):
                        yield Slot(weekday, first, first + length, weeks)
