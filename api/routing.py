"""Routes, declared once: the method, the path, who may call it, and the shapes that go in and come out.

    routes = Routes("planner")

    class CountyPath(Shape):
        county: Code

    class StartRun(Shape):
        seconds: int = Field(60, ge=1, le=3600)

    @routes.post("/api/planner/{county}/runs", needs="plan.run", summary="Start a planning run", status=202)
    async def start_run(call: Call[CountyPath, Nothing, StartRun]) -> RunStarted: ...

    @routes.get("/planner/{county}", needs="plan.read", summary="The planner's desk", page=True)
    async def home(call: Call[CountyPath, Nothing, Nothing]) -> web.StreamResponse:
        return call.page("planner/home.html", view=view)

The annotation of `call` names the models of path, query and body, the return annotation the answer: a pydantic model becomes
JSON, a `web.StreamResponse` goes out as it is, None is 204. `needs` is `PUBLIC`, `SIGNED_IN` or a permission of
`rooms.people`. A path with ``{county}`` (and ``{school}``) is answered with 404 before anything else happens where the
caller's subtree does not hold that county (school), and with 403 where the permission does not hold for the whole of it;
any other object is checked by its use case. A page (`page=True`)
answers errors in HTML and sends strangers to the sign-in page; everything else answers problem+json. A body comes as JSON,
or as an HTML form where `form=True`; an upload (`upload=True`) is read with `api.uploads.receive`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Generic, Literal, TypeVar, cast, get_args, get_type_hints

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from api.access import Caller, caller_of
from api.problems import Problem, invalid
from api.services import CORE, SERVICES, Core, Services
from rooms.people.permissions import Permission
from rooms.people.scope import Principal
from rooms.store import Actor

PUBLIC: Literal["public"] = "public"
SIGNED_IN: Literal["signed_in"] = "signed_in"
Needs = Permission | Literal["public", "signed_in"]

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f/]+$")]
"""A code of a county's files."""
RowId = Annotated[int, Field(ge=1, le=2**31 - 1)]
HexId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""The id of an occurrence or of a side."""
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]
"""A date that has a week before and one after it: the calendar's own ends have none."""
Text = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
"""Free text of a person; PostgreSQL keeps no NUL."""


class Shape(BaseModel):
    """Base of what goes in and out: frozen, and nothing unknown is accepted, nor a number that JSON has none for (1e999)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Nothing(BaseModel):
    """No parameters, no body; unknown ones are ignored."""


P = TypeVar("P", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call(Generic[P, Q, B]):
    """One request, parsed and allowed."""

    request: web.Request
    caller: Caller
    path: P
    query: Q
    body: B

    @property
    def core(self) -> Core:
        """What every process has: all that a route may use that relay workers answer too."""
        return self.request.app[CORE]

    @property
    def app(self) -> Services:
        return self.request.app[SERVICES]

    @property
    def principal(self) -> Principal:
        """Who calls; only on routes that are not public."""
        if self.caller.principal is None:
            raise Problem("sign_in_needed")
        return self.caller.principal

    @property
    def actor(self) -> Actor:
        """Who acts, for the use case and its audit entry."""
        return self.principal.actor(self.caller.address)

    def say(self, key: str, /, **fields: object) -> str:
        """A sentence in the caller's language."""
        return self.app.pages.say(self.caller.language, key, **fields)

    def page(self, template: str, /, status: int = 200, **view: object) -> web.Response:
        """A page in the caller's language; see `api.pages`."""
        return self.app.pages.respond(self.caller, template, status, view)


