"""Log lines: an event with fields, for people in colour or for machines as JSON; never a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

SECRET_NAMES = re.compile(r"token|password|secret|cookie|authorization|credential|^pin$|^code$|_key$", re.IGNORECASE)
SECRET_QUERY = re.compile(r"([?&][^=&\s]*(?:token|code|pin|password|key|secret)[^=&\s]*=)[^&\s\"']+", re.IGNORECASE)
SECRET_PATH = re.compile(r"(/(?:link|calendar)/)[A-Za-z0-9_\-]+")
URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^\s/]+@")
HIDDEN = "***"

Levels = Literal["debug", "info", "warning", "error"]


def redacted(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: secrets are hidden by the field's name, and in addresses within texts."""
    for name, value in event.items():
        if SECRET_NAMES.search(name):
            event[name] = HIDDEN
        elif isinstance(value, str):
            event[name] = without_secrets(value)
    return event


def without_secrets(text: str) -> str:
    """A text with the secrets of addresses in it hidden."""
    text = SECRET_QUERY.sub(rf"\1{HIDDEN}", text)
    return URL_PASSWORD.sub(rf"\1{HIDDEN}@", SECRET_PATH.sub(rf"\1{HIDDEN}", text))


def configure_logs(form: Literal["console", "json"], level: Levels) -> None:
    """Sets up structlog and sends the standard library's log lines the same way; to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = (
        [structlog.processors.format_exc_info, redacted, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if form == "json"
        else [structlog.processors.format_exc_info, redacted, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()], processors=[remove, *last]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("aiosqlite", "asyncio", "aioice", "sqlalchemy", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
