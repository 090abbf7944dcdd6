"""Whatever a client sends that the document allows, for every role: no 5xx, and nothing undocumented comes back."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
import requests
import schemathesis
from api_world import ROLES, Side, Site
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from test_matrix import DOCUMENT, named

from api.access import session_cookie
from config.settings import Settings

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 3
ENDS_THE_SESSION = ("/sign-out", "/api/sign-out")


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_text(_context: Any, value: Any) -> bytes:
    return str(value).encode(errors="replace")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limit_scale": 100_000})


@pytest.mark.parametrize("database", ["postgresql"])
async def test_every_route_keeps_its_word(site: Site) -> None:
    """PostgreSQL, because it is the stricter of the two about what can be stored."""
    found, calls = await asyncio.to_thread(_try_all, site)
    assert not found, "\n".join(sorted(found))
    assert sum(calls.values()) > 1000
    assert calls[200] > 50


def _try_all(site: Site) -> tuple[set[str], Counter[int]]:
    found: set[str] = set()
    calls: Counter[int] = Counter()
    cookie = session_cookie(site.server.services.settings)
    sessions = {role: requests.Session() for role in (*ROLES, "device", "nobody")}
    for role, session in sessions.items():
        if token := site.as_(role):
            session.cookies.set(cookie, token)
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path == "/live/{occurrence}":
            continue  # a WebSocket; its own tests speak its language
        for known in (None, site.world.here):
            _try_one(operation, known, sessions, site.server.local_url, found, calls)
    for session in sessions.values():
        session.close()
    return found, calls


def _try_one(
    operation: Any,
    known: Side | None,
    sessions: dict[str, requests.Session],
    url: str,
    found: set[str],
    calls: Counter[int],
) -> None:
    @given(case=operation.as_strategy())
    @hypothesis_settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def attempt(case: Any) -> None:
        if known is not None:
            _make_known(case, known)
        for role, session in sessions.items():
            if operation.path in ENDS_THE_SESSION and role != "nobody":
                continue
            answer = case.call(base_url=url, session=session, allow_redirects=False, timeout=20)
            calls[answer.status_code] += 1
            try:
                case.validate_response(answer, checks=CHECKS)
            except FailureGroup as group:
                for error in group.exceptions:
                    found.add(f"{operation.label} as {role} → {answer.status_code}: {str(error)[:600]}")

    attempt()


def _make_known(case: Any, side: Side) -> None:
    """Real ids where names are known: random ones never get past the first look-up."""
    names = named(side)
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: names[name] for name in part if name in names})