Handler = Callable[[Any], Awaitable[Any]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A declared route; `api.openapi` prints it and `serve` answers it. No two are alike: each is declared once."""

    method: str
    path: str
    handler: Handler
    needs: Needs
    summary: str
    tag: str
    path_model: type[BaseModel]
    query_model: type[BaseModel]
    body_model: type[BaseModel]
    answer: type[BaseModel] | None
    status: int
    produces: str
    form: bool
    upload: bool
    consumes: tuple[str, ...]
    limit: str
    bearer: bool
    also: Mapping[int, str]

    @property
    def page(self) -> bool:
        return self.produces == "text/html"


@dataclass(slots=True)
class Routes:
    """The routes of one module, under one tag of the API document."""

    tag: str
    all: list[Route] = field(default_factory=list)

    def get(self, path: str, *, needs: Needs, summary: str, **options: Any) -> Callable[[H], H]:
        return self.add("GET", path, needs=needs, summary=summary, **options)

    def post(self, path: str, *, needs: Needs, summary: str, **options: Any) -> Callable[[H], H]:
        return self.add("POST", path, needs=needs, summary=summary, **options)

    def put(self, path: str, *, needs: Needs, summary: str, **options: Any) -> Callable[[H], H]:
        return self.add("PUT", path, needs=needs, summary=summary, **options)

    def delete(self, path: str, *, needs: Needs, summary: str, **options: Any) -> Callable[[H], H]:
        return self.add("DELETE", path, needs=needs, summary=summary, **options)

    def add(
        self,
        method: str,
        path: str,
        *,
        needs: Needs,
        summary: str,
        status: int | None = None,
        page: bool = False,
        produces: str = "",
        form: bool = False,
        upload: bool = False,
        consumes: tuple[str, ...] = (),
        limit: str = "",
        bearer: bool = False,
        also: Mapping[int, str] | None = None,
        answers: type[BaseModel] | None = None,
    ) -> Callable[[H], H]:
        """Declares a route. `limit` names a rule of `api.limits`, `also` further statuses with a sentence each; `bearer`
        marks a route that reads its own token and no cookie; `produces` is the content type where it is no JSON,
        `consumes` those of a body that the handler reads itself; `answers` the JSON of a handler that makes the response itself."""

        def declare(handler: H) -> H:
            hints = get_type_hints(handler)
            path_model, query_model, body_model = get_args(hints["call"])
            answer = answers or hints["return"]
            model = answer if isinstance(answer, type) and issubclass(answer, BaseModel) else None
            kind = produces or ("text/html" if page else "application/json" if model else "")
            code = status or (200 if model or kind else 204)
            found = Route(
                method=method,
                path=path,
                handler=handler,
                needs=needs,
                summary=summary,
                tag=self.tag,
                path_model=path_model,
                query_model=query_model,
                body_model=body_model,
                answer=model,
                status=code,
                produces=kind,
                form=form,
                upload=upload,
                consumes=consumes,
                limit=limit,
                bearer=bearer,
                also=also or {},
            )
            self.all.append(found)
            return handler

        return declare


def serve(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of a route: limit, scope, permission, parse, call, present."""

    async def answer(request: web.Request) -> web.StreamResponse:
        caller = caller_of(request)
        if route.limit:
            await request.app[CORE].limits.spend(route.limit, caller)
        authorise(route, caller, request.match_info)
        call = Call(
            request,
            caller,
            _parse(route.path_model, dict(request.match_info), "path"),
            _parse(route.query_model, _fields(request.query), "query"),
            await _body(route, request),
        )
        return present(route, await route.handler(call))

    return answer


def authorise(route: Route, caller: Caller, path: Mapping[str, str]) -> None:
    """Raises 401, 404 or 403: strangers sign in, foreign counties do not exist, and the rest is a matter of the role."""
    if route.needs == PUBLIC:
        return
    if caller.principal is None:
        raise Problem("sign_in_needed")
    if (county := path.get("county")) is not None:
        school = path.get("school")
        sees = caller.principal.sees_county(county) if school is None else caller.principal.sees_school(county, school)
        if not sees:
            raise Problem("not_found")
    if route.needs == SIGNED_IN:
        return
    if not caller.principal.may(route.needs, county=path.get("county"), school=path.get("school")):
        raise Problem("not_allowed")


def present(route: Route, value: object) -> web.StreamResponse:
    """What the handler returned, on the wire."""
    if isinstance(value, web.StreamResponse):
        return value
    if value is None:
        return web.Response(status=route.status)
    return web.json_response(text=cast(BaseModel, value).model_dump_json(), status=route.status)


def _fields(values: MultiMapping[Any]) -> dict[str, Any]:
    """A field given once is a value, one given several times a list."""
    return {name: values.getall(name) if len(values.getall(name)) > 1 else values[name] for name in values}


def _parse(model: type[BaseModel], values: object, place: str) -> BaseModel:
    if not _storable(values):
        raise Problem("not_found" if place == "path" else "bad_request")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise (Problem("not_found") if place == "path" else invalid(error, place)) from None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _storable(value: object) -> bool:
    """Whether every text in it can be kept by both databases: no NUL, no half of a surrogate pair."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= each <= "\udfff" for each in value)
    if isinstance(value, dict):
        return all(_storable(name) and _storable(each) for name, each in value.items())
    return all(_storable(each) for each in value) if isinstance(value, list) else True


async def _body(route: Route, request: web.Request) -> BaseModel:
    if route.upload or route.body_model is Nothing:
        return Nothing()
    if route.form and request.content_type == "application/x-www-form-urlencoded":
        return _parse(route.body_model, _fields(await request.post()), "body")
    if request.content_type != "application/json":
        raise Problem("wrong_type", facts={"accepted": "application/json"})
    try:
        values = json.loads(await request.read(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Problem("bad_request") from None
    return _parse(route.body_model, values, "body")
