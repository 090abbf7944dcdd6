"""Evidence slots: what was sent in which seconds, and what receiver reports later confirm of it.

A browser reports on pictures about once a second and on sound every 2.5 to 7.5 s, so a report speaks of packets that were
sent in earlier slots. Each slot remembers which sequence numbers it covers; a report that advances the highest
received number is spread over the slots by these numbers, less the packets it calls lost.

Where reports stop, the slot in which they stopped is told in two parts: up to the last report, and after it (unknown).
Where they come again after longer than the grace, a slot ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from media.forwarding.reading import Reading


class Counts(NamedTuple):
    """What a session carried: RTP packets, their octets without header extensions and padding, and packets lost."""

    packets: int
    octets: int
    lost: int


class Sent(NamedTuple):
    """What a subscriber is sent: its rung, and the rid of its picture; None where nobody decides, or there is none."""

    rung: str | None = None
    rid: str | None = None


UNSAID = Sent()


class SentStream(Protocol):
    """One stream sent to a subscriber."""

    def reading(self) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Finished:
    """A slot whose facts are known as well as they will be. Times are monotonic seconds."""

    started: float
    ended: float
    packets: int
    octets: int
    acknowledged: int | None
    lost: int
    source_packets: int
    sent: Sent = UNSAID


@dataclass(slots=True)
class _Slot:
    started: float
    first: list[Reading]
    source_first: int
    last: list[Reading] = field(default_factory=list)
    source_last: int = 0
    ended: float | None = None
    acknowledged: int = 0
    lost: int = 0
    heard: bool = False
    sent: Sent = UNSAID
    """At its end."""

    def span(self, index: int) -> tuple[int, int | None]:
        """[from, to) of the stream's numbers in this slot; `to` is None while the slot is open."""
        start = self.first[index].upto or 0
        return start, (self.last[index].upto or start) if self.last else None

    @property
    def packets(self) -> int:
        return sum(b.packets - a.packets for a, b in zip(self.first, self.last, strict=True))

    def finished(self, unreported: int = 0) -> Finished:
        packets = self.packets - unreported
        octets = sum(b.octets - a.octets for a, b in zip(self.first, self.last, strict=True))
        acknowledged = min(self.acknowledged, packets) if self.heard else None
        source = self.source_last - self.source_first
        ended = self.ended or self.started
        return Finished(self.started, ended, packets, octets, acknowledged, self.lost, source, self.sent)

    def split(self, point: _Point) -> tuple[_Slot, _Slot]:
        """The slot up to the last report, with all that is acknowledged, and what came after it."""
        before = _Slot(self.started, self.first, self.source_first, point.readings, point.source, point.at)
        before.acknowledged, before.lost, before.heard = self.acknowledged, self.lost, True
        after = _Slot(point.at, point.readings, point.source, self.last, self.source_last, self.ended)
        before.sent = after.sent = self.sent
        return before, after


class _Point(NamedTuple):
    """The counters when the last report came."""

    at: float
    readings: list[Reading]
    source: int


@dataclass(slots=True)
class _Heard:
    """How far receiver reports go on one stream."""

    upto: int | None = None
    lost: int = 0


