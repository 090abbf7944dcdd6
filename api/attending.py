"""The page of a lesson for those who attend it: a receiving classroom's big screen, or a community member's own desk."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from api.routing import Call
from api.stage import OVER, doors_open, lesson_data, script_words, side_name
from config.words import Language, domain
from rooms.people.roster import assistants_of
from rooms.planning.occurrences import OccurrenceView, SideView
from rooms.recordings import recordings_of


async def attending(
    call: Call[Any, Any, Any], lesson: OccurrenceView, own: SideView, *, home: str, after: str
) -> web.Response:
    """The page of a lesson for a side that attends it. It is left for the address `home`, and leads to `after` when the lesson is over."""
    words = _words(call.caller.language, own)
    now = call.app.clock.now()
    async with call.app.store.read() as session:
        assistants = await assistants_of(session, lesson.county, own.school_code, now)
        recordings = await recordings_of(session, lesson.id)
    return call.page(
        "live/attend.html",
        lesson=lesson,
        own=own,
        over=lesson.state in OVER,
        enterable=now >= doors_open(call, lesson),
        enter_from=doors_open(call, lesson),
        assistants=assistants,
        recordings=[each for each in recordings if each.there],
        data={**lesson_data(call, lesson, words), "attends": own.side, "home": home, "after": after},
        said=lambda key, **fields: words[f"classroom.{key}"].format(**fields),
        side_name=lambda side: side_name(call.caller.language, side),
    )


def _words(language: Language, side: SideView) -> dict[str, str]:
    """The sentences of a page that attends a lesson: a classroom's, of which some are said otherwise to a community's member."""
    words = script_words(language, "live", "classroom")
    if side.side == "member":
        words |= {f"classroom.{key.partition('.')[2]}": text for key, text in domain(language, "member").items()}
    return words
