"""The OpenAPI 3.1 document, generated from the routes: what is not declared there does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.problems import PROBLEM_JSON, ProblemBody
from api.routing import PUBLIC, Nothing, Route

Document = dict[str, Any]
REF = "#/components/schemas/{model}"


def document(routes: Iterable[Route], *, version: str) -> Document:
    """The whole API as an OpenAPI 3.1 document."""
    declared = list(routes)
    schemas, definitions = _schemas(declared)
    paths: Document = {}
    for route in declared:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Three Classrooms 三个课堂",
            "version": version,
            "description": "Plan, hold and prove a county's remote lessons. Errors are RFC 9457 problems with stable codes.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in declared)],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "sanke_session"},
                "join": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


Schemas = dict[type[BaseModel], Document]


def _schemas(routes: list[Route]) -> tuple[Schemas, Document]:
    models: dict[type[BaseModel], None] = {ProblemBody: None}
    for route in routes:
        models |= {each: None for each in (route.body_model, route.answer) if each}
    found, whole = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    schemas = {model: found[model, "validation"] for model in models}
    return schemas, whole.get("$defs", {})


def _operation(route: Route, schemas: Schemas) -> Document:
    operation: Document = {
        "operationId": _name(route),
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [*_parameters(route.path_model, "path"), *_parameters(route.query_model, "query")],
        "responses": _responses(route, schemas),
        "x-needs": route.needs,
    }
    if route.handler.__doc__:
        operation["description"] = route.handler.__doc__.strip()
    if route.bearer:
        operation["security"] = [{"join": []}]
    elif route.needs != PUBLIC:
        operation["security"] = [{"session": []}]
    if body := _body(route, schemas):
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _name(route: Route) -> str:
    """``planner.plans.compare``: the tag, the module where it is another, the handler."""
    module = route.handler.__module__.rsplit(".", 1)[-1]
    return ".".join(dict.fromkeys((route.tag, module, route.handler.__name__)))


def _parameters(model: type[BaseModel], place: str) -> list[Document]:
    schema = model.model_json_schema(ref_template=REF)
    return [
        {
            "name": name,
            "in": place,
            "required": place == "path" or name in schema.get("required", ()),
            "schema": {key: value for key, value in its.items() if key != "title"},
        }
        for name, its in schema.get("properties", {}).items()
    ]


def _body(route: Route, schemas: Schemas) -> Document:
    if route.upload:
        form = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
        return {"multipart/form-data": {"schema": form}}
    if route.consumes:
        return {kind: {"schema": {"type": "string"}} for kind in route.consumes}
    if route.body_model is Nothing:
        return {}
    body: Document = {"application/json": {"schema": schemas[route.body_model]}}
    if route.form:
        body["application/x-www-form-urlencoded"] = {"schema": schemas[route.body_model]}
    return body


def _responses(route: Route, schemas: Schemas) -> Document:
    responses: Document = {str(route.status): {"description": HTTPStatus(route.status).phrase}}
    if route.answer:
        responses[str(route.status)]["content"] = {route.produces: {"schema": schemas[route.answer]}}
    elif route.produces and route.status < 300:
        anything: Document = {} if route.produces == "application/json" else {"type": "string"}
        responses[str(route.status)]["content"] = {route.produces: {"schema": anything}}
    for status in sorted(problem_statuses(route)):
        kind = {PROBLEM_JSON: {"schema": schemas[ProblemBody]}}
        if route.page:
            kind["text/html"] = {"schema": {"type": "string"}}
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": kind}
    if route.page and route.needs != PUBLIC:
        responses["303"] = {"description": "A stranger is sent to the sign-in page"}
    responses |= {str(status): {"description": text} for status, text in route.also.items()}
    return responses


def problem_statuses(route: Route) -> set[int]:
    """Statuses any route of its kind may answer with; what is special to one stands in `also`."""
    statuses = {400, 404, 408, 422, 429, 503}
    if route.needs != PUBLIC or route.bearer:
        statuses |= {401, 403}
    if route.method != "GET":
        statuses |= {403, 409, 413, 415}
    return statuses
