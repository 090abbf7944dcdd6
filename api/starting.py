"""What keeps a process from starting, told apart where it happens, so that the command line can say it in a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from config.logs import without_secrets
from rooms.migrations import Newer, upgrade
from rooms.store import Store


class CannotStart(Exception):
    """Its sentence is ``cli.<key>``, with `facts` in its places; `why` among them is what the system said, without secrets."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(f"{key}: {facts}")
        self.key, self.facts = key, facts


@contextmanager
def needed(key: str, *errors: type[Exception], **facts: object) -> Iterator[None]:
    """Such errors within keep the process from starting: they become `CannotStart`."""
    try:
        yield
    except errors as error:
        raise CannotStart(key, why=_said(error), **facts) from error


async def open_storage(store: Store) -> None:
    """Brings the schema up to date. Raises `CannotStart` where the database is not there, or of a newer version."""
    url = store.url.render_as_string(hide_password=True)
    with needed("database_newer", Newer, url=url), needed("database_away", OSError, SQLAlchemyError, url=url):
        await upgrade(store)


def _said(error: Exception) -> str:
    """The system's own words, in one line."""
    if isinstance(error, OSError) and (error.errno or 0) > 0:
        return os.strerror(error.errno or 0)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    told = str(error.orig if isinstance(error, DBAPIError) else error)
    return without_secrets(told.partition("\n")[0]) or type(error).__name__
