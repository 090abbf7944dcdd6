"""Refusals of the domain as problems of the web: the class gives the status, the code its words."""

from __future__ import annotations

from collections.abc import Mapping

from api.problems import Problem
from config.words import domain
from rooms.refusals import Conflict, Forbidden, Invalid, Locked, NotFound, NotSignedIn, Refusal, Unavailable

STATUSES: Mapping[type[Refusal], int] = {
    NotFound: 404,
    Forbidden: 403,
    NotSignedIn: 401,
    Invalid: 422,
    Conflict: 409,
    Locked: 429,
    Unavailable: 503,
    Refusal: 409,
}


def problem_of(refusal: Refusal) -> Problem:
    """The problem a refusal becomes; ``retry_after`` travels as a header, too."""
    status = next(status for kind, status in STATUSES.items() if isinstance(refusal, kind))
    wait = refusal.facts.get("retry_after")
    headers = {"Retry-After": str(wait)} if isinstance(wait, int | float) else {}
    if refusal.code == "not_signed_in":
        return Problem("sign_in_needed", headers=headers)
    if refusal.code == "not_found":
        return Problem("not_found", headers=headers)
    return Problem(refusal.code, status=status, key=f"refusal.{refusal.code}", headers=headers, facts=refusal.facts)


def known(refusal: Refusal) -> bool:
    """Whether the catalogue has words for a refusal; a test holds the tree to it."""
    return f"refusal.{refusal.code}" in domain("zh_CN", "refusal")
