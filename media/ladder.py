"""What a receiver is sent when its line does not carry everything: steps down and up, by what it reports. Pure.

Down at once and as far as the line says, one step up at a time after a while without trouble, and later each time that the
step up was a mistake: so a line that carries almost enough does not swing. Sound is the last to go, and never by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from media.events import SourceName

Rung = Literal["full", "no_camera", "slides", "audio", "nothing"]
RUNGS: tuple[Rung, ...] = ("full", "no_camera", "slides", "audio", "nothing")
"""Best first. `nothing` is never come to but by choice."""

MUCH_LOST, MOST_LOST = 0.1, 0.25
"""Share of packets lost at which a line counts as strained. The first holds as long as a step down still shows a picture; giving up
the last picture takes the second, because retransmission still mends a small picture at less."""
SOME_LOST, SOME_DELAY, MUCH_DELAY = 0.02, 150.0, 400.0
"""A receiver's estimate (REMB) sinks with the publisher's own line too, so a low one counts only together with the first, a share of
packets lost, or the second, milliseconds of queue. A queue of the third, in milliseconds, is strain enough by itself."""
SHORT = 0.8
"""An estimate of less than this share of what is sent is a low one: a queue has built up before the receiver."""
SPARE = 0.85
"""Share of what arrived that a strained line is trusted to carry from now on."""
SHRINKING = 0.97
"""A queue of less than this share of the last window's is getting shorter: it tells of what was sent before."""
BAD_WINDOWS = 2
"""Strained windows in a row before a step down: one alone may be a burst on the line. Soon after a step up one is enough."""
SETTLE = 1.5
"""Seconds after a step down during which reports still tell of what was sent before it; twice the queue is added, for there and back."""
FIRST_HOLD, LONGEST_HOLD, PROBATION = 6.0, 96.0, 15.0
"""Seconds without trouble before a step up, at first and at most; seconds in which trouble means that the step was wrong."""
PROOF = 1.0
"""A step up waits until reports have told of what was sent this many seconds after the last change: the queue in front of a thin line
is full before the first report comes through it."""
BEGINNING, BEGIN_HOLD = 1.5, 2.0
"""Seconds after a receiver came in which it is given the smallest pictures; seconds before each step up from there, as long as
its line was never strained."""
SAME_TROUBLE = 6.0
"""Seconds after a step down within which another one belongs to the same trouble: much of what was measured was sent before the first
step, so the better of both measurements is kept."""
BEYOND, DARING = 1.25, 4.0
"""A step up to more than `BEYOND` times what the line was measured to carry waits `DARING` times longer."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One source's picture as a receiver could have it."""

    source: SourceName
    bits: tuple[int, ...]
    """Bits a second of each layer, lowest first."""
    kind: Literal["camera", "screen", "floor", "small"]
    """The lead's camera, a screen, the classroom that has the floor, a classroom that has not."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far down the ladder: the rung, and by how many layers its pictures are smaller than they could be."""

    rung: Rung = "full"
    smaller: int = 0

    @property
    def depth(self) -> tuple[int, int]:
        return RUNGS.index(self.rung), self.smaller


TOP = Place()


@dataclass(frozen=True, slots=True)
class Step:
    """What is sent at a place."""

    place: Place
    layers: Mapping[SourceName, int]
    """Index of the layer of each picture; a source that is not in it shows none."""
    bits: int


def steps(pictures: Sequence[Picture], sound: int, most: Rung) -> tuple[Step, ...]:
    """The steps from the best down, each cheaper than the one before. `sound` is its bits a second, `most` the rung above
    which the classroom wants nothing."""
    if most == "nothing":
        return (Step(Place("nothing"), {}, 0),)
    found: list[Step] = []
    deep = max((len(p.bits) - 1 for p in pictures if p.kind != "screen"), default=0)
    for place in _places(deep, max((len(p.bits) - 1 for p in pictures if p.kind == "screen"), default=0)):
        if RUNGS.index(place.rung) < RUNGS.index(most):
            continue
        layers = {p.source: index for p in pictures if (index := _layer(p, place, deep)) is not None}
        empty = not layers and place.rung != most and place.rung != "audio"
        bits = sound + sum(p.bits[layers[p.source]] for p in pictures if p.source in layers)
        if not found or (bits < found[-1].bits and not empty):
            found.append(Step(place, layers, bits))
    return tuple(found)


def _places(deep: int, screens: int) -> list[Place]:
    """All places there can be, where cameras have at most so many layers below the best, and screens so many."""
    full = [Place("full", smaller) for smaller in range(deep + screens + 1)]
    apart = [Place("no_camera", smaller) for smaller in range(deep + screens + 1)]
    return [*full, *apart, Place("slides"), Place("audio")]


