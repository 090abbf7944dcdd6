"""Who receives what: each peer's sessions in a room share a line, and so one place on the ladder (`media.ladder`)."""

from __future__ import annotations

from collections.abc import Callable

from media.events import PeerId
from media.floor import LEAD, classroom_of
from media.forwarding.layer import Layer
from media.forwarding.publication import Publication
from media.ladder import BEGINNING, MUCH_LOST, Condition, Picture, Rung, Standing, at, begin, judge, steps
from media.sessions.subscribing import SubscriberSession

WINDOW, TROUBLED_WINDOW = 1.0, 0.5
"""Seconds between two judgements, and while there is trouble."""
TURNS = 8
"""A tick looks after one receiver in so many."""
FRESH = 3.0
"""Seconds for which a receiver's estimate holds: what was measured before a pause says nothing of now."""
DRIFT = 0.01
"""The shortest round trip seen is taken for the line without a queue. In each window it moves by this share towards the present one:
where the network takes a longer way from now on, that is not a queue for ever."""


def _picture(publication: Publication, layers: tuple[Layer, ...]) -> Picture:
    """`layers` as the ladder sees them. One that is not measured yet counts as a few bits, more than those below it."""
    bits = tuple(max(number, layer.bitrate) for number, layer in enumerate(layers, 1))
    if classroom_of(publication.source) is not None:
        return Picture(publication.source, bits, "small" if publication.silent else "floor")
    return Picture(publication.source, bits, "camera" if publication.source == LEAD else "screen")


class Receiver:
    """A peer that receives: its sessions and its line. `chosen` tells the rung above which it wants nothing."""

    def __init__(self, chosen: Callable[[], Rung], now: float) -> None:
        self.sessions: list[SubscriberSession] = []
        self._chosen, self._came_at = chosen, now
        self._standing = Standing()
        self._due_at = 0.0
        self._since = 0.0
        self._totals = (0, 0, 0)
        self._shortest: float | None = None
        self._seen: tuple[tuple[int, bool], ...] = ()

    def tick(self, now: float) -> None:
        """Follows what the sources send, and judges the line when a window is over; little is done for one that carries
        everything."""
        seen = tuple((session.publication.version, session.publication.silent) for session in self.sessions)
        if seen != self._seen:
            self._seen = seen
            self.assign(now)
        if now < self._due_at:
            return
        condition = self._condition(now)
        if not self._standing.calm or condition.strained(MUCH_LOST, 0.0):
            self.assign(now, condition)
        anxious = self._standing.anxious(condition.told_of, now)
        for session in self.sessions:
            session.hurried = anxious
        troubled = self._standing.bad or self._standing.probing(now)
        self._due_at = now + (TROUBLED_WINDOW if troubled else WINDOW)

    def _condition(self, now: float) -> Condition:
        """What reports say of the time since the last call."""
        since, self._since = self._since, now
        elapsed = max(0.1, now - since)
        reported, lost, octets = (sum(parts) for parts in zip(*(s.line() for s in self.sessions), strict=True))
        before, self._totals = self._totals, (reported, lost, octets)
        expected, missing, sent = reported - before[0], lost - before[1], octets - before[2]
        sending = [s for s in self.sessions if s.sends]
        trips = [s.round_trip for s in sending if s.round_trip is not None and s.measured_at > since]
        limits = [s.limit[0] for s in sending if s.limit is not None and now - s.limit[1] < FRESH]
        return Condition(
            lost=min(1.0, max(0, missing) / expected) if expected > 0 else None,
            limit=sum(limits) if limits and len(limits) == len(sending) else None,
            queue_ms=self._queue(max(trips)) if trips else None,
            sent=max(0, int(8 * sent / elapsed)),
            told_of=max((s.told_of for s in sending if s.told_of is not None), default=None),
        )

    def _queue(self, round_trip: float) -> float:
        shortest = self._shortest if self._shortest is not None else round_trip
        self._shortest = min(round_trip, shortest + DRIFT * (round_trip - shortest))
        return round_trip - self._shortest

    def assign(self, now: float, condition: Condition | None = None) -> None:
        """Gives each session the layer it is to have, after a judgement of the line where there is something to judge."""
        usable = {s: s.publication.usable("video", now) for s in self.sessions}
        pictures = [_picture(s.publication, usable[s]) for s in self.sessions if s.takes("video")]
        sound = sum(s.publication.layers_of("audio")[-1].bitrate for s in self.sessions if s.takes("audio"))
        ladder = steps(pictures, sound, self._chosen())
        if now - self._came_at < BEGINNING:
            self._standing = begin(self._standing, ladder, now)
        if condition is not None:
            self._standing = judge(self._standing, ladder, condition, now)
        step = ladder[at(self._standing.place, ladder)]
        for session, layers in usable.items():
            index = step.layers.get(session.name.source)
            picture = layers[min(index, len(layers) - 1)] if index is not None else None
            session.receive(step.place.rung, picture, sound=step.place.rung != "nothing", now=now)

    def resume(self, now: float) -> None:
        """A session came or went: the line is measured anew from here, the place on the ladder stays."""
        self._condition(now)
        self._due_at = now + WINDOW
        self.assign(now)


class Receivers:
    """The receivers of a room, and what they chose."""

    def __init__(self) -> None:
        self._there: dict[PeerId, Receiver] = {}
        self._chosen: dict[PeerId, Rung] = {}
        self._turn = 0

    def __getitem__(self, peer: PeerId) -> Receiver:
        return self._there[peer]

    def join(self, session: SubscriberSession, now: float) -> None:
        """A session is connected: it is given its part."""
        if session.every:
            session.receive_all(now)
            return
        peer = session.name.peer
        receiver = self._there.setdefault(peer, Receiver(lambda: self._chosen.get(peer, "full"), now))
        receiver.sessions.append(session)
        receiver.resume(now)

    def leave(self, session: SubscriberSession, now: float) -> None:
        """The session ended."""
        receiver = self._there.get(session.name.peer)
        if receiver is None or session not in receiver.sessions:
            return
        receiver.sessions.remove(session)
        if receiver.sessions:
            receiver.resume(now)
        else:
            del self._there[session.name.peer]

    def choose(self, peer: PeerId, rung: Rung | None, now: float) -> None:
        """The peer wants no more than this rung; None: as much as its line carries."""
        self._chosen[peer] = rung if rung is not None else "full"
        if (receiver := self._there.get(peer)) is not None:
            receiver.assign(now)

    def forget(self) -> None:
        """The room is empty: choices end with it."""
        self._chosen.clear()

    def tick(self, now: float) -> None:
        """Looks after the receivers whose turn it is."""
        self._turn = (self._turn + 1) % TURNS
        for receiver in list(self._there.values())[self._turn :: TURNS]:
            receiver.tick(now)
