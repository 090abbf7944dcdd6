"""What stands around every handler: a deadline, the caller, same-origin writes, errors in one shape, strict headers.

From the outside in: `watched` (request id, log event, figures, deadline), `told` (errors become problems or pages), `identified`
(cookie → caller), `same_origin`, `settled` (a forced password change comes first).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from urllib.parse import quote, urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from api.access import CALLER, Caller, client_address, language_of, session_cookie, theme_of
from api.metrics import Metrics
from api.problems import Problem
from api.refused import problem_of
from api.services import CORE, SERVICES
from config.settings import Settings
from rooms.people.scope import Principal
from rooms.refusals import Refusal

log = structlog.get_logger("api")

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]
DEADLINE: Final = 30.0
"""Seconds from the first byte of a request to the end of its answer; streams and uploads have their own."""
UPLOAD_DEADLINE: Final = 300.0
HUNG_UP: Final = 499
"""In the log and the figures, as other servers write it; nobody is there to read the answer."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FindSession = Callable[[str], Awaitable[Principal | None]]
"""Turns the value of a session cookie into its principal."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob: mediastream:",
        "font-src 'self'",
        "connect-src 'self'{relays}",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self), fullscreen=(self), "
        "autoplay=(self), screen-wake-lock=(self), geolocation=(), payment=(), usb=()"
    ),
    "X-Frame-Options": "DENY",
}


def policy(relays: Iterable[str]) -> str:
    """What a page may load and whom it may speak to: this server, and the relay workers."""
    return POLICY.format(relays="".join(f" {origin}" for origin in sorted(relays)))


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Signal ``on_response_prepare``: the headers of every answer, whatever made it."""
    services = request.app.get(SERVICES)
    relays = services.watch.origins if services is not None else ()  # what a worker answers is no page
    response.headers.setdefault("Content-Security-Policy", policy(relays))
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.app[CORE].settings.secure_cookies:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if caller := request.get(CALLER):
        response.headers.setdefault("X-Request-Id", caller.request_id)
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers.pop("Server", None)


def middlewares(settings: Settings, find: FindSession, metrics: Metrics) -> tuple[Middleware, ...]:
    """All of them, outermost first. `find` is the use case that turns a cookie's value into its principal."""
    return (watched(settings, metrics), told, identified(settings, find), same_origin(settings), settled)


def watched(settings: Settings, metrics: Metrics) -> Middleware:
    """Gives the request its id and its deadline, counts it, and logs one event without secrets."""

    @web.middleware
    async def middleware(request: web.Request, handler: Next) -> web.StreamResponse:
        stranger = Caller(
            principal=None,
            token="",
            language=language_of(request, None, settings.language),
            theme=theme_of(request),
            address=client_address(request, settings.trusted_proxies),
            request_id=uuid.uuid4().hex,
            path=request.path_qs,
        )
        request[CALLER] = stranger
        with structlog.contextvars.bound_contextvars(request=stranger.request_id), metrics.request(request) as seen:
            response = await _in_time(request, handler)
            seen.status = response.status
        return response

    return middleware


async def _in_time(request: web.Request, handler: Next) -> web.StreamResponse:
    if request.path.startswith("/live/"):
        return await handler(request)  # a stream lives as long as the class; its first message has its own deadline
    try:
        async with asyncio.timeout(UPLOAD_DEADLINE if request.content_type == "multipart/form-data" else DEADLINE):
            return await handler(request)
    except TimeoutError:
        late = tell(request, Problem("request_timeout"))
        late.force_close()
        return late


@web.middleware
async def told(request: web.Request, handler: Next) -> web.StreamResponse:
    """Turns what was raised into the one shape of errors."""
    try:
        return await handler(request)
    except Problem as problem:
        return tell(request, problem)
    except Refusal as refusal:
        return tell(request, problem_of(refusal))
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        return tell(request, _of_aiohttp(error))
    except (asyncio.CancelledError, TimeoutError):
        raise
    except Exception as error:
        if isinstance(error, ConnectionResetError) and _hung_up(request):
            return web.Response(status=HUNG_UP)
        log.exception("request_failed", method=request.method, route=route_name(request))
        return tell(request, Problem("internal"))