def _layer(picture: Picture, place: Place, deep: int) -> int | None:
    """The index of the layer shown at a place; None where the picture is not shown there. Writing stays sharp until faces
    are as small as they can be."""
    top = len(picture.bits) - 1
    match place.rung, picture.kind:
        case "full", "small":
            return 0
        case (("full" | "no_camera"), "screen"):
            return max(0, top - max(0, place.smaller - deep))
        case ("full", _) | ("no_camera", "floor"):
            return max(0, top - place.smaller)
        case "slides", "screen":
            return 0
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Condition:
    """How a receiver's line did in the last window, over all its sessions."""

    lost: float | None
    """Share of packets; None where no report came."""
    limit: int | None
    """Bits a second that the receiver thinks its line carries (REMB)."""
    queue_ms: float | None
    """The round trip, less the shortest one seen; None where none was measured."""
    sent: int
    """Bits a second sent to it."""
    told_of: float | None = None
    """Reports have told of what was sent before this moment (monotonic seconds); None where they never do."""

    def strained(self, threshold: float, queue_before: float) -> bool:
        """Whether the line carries less than it is given. A queue that gets shorter tells of what was sent before."""
        lost, queue = self.lost or 0.0, self.queue_ms or 0.0
        if queue <= SHRINKING * queue_before:
            queue = 0.0
        short = self.limit is not None and self.limit < SHORT * self.sent
        return lost > threshold or queue > MUCH_DELAY or (short and (lost > SOME_LOST or queue > SOME_DELAY))

    @property
    def silent(self) -> bool:
        """Nothing was heard of the line."""
        return self.lost is None and self.queue_ms is None

    def room(self) -> float:
        """Bits a second that the line seems to carry."""
        arrived = SPARE * self.sent * (1 - (self.lost or 0.0))
        return min(arrived, self.limit) if self.limit is not None else arrived


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a receiver stands, and since when. Times are monotonic seconds."""

    place: Place = TOP
    bad: int = 0
    """Strained windows in a row."""
    queue_ms: float = 0.0
    """In the last window."""
    changed_at: float = float("-inf")
    raised_at: float = float("-inf")
    room: float = 0.0
    """Bits a second that the line carried when it was last strained."""
    hold: float = FIRST_HOLD

    def probing(self, now: float) -> bool:
        """A step up may yet prove wrong."""
        return now - self.raised_at < PROBATION

    def proved(self, told_of: float | None, now: float) -> bool:
        """Whether reports have told of the last change. Of a receiver that never tells, time does."""
        return now - self.changed_at > FIRST_HOLD if told_of is None else told_of >= self.changed_at + PROOF

    def anxious(self, told_of: float | None, now: float) -> bool:
        """Reports are wanted sooner than usual: something was changed, or a queue stands."""
        return self.probing(now) or self.bad > 0 or self.queue_ms > SOME_DELAY or not self.proved(told_of, now)

    @property
    def calm(self) -> bool:
        """Nothing to decide as long as the line carries everything."""
        return self.place == TOP and self.bad == 0


def at(place: Place, ladder: Sequence[Step]) -> int:
    """The index of the best step that is not above a place."""
    return next((i for i, step in enumerate(ladder) if step.place.depth >= place.depth), len(ladder) - 1)


def judge(standing: Standing, ladder: Sequence[Step], condition: Condition, now: float) -> Standing:
    """Where the receiver stands after this window."""
    here = at(standing.place, ladder)
    if standing.probing(now):  # until it has grown, an estimate is of what was sent before the step
        condition = replace(condition, limit=None)
    shrinks = any(step.layers for step in ladder[here + 1 :])
    strained = condition.strained(MUCH_LOST if shrinks else MOST_LOST, standing.queue_ms)
    if not condition.silent:
        queue = condition.queue_ms if condition.queue_ms is not None else standing.queue_ms
        standing = replace(standing, bad=standing.bad + 1 if strained else 0, queue_ms=queue)
    if strained:
        enough = 1 if standing.probing(now) else BAD_WINDOWS
        raised = standing.raised_at == standing.changed_at  # there was no trouble before: it is of this step
        settled = raised or now - standing.changed_at >= SETTLE + 2 * standing.queue_ms / 1000
        return _down(standing, ladder, here, condition, now) if standing.bad >= enough and settled else standing
    if standing.bad:
        return standing
    if standing.place == TOP:
        return standing if standing.probing(now) else replace(standing, hold=FIRST_HOLD, room=0.0)
    above = ladder[max(0, here - 1)]
    daring = above.bits > BEYOND * standing.room and standing.hold > BEGIN_HOLD
    hold = standing.hold * (DARING if daring else 1)
    if now - standing.changed_at < min(hold, LONGEST_HOLD) or not standing.proved(condition.told_of, now):
        return standing
    place = above.place if here > 1 else TOP
    return replace(standing, place=place, changed_at=now, raised_at=now)


def begin(standing: Standing, ladder: Sequence[Step], now: float) -> Standing:
    """Where a receiver begins: with all pictures, as small as they can be. A key picture of the largest would fill a thin line
    for seconds, and hold sound up; a good line has the largest after a few."""
    smallest = max((step.place for step in ladder if step.place.rung == "full"), key=lambda p: p.depth, default=TOP)
    if smallest.depth <= standing.place.depth:
        return standing
    return replace(standing, place=smallest, changed_at=now, hold=BEGIN_HOLD)


def _down(standing: Standing, ladder: Sequence[Step], here: int, condition: Condition, now: float) -> Standing:
    """As far as the line says; back to the step before where the last step up was wrong."""
    wrong = standing.probing(now)
    room = condition.room()
    below = range(here + 1, len(ladder))
    there = next((i for i in below if wrong or ladder[i].bits <= room), len(ladder) - 1)
    if wrong:  # so much it carried, and not the next
        room = min(room, ladder[there].bits)
    hold = min(LONGEST_HOLD, max(FIRST_HOLD, 2 * standing.hold if wrong else standing.hold))
    if now - standing.changed_at < SAME_TROUBLE:  # what follows a step down is still half of what was before it
        room = max(room, standing.room)
    place = ladder[there].place
    return replace(standing, place=place, bad=0, changed_at=now, raised_at=float("-inf"), hold=hold, room=room)
