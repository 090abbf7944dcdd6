"""Calendars to subscribe to: a teacher, a school or a room, by an address nobody can guess (iCalendar, RFC 5545 and 7986)."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.words import Language, catalogue, say
from rooms.audit import append
from rooms.clock import Clock
from rooms.planning.occurrences import OccurrenceView, SideView, Who, between, zone_of
from rooms.refusals import Invalid
from rooms.store import Actor, Store
from rooms.tables import County, FeedToken, Room, School, Teacher

TABLES: dict[str, type[Teacher | School | Room]] = {"teacher": Teacher, "school": School, "room": Room}
KINDS = tuple(TABLES)
TOKEN_BYTES = 32
PRODUCT = "-//Three Classrooms//sanke//ZH"


async def make_feed(store: Store, actor: Actor, clock: Clock, county: str, kind: str, code: str) -> str:
    """A new token for the calendar of a teacher, school or room (``/calendar/{token}.ics``); earlier ones of the same stay good.

    Refusals: `Invalid` ``code_unknown`` (facts: kind, code).
    """
    token, now = secrets.token_urlsafe(TOKEN_BYTES), clock.now()
    async with store.write() as session:
        if kind not in TABLES or await session.get(TABLES[kind], (county, code)) is None:
            raise Invalid("code_unknown", kind=kind, code=code)
        session.add(
            FeedToken(
                token_hash=_hash(token), county=county, kind=kind, code=code, created_at=now, created_by=actor.name
            )
        )
        await append(session, actor, "feed.make", f"{kind}:{code}", county=county, at=now)
    return token


async def revoke_feeds(store: Store, actor: Actor, clock: Clock, county: str, kind: str, code: str) -> int:
    """End every address of a calendar; how many there were."""
    now = clock.now()
    async with store.write() as session:
        ended = await session.scalars(
            update(FeedToken)
            .where(
                FeedToken.county == county,
                FeedToken.kind == kind,
                FeedToken.code == code,
                FeedToken.revoked_at.is_(None),
            )
            .values(revoked_at=now)
            .returning(FeedToken.token_hash)
        )
        count = len(ended.all())
        if count:
            await append(
                session, actor, "feed.revoke", f"{kind}:{code}", county=county, at=now, facts={"addresses": count}
            )
    return count


async def read_feed(
    store: Store, clock: Clock, token: str, *, languages: tuple[Language, ...] = ("zh_CN",)
) -> bytes | None:
    """The iCalendar behind a token, or None where the token is unknown or ended.

    The lessons of the whole term, cancelled ones marked as such; two languages stand in one summary. UIDs are those of the
    lessons and never change.
    """
    async with store.read() as session:
        feed = await session.scalar(
            select(FeedToken).where(FeedToken.token_hash == _hash(token), FeedToken.revoked_at.is_(None))
        )
        if feed is None:
            return None
        county = await session.get(County, feed.county)
        assert county is not None, "a foreign key holds it"
        who = _who(feed.county, feed.kind, feed.code)
        lessons = await between(session, who, county.term_start, county.term_end)
        name = await _name(session, feed, languages)
        zone = await zone_of(session, feed.county)
        term = (county.term_start, county.term_end)
    # A lead school's term is more than a thousand events, and phones ask for it again and again.
    return await asyncio.to_thread(_calendar, lessons, name, zone, term, clock.now(), languages)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _who(county: str, kind: str, code: str) -> Who:
    if kind == "school":
        return Who(county, schools=frozenset([code]))
    return Who(county, teacher=code) if kind == "teacher" else Who(county, room=code)


async def _name(session: AsyncSession, feed: FeedToken, languages: tuple[Language, ...]) -> str:
    row = await session.get(TABLES[feed.kind], (feed.county, feed.code))
    of = row.name if isinstance(row, Teacher | School) else feed.code
    return " / ".join(say(language, "feed.calendar", of=of) for language in languages)


def _calendar(
    lessons: list[OccurrenceView],
    name: str,
    zone: ZoneInfo,
    term: tuple[date, date],
    now: datetime,
    languages: tuple[Language, ...],
) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for lesson in lessons:
        calendar.add_component(_event(lesson, zone, now, languages))
    calendar.add_missing_timezones(first_date=term[0], last_date=term[1] + timedelta(days=366))
    return bytes(calendar.to_ical())


def _event(lesson: OccurrenceView, zone: ZoneInfo, now: datetime, languages: tuple[Language, ...]) -> Event:
    """A lesson. A declared shift moves it; every change of time or state raises its sequence."""
    shift = timedelta(seconds=lesson.shift_seconds)
    cancelled = lesson.state == "cancelled"
    event = Event()
    event.add("uid", f"{lesson.id}@sanke")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", (lesson.starts_at + shift).astimezone(zone))
    event.add("dtend", (lesson.ends_at + shift).astimezone(zone))
    event.add("sequence", int(cancelled) + int(lesson.shift_seconds != 0))
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("summary", " / ".join(_summary(lesson, language) for language in languages))
    event.add("location", " ".join(filter(None, (lesson.lead.school_name, lesson.lead.room_code))))
    event.add("description", "\n\n".join(_description(lesson, language) for language in languages))
    event.add("categories", [lesson.family])
    return event


def _summary(lesson: OccurrenceView, language: Language) -> str:
    subject = _word(language, f"common.subject_{lesson.subject}", lesson.subject)
    title = lesson.title or subject
    key = "feed.cancelled" if lesson.state == "cancelled" else "feed.makeup" if lesson.replaces_id else "feed.lesson"
    return say(language, key, title=title, family=_word(language, f"common.family_{lesson.family}", lesson.family))


def _description(lesson: OccurrenceView, language: Language) -> str:
    lead = lesson.lead
    lines = [say(language, "feed.lead", who=_person(lead))]
    lines += [say(language, "feed.attends", who=_person(side)) for side in lesson.receivers]
    if lesson.cancel_reason:
        reason = _word(language, f"verdict.reason_{lesson.cancel_reason}", lesson.cancel_reason)
        lines.append(say(language, "feed.reason", reason=reason))
    return "\n".join(lines)


def _person(side: SideView) -> str:
    return " ".join(filter(None, (side.school_name, side.class_code or side.teacher_name or side.teacher_code)))


def _word(language: Language, key: str, otherwise: str) -> str:
    """The word for a code; subjects are data, so a county may have one that no catalogue knows."""
    return catalogue(language).get(key, otherwise)
