"""Pages: Jinja2 templates with words from the catalogues, assets by content hash, and nothing inline.

In a template: `t("planner.title", n=1)` is a sentence in the reader's language, `asset("base.css")` the address of a static
file (its hash in the query, cached for a year), `me` the signed-in `Principal` or None, `desks` (theirs, home first: `name`, `url`), `language`,
`theme`, `here` (path and query of this page), `demo` (whether every page is marked as synthetic), `public_url`. Filters: `day`, `weekday`, `hhmm` (an instant, or minutes
since midnight), `moment` (day and time), `number`, `percent` (of a fraction of 1), `minutes` (of seconds). Undefined names are errors. Inline scripts
and styles are refused by the content security policy; values for scripts travel in `data-…` attributes or
`<script type="application/json">{{ value | tojson }}</script>`, which is data and not a script.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from api.access import Caller
from api.desks import desks_of
from config.settings import Settings
from config.words import LANGUAGES, Language, say

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
ZONE = ZoneInfo("Asia/Shanghai")
"""Where no zone is given: the one zone of the counties this is made for."""


class Pages:
    """The one Jinja environment of a server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals.update(t=_say, asset=asset, languages=LANGUAGES)
        self.environment.filters.update(
            day=_day, weekday=_weekday, hhmm=_hhmm, moment=_moment, number=_number, percent=_percent, minutes=_minutes
        )

    def say(self, language: Language, key: str, /, **fields: object) -> str:
        return say(language, key, **fields)

    def render(self, caller: Caller, template: str, view: Mapping[str, object]) -> str:
        """A page as text."""
        return self.environment.get_template(template).render(
            me=caller.principal,
            language=caller.language,
            theme=caller.theme,
            here=caller.path,
            desks=desks_of(caller.principal),
            demo=self.settings.demo,
            public_url=self.settings.public_url,
            **view,
        )

    def respond(self, caller: Caller, template: str, status: int, view: Mapping[str, object]) -> web.Response:
        """A page as a response; never cached, for it shows what one person may see."""
        response = web.Response(
            text=self.render(caller, template, view), status=status, content_type="text/html", charset="utf-8"
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Language"] = caller.language.replace("_", "-")
        return response


@cache
def asset(name: str) -> str:
    """Address of a file under ``api/static``, changing with its content; a missing file is an error."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@pass_context
def _say(context: Context, key: str, /, **fields: object) -> str:
    return say(context["language"], key, **fields)


@pass_context
def _day(context: Context, value: date | datetime, form: str = "medium") -> str:
    return format_date(_local(value), format=form, locale=context["language"])


@pass_context
def _weekday(context: Context, value: date | datetime | int, form: str = "EEE") -> str:
    """The weekday of a date, or of a number 1 (Monday) to 7."""
    shown = date(2024, 1, value) if isinstance(value, int) else _local(value)  # 1 January 2024 is a Monday
    return format_date(shown, format=form, locale=context["language"])


@pass_context
def _hhmm(context: Context, value: datetime | int) -> str:
    if isinstance(value, int):
        return f"{value // 60:02}:{value % 60:02}"
    return format_time(_local(value), format="HH:mm", locale=context["language"])


@pass_context
def _moment(context: Context, value: datetime, form: str = "medium") -> str:
    return format_datetime(_local(value), format=form, locale=context["language"])


@pass_context
def _number(context: Context, value: float) -> str:
    return format_decimal(value, locale=context["language"])


@pass_context
def _percent(context: Context, value: float) -> str:
    return format_percent(value, format="#,##0.#%", locale=context["language"])


def _minutes(seconds: float) -> int:
    return int(seconds // 60)


def _local(value: Any) -> Any:
    return value.astimezone(ZONE) if isinstance(value, datetime) else value
