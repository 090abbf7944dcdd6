"""Coming in and going out: passwords, links, classroom devices, and what a person prefers to read."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from api.access import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, session_cookie
from api.desks import desks_of
from api.problems import Problem
from api.refused import problem_of
from api.routing import PUBLIC, SIGNED_IN, Call, Nothing, Routes, Shape, Text
from config.words import LANGUAGES
from rooms.people.accounts import change_password, set_language
from rooms.people.devices import enrol
from rooms.people.links import follow_link
from rooms.people.permissions import PERMISSIONS
from rooms.people.scope import Principal
from rooms.people.sessions import SignedIn, sign_in, sign_out
from rooms.refusals import Refusal

routes = Routes("identity")

COOKIE_DAYS = 400
"""How long a device's session and the choices of language and theme are kept by a browser: the longest that browsers allow."""


class Next(Shape):
    """Where to go afterwards: an address of this server."""

    next: Text = ""


class Credentials(Shape):
    """Login and password."""

    login: str = Field(max_length=64)
    password: str = Field(max_length=256)
    next: Text = ""


class NewPassword(Shape):
    """A change of password."""

    old: str = Field(max_length=256)
    new: str = Field(max_length=256)


class Preferences(Shape):
    """Language and theme, each kept as it is where it is not given."""

    language: Literal["", "zh_CN", "en"] = ""
    theme: Literal["", "auto", "light", "dark"] = ""
    next: Text = ""


class EnrolCode(Shape):
    """The code printed for a classroom device."""

    code: str = Field(min_length=1, max_length=64)


class LinkPath(Shape):
    """The secret part of a sign-in link."""

    token: str = Field(pattern=r"^[A-Za-z0-9_-]{8,128}$")


class DeskView(Shape):
    name: str
    url: str


class Me(Shape):
    """Who is signed in, and what they may do."""

    kind: Literal["account", "device"]
    login: str
    name: str
    roles: list[str]
    permissions: list[str]
    desks: list[DeskView]
    language: str
    must_change_password: bool


