"""The doors of live media, with real offers and real media through them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import product

import jwt
import pytest
from api_world import Site
from media_doors import Doors, offering
from pydantic import SecretStr
from waiting import SOON, until

from api.join import Join, ice_links, ice_servers
from api.media import FRAGMENT, SDP
from config.settings import Settings
from media.clients.counting import CountOnlySubscriber
from media.events import RoomId

pytestmark = pytest.mark.parametrize("database", ["sqlite"])


async def test_a_class_goes_in_and_comes_out(doors: Doors) -> None:
    async with doors.publishing() as made:
        assert made.headers["Location"].startswith("/media/")
        assert made.headers["ETag"].startswith('"')
        assert made.content_type == SDP
        classroom = CountOnlySubscriber()
        answer = await doors.post("whep", classroom.offer(), doors.token("subscribe"))
        assert answer.status == 201
        await classroom.connect(await answer.text())
        await until(lambda: len(classroom.streams) == 2 and classroom.packets > 50)
        headers = {"Authorization": f"Bearer {doors.token('subscribe')}"}
        async with doors.client.delete(answer.headers["Location"], headers=headers) as ended:
            assert ended.status == 200
        await asyncio.wait_for(classroom.ended.wait(), SOON)
        await classroom.close()


async def test_what_is_no_offer_is_refused_and_leaves_nothing(doors: Doors) -> None:
    async with offering() as (_, offer):
        assert (await doors.post("whip", offer, doors.token(), kind="text/plain")).status == 415
        for bad in ("", "v=0", "x" * 5000, offer[: len(offer) // 2], offer.replace("a=fingerprint", "a=fngrprnt")):
            answer = await doors.post("whip", bad, doors.token())
            assert (answer.status, (await answer.json())["code"]) == (400, "bad_offer")
        assert (await doors.post("whip", "\xff" * 10, doors.token())).status == 400
        strange = offer.replace("H264/90000", "H999/90000").replace("VP8/90000", "VP99/90000").replace("opus/", "opux/")
        assert (await doors.post("whip", strange, doors.token())).status == 406
    assert doors.site.server.services.relay.totals().unfinished == 0


async def test_a_classroom_before_the_teacher_is_told_when_to_come_back(doors: Doors) -> None:
    async with offering(sends=False) as (_, offer):
        answer = await doors.post("whep", offer, doors.token("subscribe"))
    assert (answer.status, (await answer.json())["code"]) == (409, "no_publisher")
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_full_relay_says_so(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    async with doors.publishing(), offering(sends=False) as (_, offer):
        relay = doors.site.server.services.relay
        monkeypatch.setattr(relay, "config", type(relay.config)(max_subscribers=0))
        answer = await doors.post("whep", offer, doors.token("subscribe"))
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("door", "other", "status"),
    [
        ("whip", {"room": "f" * 32}, 404),
        ("whip", {"room": "*"}, 404),
        ("whip", {"source": "*"}, 404),
        ("whip", {"source": "screen"}, 404),
        ("whip", {"role": "subscribe"}, 403),
        ("whep", {"role": "publish"}, 403),
        ("whip", {"role": "owner"}, 401),
    ],
)
async def test_a_token_opens_one_door(doors: Doors, door: str, other: dict[str, str], status: int) -> None:
    token = doors.token(other.pop("role", "publish" if door == "whip" else "subscribe"), **other)
    async with offering(sends=door == "whip") as (_, offer):
        assert (await doors.post(door, offer, token)).status == status


async def test_a_stale_a_forged_and_a_missing_token_open_nothing(doors: Doors) -> None:
    joins, side = doors.site.server.services.joins, doors.side
    stale = joins.issue(Join(side.occurrence, side.lead_side, "lead", "publish", "test"), timedelta(seconds=-1))
    claims = jwt.decode(doors.token(), options={"verify_signature": False})
    forged = jwt.encode(claims, b"k" * 32, algorithm="HS256")
    unsigned = jwt.encode(claims, None, algorithm="none")
    confused = jwt.encode(claims, joins._key * 2, algorithm="HS512")
    elsewhere = jwt.encode(claims | {"aud": "pages"}, joins._key, algorithm="HS256")
    endless = jwt.encode({k: v for k, v in claims.items() if k != "exp"}, joins._key, algorithm="HS256")
    async with offering() as (_, offer):
        for token in (stale, forged, unsigned, confused, elsewhere, endless, "", "x.y.z"):
            answer = await doors.post("whip", offer, token)
            assert (answer.status, (await answer.json())["code"]) == (401, "token_invalid")
            assert "WWW-Authenticate" in answer.headers


async def test_the_address_of_a_session_opens_nothing(doors: Doors) -> None:
    async with doors.publishing() as made:
        address = made.headers["Location"]
        others = [{"side": "e" * 32}, {"room": "f" * 32}, {"source": "screen"}]
        tokens = [("", 401), (doors.token("subscribe"), 404), *((doors.token(**other), 404) for other in others)]
        fragment = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
        for method, (token, status) in product(("DELETE", "PATCH"), tokens):
            headers = {"Content-Type": FRAGMENT, "If-Match": "*"}
            if token:
                headers["Authorization"] = f"Bearer {token}"
            async with doors.client.request(method, address, headers=headers, data=fragment) as answer:
                assert answer.status == status, (method, token)
        (view,) = doors.site.server.services.relay.snapshot(RoomId(doors.side.occurrence)).sessions
        assert made.headers["ETag"] == f'"{view.etag}"', "nor was its ICE restarted"


async def test_turn_servers_are_named_with_credentials_that_expire(site: Site, settings: Settings) -> None:
    known = {"turn_urls": ("turns:turn.example:443",), "turn_secret": SecretStr("s3cret")}
    (server,) = ice_servers(settings.model_copy(update=known), site.server.services.clock, "device:1")
    until, holder = server["username"].split(":", 1)
    assert holder == "device:1"
    assert int(until) > site.server.services.clock.now().timestamp() + 3600
    (link,) = ice_links([server])
    assert link.startswith('<turns:turn.example:443>; rel="ice-server"; username=')
    assert server["credential"] in link
