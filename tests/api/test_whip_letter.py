"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) to the letter: one table of requests with what each must be told."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest
from api_world import Site
from media_doors import Doors, offering
from pydantic import SecretStr
from waiting import PATIENCE, SOON, until

from api.media import FRAGMENT, SDP
from config.settings import Settings

pytestmark = pytest.mark.parametrize("database", ["sqlite"])

PAGE = {"Origin": "https://studio.example"}
CANDIDATES = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n{credentials}"
    "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n"
    "a=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\n"
    "a=candidate:3 1 udp 2122260223 4c1f-bomb.local 61764 typ host\r\n"
    "a=candidate:4 1 udp 2122260223 169.254.169.254 80 typ host\r\n"
    "a=end-of-candidates\r\n"
)
NEW = "a=ice-ufrag:{0}\r\na=ice-pwd:{0}0123456789012345678901\r\n"


class Row(NamedTuple):
    """A request and its answer. `headers` must be in the answer; a value that ends in `*` is a beginning."""

    method: str
    status: int
    headers: dict[str, str] = {}  # noqa: RUF012 # never changed
    send: dict[str, str] = {}  # noqa: RUF012 # never changed
    body: str = ""
    token: str | None = "own"
    code: str = ""


async def differences(doors: Doors, address: str, role: str, rows: list[Row]) -> list[str]:
    """What is not as the table says."""
    found = []
    for row in rows:
        headers = {"Authorization": f"Bearer {doors.token(role)}"} if row.token == "own" else {}
        async with doors.client.request(row.method, address, data=row.body, headers=headers | row.send) as answer:
            told: dict[str, Any] = {"status": answer.status}
            wanted: dict[str, Any] = {"status": row.status}
            for name, value in row.headers.items():
                got = answer.headers.get(name, "-")
                told[name], wanted[name] = got, got if value.endswith("*") and got.startswith(value[:-1]) else value
            if row.code:
                told["code"], wanted["code"] = (await answer.json())["code"], row.code
            if told != wanted:
                found.append(f"{row.method} {row.send} {row.body[:60]!r}: {told}, not {wanted}")
    return found


