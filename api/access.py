"""Who is calling: the person or device behind a session cookie, with their language, theme and address."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Literal, get_args

from aiohttp import web

from config.settings import Settings
from config.words import LANGUAGES, Language
from rooms.people.scope import Principal

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)

SESSION_COOKIE = "sanke_session"
LANGUAGE_COOKIE = "sanke_language"
THEME_COOKIE = "sanke_theme"


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's caller. `principal` is None for a stranger, `token` the session's cookie value (never logged)."""

    principal: Principal | None
    token: str = field(repr=False)
    language: Language
    theme: Theme
    address: str
    request_id: str
    path: str
    """Path and query as asked for, to come back to after the sign-in or a switch of language."""


CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)


def caller_of(request: web.Request) -> Caller:
    """The caller, as the outermost middleware found them."""
    return request[CALLER]


def session_cookie(settings: Settings) -> str:
    """The cookie's name: with the ``__Host-`` prefix behind TLS, which binds it to this host and path ``/``."""
    return f"__Host-{SESSION_COOKIE}" if settings.secure_cookies else SESSION_COOKIE


def client_address(request: web.Request, trusted: tuple[str, ...]) -> str:
    """The caller's address: the last hop that is not a trusted proxy."""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    address = request.remote or ""
    while hops and _is_trusted(address, trusted):
        address = hops.pop()
    return address[:64]


def _is_trusted(address: str, trusted: tuple[str, ...]) -> bool:
    try:
        return any(ip_address(address) in ip_network(network, strict=False) for network in trusted)
    except ValueError:
        return False


def language_of(request: web.Request, own: str | None, default: Language) -> Language:
    """The cookie's language, else the account's, else the browser's, else the server's."""
    for choice in (request.cookies.get(LANGUAGE_COOKIE), own):
        if choice in LANGUAGES:
            return next(language for language in LANGUAGES if language == choice)
    wanted = [part.split(";")[0].strip() for part in request.headers.get("Accept-Language", "").split(",")]
    for tag in wanted:
        main = tag.split("-")[0].lower()
        found = next((each for each in LANGUAGES if each.split("_")[0] == main), None)
        if found:
            return found
    return default


def theme_of(request: web.Request) -> Theme:
    """The chosen theme; ``auto`` follows the system."""
    return next((theme for theme in THEMES if theme == request.cookies.get(THEME_COOKIE)), "auto")
