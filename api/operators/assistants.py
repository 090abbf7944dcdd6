"""Assistant teachers and their PINs."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from api.operators.desk import SchoolAt, routes, schools_within
from api.routing import Call, Nothing, RowId, Shape
from rooms.people import assistants
from rooms.people.roster import list_assistants


class AssistantPath(Shape):
    assistant: RowId


class AssistantForm(SchoolAt):
    """A new assistant of a school."""

    name: str = Field(max_length=64)
    pin: str = Field(max_length=16)


class PinForm(Shape):
    """A new PIN."""

    pin: str = Field(max_length=16)


class Made(Shape):
    """The assistant that was registered."""

    assistant_id: int


@routes.get("/operator/assistants", needs="people.read", summary="Assistant teachers", page=True)
async def assistants_page(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        rows = await list_assistants(session, call.principal, call.app.clock.now())
        schools = await schools_within(session, call)
    return call.page("operator/assistants.html", rows=rows, schools=schools)


@routes.post("/api/operator/assistants", needs="people.change", summary="Register an assistant", status=201)
async def make_assistant(call: Call[Nothing, Nothing, AssistantForm]) -> Made:
    app, body = call.app, call.body
    made = await assistants.create_assistant(
        app.store, app.clock, call.principal, call.actor, body.county, body.school, body.name, body.pin
    )
    return Made(assistant_id=made)


@routes.post("/api/operator/assistants/{assistant}/pin", needs="people.change", summary="Set an assistant's PIN")
async def set_pin(call: Call[AssistantPath, Nothing, PinForm]) -> None:
    app = call.app
    await assistants.set_pin(app.store, app.clock, call.principal, call.actor, call.path.assistant, call.body.pin)


@routes.post(
    "/api/operator/assistants/{assistant}/disable", needs="people.change", summary="Put an assistant out of use"
)
async def disable(call: Call[AssistantPath, Nothing, Nothing]) -> None:
    await assistants.set_in_use(call.app.store, call.app.clock, call.principal, call.actor, call.path.assistant, False)


@routes.post(
    "/api/operator/assistants/{assistant}/enable", needs="people.change", summary="Put an assistant back into use"
)
async def enable(call: Call[AssistantPath, Nothing, Nothing]) -> None:
    await assistants.set_in_use(call.app.store, call.app.clock, call.principal, call.actor, call.path.assistant, True)
