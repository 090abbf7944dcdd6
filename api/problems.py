"""Problems told to people and programs: one shape, RFC 9457 ``application/problem+json``.

    {"type": "urn:sanke:problem:not_found", "code": "not_found", "status": 404,
     "title": "…", "detail": "…",                       the reader's language
     "words": {"zh_CN": "…", "en": "…"},                the detail in both languages
     "facts": {"county": "demo"},                        the places of the sentence
     "errors": [{"at": "body.seconds", "code": "greater_than_equal", "detail": "…"}],
     "instance": "urn:uuid:…"}                           the request, as it stands in the log

`code` is stable and is what a program may act on. A problem of the web (`Problem`) has the words ``problem.<code>`` and
``problem.<code>_title``; a refusal of the domain has ``refusal.<code>`` and the title of its status.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from config.words import LANGUAGES, Language, domain, say

PROBLEM_JSON = "application/problem+json"

STATUS: Mapping[str, int] = {
    "bad_request": 400,
    "bad_offer": 400,
    "sign_in_needed": 401,
    "sign_in_failed": 401,
    "token_invalid": 401,
    "not_allowed": 403,
    "no_floor": 403,
    "foreign_origin": 403,
    "password_change_needed": 403,
    "not_found": 404,
    "link_invalid": 404,
    "method_not_allowed": 405,
    "nothing_in_common": 406,
    "request_timeout": 408,
    "conflict": 409,
    "no_publisher": 409,
    "no_segments": 409,
    "source_taken": 409,
    "etag_mismatch": 412,
    "too_large": 413,
    "wrong_type": 415,
    "invalid": 422,
    "refused": 409,
    "etag_needed": 428,
    "too_many_requests": 429,
    "internal": 500,
    "overloaded": 503,
}
"""Every problem of the web with its status."""


class FieldError(BaseModel):
    """One thing that is wrong with what was sent; `at` is ``body.name``, ``query.week``."""

    at: str
    code: str
    detail: str


class ProblemBody(BaseModel):
    """The one shape of every error."""

    model_config = ConfigDict(frozen=True)
    type: str
    code: str
    status: int
    title: str
    detail: str
    words: dict[str, str]
    facts: dict[str, Any] = {}
    errors: list[FieldError] = []
    instance: str


class Problem(Exception):
    """Raise it anywhere in `api`: it becomes problem+json, or an error page for a person's browser."""

    def __init__(
        self,
        code: str,
        *,
        status: int | None = None,
        key: str = "",
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = STATUS[code] if status is None else status
        self.key = key or f"problem.{code}"
        self.headers = dict(headers or {})
        self.errors = list(errors)
        self.facts = dict(facts or {})

    def body(self, language: Language, instance: str = "") -> ProblemBody:
        """The problem in words."""
        words: dict[str, str] = {each: say(each, self.key, **self.facts) for each in LANGUAGES}
        return ProblemBody(
            type=f"urn:sanke:problem:{self.code}",
            code=self.code,
            status=self.status,
            title=_title(language, self.code, self.status),
            detail=words[language],
            words=words,
            facts={name: _plain(value) for name, value in self.facts.items()},
            errors=self.errors,
            instance=instance or f"urn:uuid:{uuid.uuid4()}",
        )

    def response(self, language: Language, instance: str = "") -> web.Response:
        """The problem as problem+json."""
        return web.json_response(
            text=self.body(language, instance).model_dump_json(),
            status=self.status,
            content_type=PROBLEM_JSON,
            headers=self.headers,
        )


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)


def _title(language: Language, code: str, status: int) -> str:
    words = domain(language, "problem")
    if (own := words.get(f"problem.{code}_title")) is not None:
        return own
    general = next((name for name, its in STATUS.items() if its == status), "refused")
    return words.get(f"problem.{general}_title") or HTTPStatus(status).phrase


def invalid(error: ValidationError, place: str) -> Problem:
    """What pydantic found, as one problem with an entry for each field; the values sent are not repeated."""
    errors = [
        FieldError(at=".".join(str(part) for part in (place, *each["loc"])), code=each["type"], detail=each["msg"])
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return Problem("invalid", errors=errors, facts={"count": len(errors)})
