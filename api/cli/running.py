"""What commands begin with: valid settings, a database that is there, and the wish to stop; what is missing is said, on standard error."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NoReturn

from pydantic import ValidationError
from rich.console import Console

from api.starting import CannotStart, needed, open_storage
from config.logs import configure_logs
from config.settings import Settings
from config.words import domain, say_both
from rooms.store import Store

WRONG, MISSING = 2, 1
"""Exit statuses: the settings cannot be meant so, or what they name is not there."""


def settings_given(**given: object) -> Settings:
    """The settings with what the command line says; ends the process in words where they are not valid."""
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        console = _console()
        console.print(say_both("cli.settings_wrong"), style="red")
        for each in error.errors(include_url=False, include_input=False):
            place, ours = ".".join(str(part) for part in each["loc"]), f"cli.setting_{each['type']}"
            why = say_both(ours) if ours in domain("en", "cli") else each["msg"]
            console.print(f"  {place}: {why}" if place else f"  {why}", markup=False)
        sys.exit(WRONG)


def running_settings(**given: object) -> Settings:
    """The same for a process that goes on, with its logs set up."""
    settings = settings_given(**given)
    configure_logs(settings.log_format, settings.log_level)
    return settings


def refuse(status: int, key: str, **facts: object) -> NoReturn:
    """Ends the process with a sentence."""
    _console().print(say_both(f"cli.{key}", **facts), markup=False)
    sys.exit(status)


@contextmanager
def starting_told() -> Iterator[None]:
    """Ends the process in words where it cannot start."""
    try:
        yield
    except CannotStart as problem:
        refuse(MISSING, problem.key, **problem.facts)


@asynccontextmanager
async def store_open(settings: Settings) -> AsyncIterator[Store]:
    """The store of the settings, up to date. Raises `CannotStart`."""
    if not settings.database_url:
        with needed("folder_closed", OSError, folder=settings.data_dir):
            settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.database)
    try:
        await open_storage(store)
        yield store
    finally:
        await store.close()


@contextmanager
def stop_asked() -> Iterator[asyncio.Event]:
    """Set when the process is told to end: Ctrl-C, or what a service manager sends. Entered before anybody is told that the
    server runs, so that no early signal is lost."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    try:
        yield asked
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _console() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)
