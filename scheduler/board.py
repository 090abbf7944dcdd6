"""The plan under construction: what is held by whom, and whether one more seat fits.

Only the search writes on a board; what leaves it goes through `scheduler.check`. Numbers of needs and spots are those of
`Offers`. A spot holds at most one meeting, so a meeting is named by its spot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from scheduler.offers import Offers, Spot
from scheduler.problem import (
    EVEN,
    ODD,
    ClassCode,
    LessonRow,
    Lock,
    Meeting,
    Pair,
    RoomCode,
    SchoolCode,
    Slot,
    Subject,
    TeacherCode,
)
from scheduler.windows import Mask


@dataclass(slots=True)
class Sitting:
    """A delivery meeting on the board."""

    spot: int
    subject: Subject
    room: RoomCode
    own_room: bool
    """The host lesson already held the room."""
    seats: int
    """Receivers the room and the policy allow."""
    needs: list[int] = field(default_factory=list)


class Board:
    """Who sits where, with every hard rule of delivery kept at every moment."""

    def __init__(self, offers: Offers, *, keep_locked: bool = True) -> None:
        """`keep_locked`: a locked pairing that can be used holds its place among the partners from the start (H10), and so do locked meetings."""
        self.offers = offers
        problem = offers.problem
        self.policy = problem.policy
        grid = offers.grid
        self.teacher_busy: dict[TeacherCode, Mask] = dict(grid.teacher_busy)
        self.class_busy: dict[ClassCode, Mask] = {
            code: grid.class_busy[code] for code in {want.need.school_class for want in offers.wants}
        }
        self.room_busy: dict[RoomCode, Mask] = dict(grid.room_busy)
        self.sittings: dict[int, Sitting] = {}
        self.teacher_of: list[TeacherCode | None] = [None] * len(offers.wants)
        self.spots_of: list[list[int]] = [[] for _ in offers.wants]
        self.served: list[int] = [0] * len(offers.wants)
        self.weighted = 0
        self.moves: list[tuple[int, RoomCode, bool]] = []
        """Changes of lead rooms so far: the spot, and the room it had."""
        self.week_load: dict[tuple[TeacherCode, int], int] = defaultdict(int)
        self.day_load: dict[tuple[TeacherCode, int, int], int] = defaultdict(int)
        self.pair_use: dict[tuple[SchoolCode, SchoolCode], int] = defaultdict(int)
        self.lead_partners: dict[SchoolCode, int] = defaultdict(int)
        self.receive_partners: dict[SchoolCode, int] = defaultdict(int)
        self.lead_room_without: dict[tuple[LessonRow, RoomCode], Mask] = {}
        self.staffed = frozenset(offers.staff_none)
        self.staff_used: dict[SchoolCode, list[Mask]] = {}
        """H11, by school: at place k, the atoms at which more than k teachers are missing or asked to assist."""
        for school in self.staffed:
            levels = [0] * len(offers.staff[school])
            for code in offers.staff[school]:
                self._raise(levels, grid.teacher_busy[code])
            self.staff_used[school] = levels
        self._overfull: dict[SchoolCode, Mask] = defaultdict(int)
        """Atoms at which more was held than can be counted: nobody else is let in there."""
        self.kept: set[tuple[int, int]] = set()
        """Needs and spots of locked meetings: these seats are never given back."""
        self._kept_spots: set[int] = set()
        self._need_of = {(want.need.school_class, want.need.subject): n for n, want in enumerate(offers.wants)}
        for lock in offers.locks if keep_locked else ():
            self._hold(lock)
        self.locked = self._agreements() if keep_locked else ()
        """Locked pairings that can be used; each holds a place among the partners."""

    def _hold(self, lock: Lock) -> None:
        """Seats a locked meeting without asking: what can stand was decided by `standing_locks`."""
        meeting = lock.meeting
        if meeting.family != "delivery":
            self.hold_activity(meeting)
            return
        number = self.offers.spot_of_lock(lock)
        self._kept_spots.add(number)
        for code in meeting.classes:
            need = self._need_of[code, meeting.subject]
            if self.teacher_of[need] not in (
                None,
                meeting.lead_teacher,
            ):  # H8 overridden: the other school is a partner too
                self._pair(self.offers.spots[number].school, self.offers.wants[need].school, 1)
            self.seat(need, number, meeting.lead_room)
            self.kept.add((need, number))

    def hold_activity(self, meeting: Meeting) -> None:
        """The minutes of a community or course, for good; `scheduler.activities` puts the meeting itself into the plan."""
        problem, mask = self.offers.problem, self.offers.grid.cover(meeting.slot)
        self.room_busy[meeting.lead_room] |= mask
        for teacher in {meeting.lead_teacher, *meeting.members}:
            self.teacher_busy[teacher] |= mask
            self._load(teacher, meeting.slot, 1)
            self._hold_staff(problem.teachers[teacher].school, mask)
        for code in meeting.classes:
            self.hold_class(code, mask)

    def hold_class(self, code: ClassCode, mask: Mask) -> None:
        """A class and its receiving room, held for good."""
        group = self.offers.problem.classes[code]
        if code in self.class_busy:
            self.class_busy[code] |= mask
        if group.receiving_room is not None:
            self.room_busy[group.receiving_room] |= mask
        self._hold_staff(group.school, mask)

    def _hold_staff(self, school: SchoolCode, mask: Mask) -> None:
        if school in self.staffed:
            self._overfull[school] |= self._raise(self.staff_used[school], mask)

    def _agreements(self) -> tuple[Pair, ...]:
        kept = []
        for standing in self.offers.problem.pairings:
            lead, school = standing.pair
            usable = any(
                want.school == school and lead in self.offers.by_lead[need]
                for need, want in enumerate(self.offers.wants)
            )
            places = bool(self.pair_use.get((lead, school))) or (
                self.lead_partners[lead] < self.policy.max_partners_per_lead
                and self.receive_partners[school] < self.policy.max_partners_per_receiver
            )
            if standing.locked and usable and places:
                self._pair(lead, school, 1)
                kept.append(standing.pair)
        return tuple(kept)

    # ------------------------------------------------------------ assistants

    @staticmethod
    def _raise(levels: list[Mask], mask: Mask) -> Mask:
        """One more teacher is held in these atoms: a unary counter, an atom a column. Returns the atoms that were full."""
        for level, held in enumerate(levels):
            levels[level] = held | mask
            mask &= held
            if not mask:
                break
        return mask

    @staticmethod
    def _lower(levels: list[Mask], mask: Mask) -> None:
        for level in range(len(levels) - 1, -1, -1):
            drop = levels[level] & mask
            levels[level] ^= drop
            mask ^= drop
            if not mask:
                return

    def staff_left(self, school: SchoolCode, mask: Mask) -> bool:
        """H11: whether one more teacher of the school can be spared throughout the window."""
        return school not in self.staffed or not (self.staff_used[school][-1] | self._overfull[school]) & mask

    # ------------------------------------------------------------ may it be

    def may_meet(self, need: int, teacher: TeacherCode) -> bool:
        """H8, H10: one lead teacher a need, and partners left where the two schools are none yet."""
        held = self.teacher_of[need]
        if held is not None:
            return held == teacher
        lead, school = self.offers.problem.teachers[teacher].school, self.offers.wants[need].school
        if self.pair_use.get((lead, school)):
            return True
        return (
            self.lead_partners[lead] < self.policy.max_partners_per_lead
            and self.receive_partners[school] < self.policy.max_partners_per_receiver
        )

    def seat_free(self, need: int, number: int) -> bool:
        """Whether a need that `may_meet` the teacher can take a seat in the spot now."""
        want, spot = self.offers.wants[need], self.offers.spots[number]
        if spot.mask & self.class_busy[want.need.school_class] or not self._day_free(need, spot):
            return False
        if self.served[need] + spot.slot.halves > want.need.halves or not self.staff_left(want.school, spot.mask):
            return False
        sitting = self.sittings.get(number)
        if sitting is not None:
            return self._can_join(need, sitting)
        if want.room is not None and spot.mask & self.room_busy[want.room]:
            return False
        return self._can_open(spot, want.room)

    def can_join(self, need: int, number: int) -> bool:
        """Whether a need whose class and day are free, and that may have the teacher, can join a sitting."""
        return self._can_join(need, self.sittings[number]) and self.staff_left(
            self.offers.wants[need].school, self.offers.masks[number]
        )

    def can_open(self, need: int, number: int) -> bool:
        """The same for a spot without a sitting, where the need's receiving room is free too."""
        want, spot = self.offers.wants[need], self.offers.spots[number]
        return self.staff_left(want.school, spot.mask) and self._can_open(spot, want.room)

    def week_left(self, teacher: TeacherCode) -> int:
        """H9: new meetings that the teacher can bear in every week."""
        limit = self.offers.problem.teachers[teacher].week_limit
        return limit - max(self.week_load[teacher, ODD], self.week_load[teacher, EVEN])

    def _day_free(self, need: int, spot: Spot) -> bool:
        if not self.policy.one_lesson_per_day:
            return True
        return not any(
            other.weekday == spot.slot.weekday and other.weeks & spot.slot.weeks
            for other in (self.offers.spots[number].slot for number in self.spots_of[need])
        )

    def _can_join(self, need: int, sitting: Sitting) -> bool:
        want = self.offers.wants[need]
        if sitting.subject != want.need.subject:
            return False
        if len(sitting.needs) >= sitting.seats and len(sitting.needs) >= self.widest(sitting):
            return False
        grades = want.grades
        shares_room = False
        for other in sitting.needs:
            beside = self.offers.wants[other]
            grades = grades & beside.grades
            if want.edition and beside.edition and want.edition != beside.edition:
                return False
            shares_room = shares_room or (want.room is not None and beside.room == want.room)
        if not grades:
            return False
        return want.room is None or shares_room or not self.offers.masks[sitting.spot] & self.room_busy[want.room]

    def _can_open(self, spot: Spot, receiving: RoomCode | None) -> bool:
        if spot.host is None and spot.mask & self.teacher_busy[spot.teacher]:
            return False
        if spot.host is not None and any(number in self.sittings for number in self.rivals(spot)):
            return False
        if not self.load_left(spot) or not (spot.host is not None or self.staff_left(spot.school, spot.mask)):
            return False
        if spot.host is not None:
            return self.room_for(spot, 1, receiving) is not None
        mask, busy, seats = spot.mask, self.room_busy, self.offers.seats_in  # asked most of all: any room will do
        rooms = self.offers.leadable[spot.school]
        return any(not busy[code] & mask and code != receiving and seats[code] > 0 for code in rooms)

    def rivals(self, spot: Spot) -> Iterable[int]:
        """Other synchronous spots of the teacher at the same time: the teacher is busy there anyway, so masks do not tell."""
        for weeks in (ODD, EVEN, ODD | EVEN):
            if weeks & spot.slot.weeks:
                number = self.offers.spot_number(spot.teacher, spot.slot._replace(weeks=weeks), spot.host)
                if number is not None:
                    yield number

    def load_left(self, spot: Spot) -> bool:
        """H9: one more remote meeting within the teacher's week and day."""
        code, slot = spot.teacher, spot.slot
        teacher = self.offers.problem.teachers[code]
        for week in (ODD, EVEN):
            if week & slot.weeks and (
                self.week_load[code, week] >= teacher.week_limit
                or self.day_load[code, slot.weekday, week] >= teacher.day_limit
            ):
                return False
        return True

    def seats_in(self, room: RoomCode) -> int:
        """H7: receivers that a lead room and the policy allow."""
        return self.offers.seats_in[room]

    def room_for(
        self, spot: Spot, receivers: int, barred: RoomCode | None = None, liked: RoomCode | None = None
    ) -> tuple[RoomCode, bool] | None:
        """The smallest free lead room that holds so many receivers, the `liked` one before all; the flag says it is the host lesson's own."""
        best: tuple[int, RoomCode, bool] | None = None
        lesson = self.offers.problem.lesson_by_row[spot.host] if spot.host is not None else None
        for code in self.offers.leadable[spot.school]:
            own = lesson is not None and lesson.room == code
            seats = self.seats_in(code)
            if seats < receivers or code == barred or not self.room_open(spot, code):
                continue
            if code == liked:
                return code, own
            if best is None or seats < best[0]:
                best = (seats, code, own)
        return None if best is None else (best[1], best[2])

    def room_open(self, spot: Spot, room: RoomCode) -> bool:
        """Whether nothing holds a lead room in the window but the lesson that is taught along."""
        lesson = self.offers.problem.lesson_by_row[spot.host] if spot.host is not None else None
        held = self._without(lesson.row, room) if lesson and lesson.room == room else self.room_busy[room]
        return not held & spot.mask

    def _without(self, row: LessonRow, room: RoomCode) -> Mask:
        """What holds the room besides one lesson: other lessons and absences; meetings never stand on a lesson."""
        known = self.lead_room_without.get((row, room))
        if known is None:
            grid = self.offers.grid
            known = grid.room_absent[room]
            for other in grid.lessons_in[room]:
                if other != row:
                    known |= grid.lesson_mask[other]
            self.lead_room_without[row, room] = known
        return known

    def widest(self, sitting: Sitting) -> int:
        """Receivers the sitting could have: in its room, or in a larger one that is free; a locked meeting stays in its room."""
        if sitting.seats >= self.policy.max_receivers or sitting.spot in self._kept_spots:
            return sitting.seats
        larger = self.room_for(self.offers.spots[sitting.spot], sitting.seats + 1)
        return sitting.seats if larger is None else self.seats_in(larger[0])

    # ------------------------------------------------------------ do and undo

    def seat(self, need: int, number: int, room: RoomCode | None = None) -> None:
        """Takes a seat that `may_meet` and `seat_free` allow. `room`: the lead room of a sitting that this opens."""
        want, spot = self.offers.wants[need], self.offers.spots[number]
        sitting = self.sittings.get(number)
        if sitting is None:
            sitting = self._open(spot, number, want.need.subject, room, want.room)
        elif len(sitting.needs) >= sitting.seats and number not in self._kept_spots:
            self._move_room(sitting, spot)
        sitting.needs.append(need)
        self.class_busy[want.need.school_class] |= spot.mask
        if want.room is not None:
            self.room_busy[want.room] |= spot.mask
        if want.school in self.staffed:
            self._raise(self.staff_used[want.school], spot.mask)
        if self.teacher_of[need] is None:
            self._pair(spot.school, want.school, 1)
            self.teacher_of[need] = spot.teacher
        self.spots_of[need].append(number)
        self.served[need] += spot.slot.halves
        self.weighted += spot.slot.halves * want.weight

    def _open(
        self, spot: Spot, number: int, subject: Subject, room: RoomCode | None, receiving: RoomCode | None
    ) -> Sitting:
        own = False
        if room is None:
            found = self.room_for(spot, 1, receiving)
            assert found is not None, "no lead room for a seat that was free"
            room, own = found
        elif spot.host is not None:
            own = self.offers.problem.lesson_by_row[spot.host].room == room
        sitting = Sitting(number, subject, room, own, self.seats_in(room))
        self.sittings[number] = sitting
        if not own:
            assert number in self._kept_spots or not self.room_busy[room] & spot.mask, "two meetings in one room"
            self.room_busy[room] |= spot.mask
        if spot.host is None:
            self.teacher_busy[spot.teacher] |= spot.mask
            if spot.school in self.staffed:
                self._raise(self.staff_used[spot.school], spot.mask)
        self._load(spot.teacher, spot.slot, 1)
        return sitting

    def _load(self, teacher: TeacherCode, slot: Slot, step: int) -> None:
        for week in (ODD, EVEN):
            if week & slot.weeks:
                self.week_load[teacher, week] += step
                self.day_load[teacher, slot.weekday, week] += step

    def _move_room(self, sitting: Sitting, spot: Spot) -> None:
        found = self.room_for(spot, len(sitting.needs) + 1)
        assert found is not None, "no larger room for a seat that was free"
        self.moves.append((sitting.spot, sitting.room, sitting.own_room))
        self._change_room(sitting, *found)

    def _change_room(self, sitting: Sitting, room: RoomCode, own: bool) -> None:
        mask = self.offers.masks[sitting.spot]
        if not sitting.own_room:
            self.room_busy[sitting.room] ^= mask
        sitting.room, sitting.own_room, sitting.seats = room, own, self.seats_in(room)
        if not own:
            assert not self.room_busy[room] & mask, "two meetings in one room"
            self.room_busy[room] |= mask

    def undo_moves(self, mark: int) -> None:
        """Puts sittings back into the rooms they had when `moves` was `mark` long; whoever made them move must be gone."""
        while len(self.moves) > mark:
            number, room, own = self.moves.pop()
            sitting = self.sittings.get(number)
            if sitting is not None:
                self._change_room(sitting, room, own)

    def _pair(self, lead: SchoolCode, school: SchoolCode, step: int) -> None:
        before = self.pair_use[lead, school]
        self.pair_use[lead, school] = before + step
        if before == 0 or before + step == 0:
            self.lead_partners[lead] += step
            self.receive_partners[school] += step

    def unseat(self, need: int, number: int) -> None:
        """Gives a seat back; a sitting without receivers is closed."""
        want, spot = self.offers.wants[need], self.offers.spots[number]
        sitting = self.sittings[number]
        sitting.needs.remove(need)
        self.class_busy[want.need.school_class] ^= spot.mask
        if want.room is not None and all(self.offers.wants[other].room != want.room for other in sitting.needs):
            self.room_busy[want.room] ^= spot.mask
        if want.school in self.staffed:
            self._lower(self.staff_used[want.school], spot.mask)
        self.spots_of[need].remove(number)
        self.served[need] -= spot.slot.halves
        self.weighted -= spot.slot.halves * want.weight
        if not self.spots_of[need]:
            self._pair(spot.school, want.school, -1)
            self.teacher_of[need] = None
        if not sitting.needs:
            self._close(sitting, spot)

    def _close(self, sitting: Sitting, spot: Spot) -> None:
        del self.sittings[sitting.spot]
        if not sitting.own_room:
            self.room_busy[sitting.room] ^= spot.mask
        if spot.host is None:
            self.teacher_busy[spot.teacher] ^= spot.mask
            if spot.school in self.staffed:
                self._lower(self.staff_used[spot.school], spot.mask)
        self._load(spot.teacher, spot.slot, -1)

    def clear(self, need: int) -> None:
        """Gives all seats of a need back but those of locked meetings."""
        for number in list(self.spots_of[need]):
            if (need, number) not in self.kept:
                self.unseat(need, number)