async def test_an_endpoint_to_the_letter(doors: Doors) -> None:
    """201, 400, 401, 405, 406, 409, 415; OPTIONS; preflight."""
    async with offering() as (_, offer), offering(sends=False) as (_, request):
        typed = {"Content-Type": SDP}
        two = offer.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + offer[
            offer.index("m=audio") : offer.index("m=video")
        ].replace("mid:0", "mid:2")
        alien = offer.replace("H264/90000", "H999/90000").replace("VP8/90000", "VP99/90000")
        common = [
            *(Row(method, 405, {"Allow": "OPTIONS,POST"}) for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE")),
            Row("OPTIONS", 200, {"Accept-Post": SDP, "Allow": "POST, OPTIONS", "Link": "-"}, token=None),
            Row("OPTIONS", 401, token=None, send={"Authorization": "Bearer nonsense"}),
            Row(
                "OPTIONS",
                200,
                {
                    "Access-Control-Allow-Origin": "*",
                    "Access-Control-Allow-Methods": "POST",
                    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
                },
                PAGE | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"},
                token=None,
            ),
            Row("POST", 401, {"WWW-Authenticate": "Bearer*", "Access-Control-Allow-Origin": "*"}, typed, token=None),
            Row("POST", 415, {}, {"Content-Type": "text/plain"}, offer, code="wrong_type"),
            Row("POST", 415, {}, {"Content-Type": FRAGMENT}, offer),
            Row("POST", 400, {"Access-Control-Allow-Origin": "*"}, typed | PAGE, "v=0\r\n", code="bad_offer"),
            Row("POST", 400, {}, typed, offer[: len(offer) // 3]),
        ]
        whip = [
            Row("POST", 400, {}, typed, request, code="bad_offer"),
            Row("POST", 406, {}, typed, alien, code="nothing_in_common"),
            Row("POST", 406, {}, typed, two, code="nothing_in_common"),
            Row("POST", 201, {"Location": "/media/*", "ETag": '"*', "Content-Type": "application/sdp*"}, typed, offer),
            Row("POST", 201, {}, {"Content-Type": "application/sdp; charset=utf-8"}, offer),
            Row("POST", 201, {"Access-Control-Expose-Headers": "Location, ETag, Link*"}, {"Content-Type": "Application/SDP"} | PAGE, offer),
        ]  # fmt: skip
        whep = [
            Row("POST", 409, {"Retry-After": "2"}, typed, request, code="no_publisher"),
        ]
        place = f"{doors.side.occurrence}/lead"
        assert await differences(doors, f"/whep/{place}", "subscribe", common + whep) == []
        assert await differences(doors, f"/whip/{place}", "publish", common + whip) == []


@pytest.mark.parametrize("door", ["whip", "whep"])
async def test_a_session_to_the_letter(doors: Doors, door: str) -> None:
    """204, 200 with a new ETag, 400, 404, 405, 412, 415, 428; what fails ends nothing; the end is the end."""
    role = {"whip": "publish", "whep": "subscribe"}[door]
    async with doors.publishing() as made, offering(sends=False) as (_, request):
        if door == "whep":
            made = await doors.post("whep", request, doors.token("subscribe"))
            assert made.status == 201
        address, first = made.headers["Location"], made.headers["ETag"]
        lines = request.splitlines() if door == "whep" else []
        own = "".join(f"{line}\r\n" for line in dict.fromkeys(lines) if line.startswith(("a=ice-ufrag", "a=ice-pwd")))
        typed = {"Content-Type": FRAGMENT}
        trickle = CANDIDATES.format(credentials=own)

        def restarting(name: str) -> str:
            return CANDIDATES.format(credentials=NEW.format(name))

        rows = [
            *(Row(method, 405, {"Allow": "DELETE,OPTIONS,PATCH"}) for method in ("GET", "HEAD", "POST", "PUT")),
            Row("OPTIONS", 200, {"Accept-Patch": FRAGMENT, "Allow": "PATCH, DELETE, OPTIONS"}, token=None),
            Row(
                "OPTIONS",
                200,
                {"Access-Control-Allow-Methods": "PATCH, DELETE", "Access-Control-Allow-Origin": "*"},
                PAGE | {"Access-Control-Request-Method": "PATCH"},
                token=None,
            ),
            Row("PATCH", 401, {}, typed | {"If-Match": first}, trickle, token=None),
            Row("PATCH", 428, {"Access-Control-Allow-Origin": "*"}, typed | PAGE, trickle, code="etag_needed"),
            Row("PATCH", 428, {}, typed | {"If-Match": " "}, trickle),
            Row("PATCH", 412, {}, typed | {"If-Match": '"other"'}, trickle, code="etag_mismatch"),
            Row("PATCH", 412, {}, typed | {"If-Match": f"W/{first}"}, trickle),
            Row("PATCH", 412, {}, typed | {"If-Match": first.strip('"')}, trickle),
            Row("PATCH", 415, {}, {"Content-Type": SDP, "If-Match": first}, trickle),
            Row("PATCH", 204, {"ETag": "-"}, typed | {"If-Match": first}, trickle),
            Row("PATCH", 204, {}, {"Content-Type": f"{FRAGMENT}; charset=utf-8", "If-Match": f'"a", {first}'}, trickle),
            Row("PATCH", 400, {}, typed | {"If-Match": first}, "nonsense", code="bad_offer"),
            Row("PATCH", 400, {}, typed | {"If-Match": first}, "a=ice-ufrag:abcd\r\n"),
            Row("PATCH", 400, {}, typed | {"If-Match": "*"}, "a=end-of-candidates\r\n"),
            Row("PATCH", 204, {}, typed | {"If-Match": first}, "a=end-of-candidates\r\n"),
        ]
        assert await differences(doors, address, role, rows) == []
        etags = [first]
        for matching in ("*", '"*"', "the last"):  # other credentials under the right ETag are a restart as well
            headers = typed | {"Authorization": f"Bearer {doors.token(role)}"}
            headers["If-Match"] = etags[-1] if matching == "the last" else matching
            body = restarting(f"new{len(etags)}")
            async with doors.client.patch(address, data=body, headers=headers) as answer:
                assert (answer.status, answer.content_type) == (200, FRAGMENT), matching
                etags.append(answer.headers["ETag"])
                told = await answer.text()
                assert "a=ice-ufrag:" in told
                assert "a=candidate:" in told
        assert len(set(etags)) == 4
        rows = [
            Row("PATCH", 412, {}, typed | {"If-Match": first}, trickle),
            Row("PATCH", 204, {}, typed | {"If-Match": etags[-1]}, restarting("new3")),
            Row("DELETE", 401, {}, token=None),
            Row("DELETE", 200, {"Access-Control-Allow-Origin": "*"}, {"If-Match": '"stale"'} | PAGE),
            Row("DELETE", 404, {}, code="not_found"),
            Row("PATCH", 404, {}, typed | {"If-Match": etags[-1]}, trickle),
        ]
        assert await differences(doors, address, role, rows) == []


async def test_a_page_that_leaves_is_told_so_once(doors: Doors) -> None:
    """Its goodbye by DTLS comes first, and its DELETE a moment later: 200 as if it were still there; nobody else's, and only once."""
    relay = doors.site.server.services.relay
    async with doors.publishing() as made:
        pass
    address = made.headers["Location"]
    await until(lambda: not relay.totals().publishers, seconds=SOON)
    rows = [
        Row("PATCH", 404, {}, {"Content-Type": FRAGMENT, "If-Match": "*"}, "a=end-of-candidates\r\n"),
        Row("DELETE", 404, {}, {"Authorization": f"Bearer {doors.token('subscribe')}"}, token=None),
        Row("DELETE", 200, {}),
        Row("DELETE", 404, {}, code="not_found"),
    ]
    assert await differences(doors, address, "publish", rows) == []


async def test_obs_is_content(doors: Doors) -> None:
    """OBS 30: no candidates in the offer, bearer token, exactly 201 with a body and a Location, never a PATCH, DELETE 200."""
    async with offering() as (peer, offer):
        made = await doors.post("whip", offer, doors.token())
        assert made.status == 201
        answer = await made.text()
        assert answer.startswith("v=0\r\n")
        assert "a=end-of-candidates" in answer
        await asyncio.wait_for(peer.connect(answer), PATIENCE)
        headers = {"Authorization": f"Bearer {doors.token()}"}
        async with doors.client.delete(made.headers["Location"], headers=headers) as ended:
            assert ended.status == 200


async def test_a_full_relay_and_one_crowded_address(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with Retry-After; one address may not hold all places of those who never finish."""
    relay = doors.site.server.services.relay
    typed = {"Content-Type": SDP}
    place = f"/whip/{doors.side.occurrence}/lead"
    async with offering() as (_, offer):
        for limits in ({"max_publishers": 0}, {"max_unfinished": 0}, {"max_unfinished_per_origin": 0}):
            monkeypatch.setattr(relay, "config", type(relay.config)(**limits))
            row = Row("POST", 503, {"Retry-After": "5"}, typed, offer, code="overloaded")
            assert await differences(doors, place, "publish", [row]) == [], limits


@pytest.fixture
def settings(store_url: str, tmp_path: Any, request: pytest.FixtureRequest) -> Settings:
    """With TURN servers where the test asks for them."""
    known: dict[str, Any] = {}
    if "ice" in request.node.name:
        known = {"turn_urls": ("turn:t.example?transport=tcp", "turns:t.example:443"), "turn_secret": SecretStr("s")}
    return Settings(data_dir=tmp_path / "data", database_url=store_url, port=0, log_level="error", **known)


async def test_ice_servers_are_named_to_who_holds_a_token(site: Site, doors: Doors) -> None:
    """RFC 9725 §4.6: in the 201; before the offer too, but not to a preflight, which has no token."""
    async with offering() as (_, offer):
        made = await doors.post("whip", offer, doors.token())
    place = f"/whip/{doors.side.occurrence}/lead"
    headers = {"Authorization": f"Bearer {doors.token()}"}
    async with doors.client.options(place, headers=headers) as asked:
        links = [made.headers.getall("Link"), asked.headers.getall("Link")]
    for each in links:
        assert [link.partition(">")[0] for link in each] == ["<turn:t.example?transport=tcp", "<turns:t.example:443"]
        assert all('rel="ice-server"' in link and 'credential-type="password"' in link for link in each)
    preflight = headers | PAGE | {"Access-Control-Request-Method": "POST"}
    for strangers in ({}, preflight):
        async with doors.client.options(place, headers=strangers) as answer:
            assert "Link" not in answer.headers