def _hung_up(request: web.Request) -> bool:
    """Whether the caller is gone, in the middle of its request."""
    return request.transport is None or request.transport.is_closing()


def _of_aiohttp(error: web.HTTPException) -> Problem:
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "wrong_type"}
    code = codes.get(error.status, "bad_request" if error.status < 500 else "internal")
    facts: dict[str, object] = {"accepted": "application/json"} if code == "wrong_type" else {}
    if code == "too_large":
        facts = {"limit_mb": 1}
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return Problem(code, headers=headers, facts=facts)


def wants_page(request: web.Request) -> bool:
    """Whether a person's browser asked a web server for a page: it says so in Accept."""
    if SERVICES not in request.app or request.path.startswith(
        ("/api/", "/whip/", "/whep/", "/media/", "/live/", "/static/")
    ):
        return False
    return "text/html" in request.headers.get("Accept", "")


def tell(request: web.Request, problem: Problem) -> web.Response:
    """A problem as JSON, as a page, or (401 of a page) as the way to the sign-in form."""
    caller = request[CALLER]
    if not wants_page(request):
        return problem.response(caller.language, f"urn:uuid:{uuid.UUID(caller.request_id)}")
    if problem.code == "sign_in_needed" and request.method in SAFE:
        return web.Response(status=303, headers={"Location": f"/sign-in?next={quote(request.path_qs, safe='')}"})
    body = problem.body(caller.language, f"urn:uuid:{uuid.UUID(caller.request_id)}")
    page = request.app[SERVICES].pages.respond(caller, "error.html", problem.status, {"problem": body})
    page.headers.update(problem.headers)
    return page


def identified(settings: Settings, find: FindSession) -> Middleware:
    """Finds the principal behind the session cookie."""
    cookie = session_cookie(settings)

    @web.middleware
    async def middleware(request: web.Request, handler: Next) -> web.StreamResponse:
        token = request.cookies.get(cookie, "")
        if token and not request.path.startswith("/static/"):
            stranger = request[CALLER]
            principal = await find(token)
            own = principal.language if principal else None
            request[CALLER] = Caller(
                principal=principal,
                token=token if principal else "",
                language=language_of(request, own, settings.language),
                theme=stranger.theme,
                address=stranger.address,
                request_id=stranger.request_id,
                path=stranger.path,
            )
        return await handler(request)

    return middleware


def same_origin(settings: Settings) -> Middleware:
    """Refuses writes (and WebSockets) that another site's page asks for: Sec-Fetch-Site, else Origin, else no browser at all."""

    @web.middleware
    async def middleware(request: web.Request, handler: Next) -> web.StreamResponse:
        upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
        if (request.method not in SAFE or upgrade) and not _own(request, settings):
            raise Problem("foreign_origin")
        return await handler(request)

    return middleware


def _own(request: web.Request, settings: Settings) -> bool:
    if "Authorization" in request.headers and session_cookie(settings) not in request.cookies:
        return True  # a bearer token is no ambient authority: an encoder or another program
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site in ("same-origin", "none")
    if origin is None:
        return True  # no browser: browsers send Origin with every unsafe request
    netloc = urlsplit(origin).netloc
    return bool(netloc) and netloc in (request.host, urlsplit(settings.public_url).netloc)


SETTLING = ("/password", "/sign-out", "/static/", "/api/me", "/api/sign-out", "/preferences", "/healthz")


@web.middleware
async def settled(request: web.Request, handler: Next) -> web.StreamResponse:
    """Whoever must change the password does that first."""
    principal = request[CALLER].principal
    if principal is None or not principal.must_change_password or request.path.startswith(SETTLING):
        return await handler(request)
    if wants_page(request) and request.method in SAFE:
        return web.Response(status=303, headers={"Location": "/password"})
    raise Problem("password_change_needed")


def route_name(request: web.Request) -> str:
    """The route's pattern, never the path itself: paths hold tokens."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"
