"""What every command begins with that runs until it is stopped: its settings, and the wish to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from rich.console import Console

from api.starting import CannotStart
from config.logs import configure_logs
from config.settings import Settings
from config.words import domain, say_both

console = Console(highlight=False, soft_wrap=True)


def settings_given(**given: object) -> Settings:
    """The settings with what the command line says, and the logs set up; ends the process in words where they are not valid."""
    try:
        settings = Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        console.print(say_both("cli.settings_wrong"), style="red")
        for each in error.errors(include_url=False, include_input=False):
            place, ours = ".".join(str(part) for part in each["loc"]), f"cli.setting_{each['type']}"
            why = say_both(ours) if ours in domain("en", "cli") else each["msg"]
            console.print(f"  {place}: {why}" if place else f"  {why}", markup=False)
        sys.exit(2)
    configure_logs(settings.log_format, settings.log_level)
    return settings


@contextmanager
def starting_told() -> Iterator[None]:
    """Ends the process in words, with status 1, where it cannot start."""
    try:
        yield
    except CannotStart as problem:
        console.print(say_both(f"cli.{problem.key}", **problem.facts), markup=False)
        sys.exit(1)


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