@routes.get("/", needs=SIGNED_IN, summary="Home: the caller's own desk", page=True, also={303: "To the desk"})
async def home(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    desks = desks_of(call.principal)
    if not desks:
        raise Problem("not_allowed")
    return _go(desks[0].url)


@routes.get("/sign-in", needs=PUBLIC, summary="The sign-in form", page=True, also={303: "Signed in already"})
async def sign_in_page(call: Call[Nothing, Next, Nothing]) -> web.Response:
    if call.caller.principal is not None:
        return _go(_local(call.query.next))
    return call.page("sign_in.html", next=_local(call.query.next), login="", failed=None)


@routes.post(
    "/sign-in", needs=PUBLIC, summary="Sign in by the form", page=True, form=True, limit="sign_in",
    status=303, also={401: "Not accepted"},
)  # fmt: skip
async def sign_in_form(call: Call[Nothing, Nothing, Credentials]) -> web.Response:
    try:
        signed_in = await _sign_in(call)
    except Refusal as refusal:
        failed = problem_of(refusal)
        next_url, body = _local(call.body.next), failed.body(call.caller.language)
        return call.page("sign_in.html", failed.status, next=next_url, login=call.body.login, failed=body)
    return _entered(call, signed_in, _local(call.body.next))


@routes.post("/api/sign-in", needs=PUBLIC, summary="Sign in", limit="sign_in", answers=Me, also={401: "Not accepted"})
async def sign_in_json(call: Call[Nothing, Nothing, Credentials]) -> web.Response:
    signed_in = await _sign_in(call)
    response = web.json_response(text=_me(signed_in.principal, call.caller.language).model_dump_json())
    _keep(call, response, signed_in)
    return response


@routes.post("/sign-out", needs=PUBLIC, summary="Sign out", page=True, status=303)
async def sign_out_form(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    await _sign_out(call)
    response = _go("/sign-in")
    _forget(call, response)
    return response


@routes.post("/api/sign-out", needs=SIGNED_IN, summary="Sign out")
async def sign_out_json(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    await _sign_out(call)
    response = web.Response(status=204)
    _forget(call, response)
    return response


@routes.get("/api/me", needs=SIGNED_IN, summary="Who is signed in")
async def me(call: Call[Nothing, Nothing, Nothing]) -> Me:
    return _me(call.principal, call.caller.language)


@routes.get("/link/{token}", needs=PUBLIC, summary="Open a sign-in link", page=True, limit="link", also={303: "In"})
async def link_page(call: Call[LinkPath, Nothing, Nothing]) -> web.Response:
    """Asks for one click first, for mail programs open links by themselves; a demonstration's links lead straight in."""
    if call.app.settings.demo:
        return await _follow(call)
    return call.page("link.html", token=call.path.token)


@routes.post("/link/{token}", needs=PUBLIC, summary="Sign in by a link", page=True, status=303, limit="link")
async def link_follow(call: Call[LinkPath, Nothing, Nothing]) -> web.Response:
    return await _follow(call)


@routes.get("/password", needs=SIGNED_IN, summary="The form to change the password", page=True)
async def password_page(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    return call.page("password.html", failed=None)


@routes.post(
    "/password", needs=SIGNED_IN, summary="Change the password", page=True, form=True, limit="sign_in",
    status=303,
)  # fmt: skip
async def password_change(call: Call[Nothing, Nothing, NewPassword]) -> web.Response:
    app, body = call.app, call.body
    try:
        await change_password(
            app.store, app.clock, app.settings, call.principal, call.actor, body.old, body.new, keep=call.caller.token
        )
    except Refusal as refusal:
        failed = problem_of(refusal)
        return call.page("password.html", failed.status, failed=failed.body(call.caller.language))
    return _go("/")


@routes.get("/enrol", needs=PUBLIC, summary="The form that makes this browser a classroom's device", page=True)
async def enrol_page(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    return call.page("enrol.html", code="", failed=None)


@routes.post(
    "/enrol", needs=PUBLIC, summary="Enrol a classroom's device", page=True, form=True, limit="enrol",
    status=303,
)  # fmt: skip
async def enrol_form(call: Call[Nothing, Nothing, EnrolCode]) -> web.Response:
    app, caller = call.app, call.caller
    try:
        entered = await enrol(app.store, app.clock, call.body.code, address=caller.address, replaces=caller.token)
    except Refusal as refusal:
        failed = problem_of(refusal)
        return call.page("enrol.html", failed.status, code=call.body.code, failed=failed.body(caller.language))
    return _entered(call, entered, "/")


@routes.post("/preferences", needs=PUBLIC, summary="Choose language and theme", page=True, form=True, status=303)
async def prefer(call: Call[Nothing, Nothing, Preferences]) -> web.Response:
    response = _go(_local(call.body.next))
    principal = call.caller.principal
    if call.body.language and principal is not None and principal.kind == "account":
        await set_language(call.app.store, principal.id, call.body.language)
    for name, value, known in (
        (LANGUAGE_COOKIE, call.body.language, LANGUAGES),
        (THEME_COOKIE, call.body.theme, THEMES),
    ):
        if value in known:
            secure = call.app.settings.secure_cookies
            response.set_cookie(name, value, max_age=COOKIE_DAYS * 86400, secure=secure, httponly=True, samesite="Lax")
    return response


async def _sign_in(call: Call[Nothing, Nothing, Credentials]) -> SignedIn:
    app, caller, body = call.app, call.caller, call.body
    return await sign_in(
        app.store, app.clock, app.settings, body.login, body.password, address=caller.address, replaces=caller.token
    )


async def _follow(call: Call[LinkPath, Nothing, Nothing]) -> web.Response:
    app, caller = call.app, call.caller
    entered = await follow_link(
        app.store, app.clock, app.settings, call.path.token, address=caller.address, replaces=caller.token
    )
    return _entered(call, entered, "/")


async def _sign_out(call: Call[Any, Any, Any]) -> None:
    if call.caller.principal is not None:
        await sign_out(call.app.store, call.app.clock, call.caller.token, call.principal, call.actor)


def _me(principal: Principal, language: str) -> Me:
    return Me(
        kind=principal.kind,
        login=principal.login,
        name=principal.name,
        roles=sorted(principal.roles),
        permissions=[permission for permission in PERMISSIONS if principal.may(permission)],
        desks=[DeskView(name=desk.name, url=desk.url) for desk in desks_of(principal)],
        language=language,
        must_change_password=principal.must_change_password,
    )


def _entered(call: Call[Any, Any, Any], signed_in: SignedIn, address: str) -> web.Response:
    response = _go(address)
    _keep(call, response, signed_in)
    return response


def _keep(call: Call[Any, Any, Any], response: web.Response, signed_in: SignedIn) -> None:
    settings = call.app.settings
    response.set_cookie(
        session_cookie(settings),
        signed_in.token,
        max_age=COOKIE_DAYS * 86400 if signed_in.principal.kind == "device" else None,
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="Lax",
    )


def _forget(call: Call[Any, Any, Any], response: web.Response) -> None:
    settings = call.app.settings
    response.del_cookie(
        session_cookie(settings), path="/", secure=settings.secure_cookies, httponly=True, samesite="Lax"
    )


def _go(address: str) -> web.Response:
    return web.Response(status=303, headers={"Location": address})


def _local(address: str) -> str:
    """An address of this server, or its home: nobody is sent elsewhere by a crafted link."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return quote(address, safe="/?&=%:+,;@~.-_#") if plain else "/"
