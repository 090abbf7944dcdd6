"""The one tree of refusals of the domain: a stable code and its facts, no words for people.

    Refusal
    ├── NotFound      what was asked for does not exist, or lies outside the caller's subtree (both look the same)
    ├── Forbidden     the caller sees the thing, but may not do this to it
    ├── NotSignedIn   no session, or it has ended
    ├── Invalid       the values given break a rule of the domain
    ├── Conflict      the values are fine, the state of things is not (somebody was faster, it has begun, it exists)
    ├── Locked        too many wrong attempts; fact ``until`` where a time is known
    └── Unavailable   a part is missing or busy just now; fact ``retry_after`` in seconds where it is known

Codes are dotted-free snake case and never change once shipped; their words stand in ``config/locale/*/refusal.po`` as
``refusal.<code>``, with the facts as places. The api maps the class to an HTTP status and the code to problem+json.
"""

from __future__ import annotations


class Refusal(Exception):
    """The domain declines an act. `code` is stable, `facts` fill the places of the sentence in the catalogue."""

    def __init__(self, code: str, /, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code


class NotFound(Refusal):
    """It is not there for this caller."""

    def __init__(self, code: str = "not_found", /, **facts: object) -> None:
        super().__init__(code, **facts)


class Forbidden(Refusal):
    """The caller sees it and may not do this."""

    def __init__(self, code: str = "forbidden", /, **facts: object) -> None:
        super().__init__(code, **facts)


class NotSignedIn(Refusal):
    """Nobody is signed in, or no longer."""

    def __init__(self, code: str = "not_signed_in", /, **facts: object) -> None:
        super().__init__(code, **facts)


class Invalid(Refusal):
    """A value breaks a rule of the domain."""


class Conflict(Refusal):
    """The act does not fit the present state."""


class Locked(Refusal):
    """Too many wrong attempts."""

    def __init__(self, code: str = "locked", /, **facts: object) -> None:
        super().__init__(code, **facts)


class Unavailable(Refusal):
    """A part that is needed is missing or busy."""