class SubscriberSlots:
    """The slots of one subscriber over all its streams."""

    def __init__(
        self,
        streams: Sequence[SentStream],
        source_packets: Callable[[], int],
        *,
        now: float,
        seconds: float,
        grace: float,
        sent: Callable[[], Sent] = Sent,
    ) -> None:
        """`source_packets` and `sent` are read when a slot ends."""
        self._streams = streams
        self._source_packets = source_packets
        self._seconds, self._grace, self._sent = seconds, grace, sent
        self._heard = [_Heard() for _ in streams]
        self._pending: deque[_Slot] = deque()
        self._last_report: _Point | None = None
        self._open = self._begin(now)

    def _begin(self, now: float) -> _Slot:
        return _Slot(now, [stream.reading() for stream in self._streams], self._source_packets())

    @property
    def due_at(self) -> float:
        """When the open slot is to be cut."""
        return self._open.started + self._seconds

    def cut(self, now: float) -> None:
        """Ends the open slot and begins the next."""
        slot = self._open
        slot.ended, slot.sent = now, self._sent()
        self._open = self._begin(now)
        slot.last, slot.source_last = self._open.first, self._open.source_first
        self._pending.append(slot)

    def stood_still(self, since: float, now: float) -> None:
        """The process did nothing between `since` and `now`: no slot covers that time."""
        if since > self._open.started:
            self.cut(since)
        self._open.started = now

    def report(self, index: int, *, first: int, number: int, lost: int, now: float) -> None:
        """Takes an authenticated receiver report on a stream: `first` is the number it was first sent, `number` the
        highest that was received (extended as we count), `lost` the receiver's cumulative loss."""
        before = self._last_report
        if before is None or before.at != now:  # one compound reports on several streams
            if before is not None and now - before.at > self._grace:
                self._part(before, now)
            self._last_report = _Point(now, [stream.reading() for stream in self._streams], self._source_packets())
            for slot in (*self._pending, self._open):
                slot.heard = True
        heard, upto = self._heard[index], number + 1
        start = first if heard.upto is None else heard.upto
        advance = upto - start
        if advance <= 0 or number < first:
            return
        missing = max(0, min(advance, lost - heard.lost))
        heard.upto, heard.lost = upto, lost
        self._spread(index, start, upto, missing)

    def _part(self, point: _Point, now: float) -> None:
        """Reports come again after a long silence: the time of it is parted from what was before and what is to come, so that
        a line that was cut neither takes good seconds along nor lives on them."""
        if now > self._open.started:
            self.cut(now)
        pending, self._pending = self._pending, deque()
        for slot in pending:
            inside = slot.ended is not None and slot.started < point.at < slot.ended
            self._pending.extend(slot.split(point) if inside else (slot,))

    def _spread(self, index: int, start: int, upto: int, missing: int) -> None:
        """Shares [start, upto) out among the slots, each with its part of the missing."""
        whole, seen, told = upto - start, 0, 0
        for slot in (*self._pending, self._open):
            low, high = slot.span(index)
            overlap = min(upto, high if high is not None else upto) - max(start, low)
            if overlap <= 0:
                continue
            seen += overlap
            part = missing * seen // whole - told
            told += part
            slot.acknowledged += overlap - part
            slot.lost += part

    def _settled(self, slot: _Slot) -> bool:
        """True when reports have passed every packet of the slot."""
        for index, heard in enumerate(self._heard):
            low, high = slot.span(index)
            sent = slot.last[index].packets > slot.first[index].packets and high is not None and high > low
            if sent and (heard.upto is None or heard.upto < (high or 0)):
                return False
        return True

    def take(self, now: float) -> list[Finished]:
        """The slots that are known by now, oldest first: settled, or past their grace."""
        ready: list[Finished] = []
        while self._pending:
            slot = self._pending[0]
            if not self._settled(slot) and now - (slot.ended or now) < self._grace:
                break
            ready += self._told(self._pending.popleft(), final=False)
        return ready

    def _told(self, slot: _Slot, *, final: bool) -> list[Finished]:
        """A slot, when no more reports on it are waited for: as one, or in two parts where the last report came within it.

        At the session's end (`final`) the packets that a next report would have told of are not counted as sent before the last
        report. The browser was there then, and only had no time to say what became of them.
        """
        point = self._last_report
        if point is None or point.at <= slot.started or self._settled(slot):
            return [slot.finished()]
        known, unknown = slot, []
        if slot.ended is not None and point.at < slot.ended:
            known, after = slot.split(point)
            unknown = [after.finished()]
        unreported = self._unreported(known) if final else 0
        return [known.finished(unreported if unreported < known.packets else 0), *unknown]

    def _unreported(self, slot: _Slot) -> int:
        missing = 0
        for index, heard in enumerate(self._heard):
            low, high = slot.span(index)
            sent = slot.last[index].packets - slot.first[index].packets
            missing += min(sent, max(0, (high or low) - max(low, heard.upto or low)))
        return missing

    def close(self, now: float) -> list[Finished]:
        """The session ends: the open slot is cut, everything is told as it is known."""
        if now > self._open.started:
            self.cut(now)
        rest = [told for slot in self._pending for told in self._told(slot, final=True)]
        self._pending.clear()
        return rest


class PublisherSlots:
    """The slots of one publisher: what arrived. Nothing needs to be confirmed, the packets themselves are authentic."""

    def __init__(self, arrived: Callable[[], Counts], *, now: float, seconds: float) -> None:
        self._arrived, self._seconds = arrived, seconds
        self._started, self._first = now, arrived()

    @property
    def due_at(self) -> float:
        """When the open slot is to be cut."""
        return self._started + self._seconds

    def take(self, now: float) -> Finished:
        """Ends the open slot and begins the next."""
        last = self._arrived()
        packets, octets, lost = (b - a for a, b in zip(self._first, last, strict=True))
        slot = Finished(self._started, now, packets, octets, packets, lost, packets)
        self._started, self._first = now, last
        return slot

    def stood_still(self, since: float, now: float) -> Finished | None:
        """The process did nothing between `since` and `now`: the open slot ends before that time, the next begins after it."""
        told = self.take(since) if since > self._started else None
        self._started = now
        return told
