"""What a form may make this server connect to: the operator's list, and no way around it."""

from __future__ import annotations

import ipaddress

import pytest

from media.encoders.addresses import Allowed, parse_url, pin
from media.encoders.guard import BadSignalling, Reader
from media.encoders.values import EncoderRefused, Reason

LISTED = Allowed((ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd00:20::/32")), frozenset({554, 8554}))
WIDE = Allowed((ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")), frozenset({554}))


async def refusal(url: str, allowed: Allowed, names: dict[str, list[str]] | None = None) -> Reason | str:
    """Why an address is refused, or where the connection would go."""

    async def resolve(name: str) -> list[str]:
        if names is None or name not in names:
            raise OSError(name)
        return names[name]

    try:
        return await pin(parse_url(url), allowed, resolve)
    except EncoderRefused as refused:
        return refused.reason


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "http://10.20.1.5/",
        "concat:rtsp://10.20.1.5/a|file:///etc/passwd",
        "rtsps://10.20.1.5/",
        "rtsp://",
        "rtsp:///stream",
        "rtsp://2130706433/stream",  # 127.0.0.1 as one number
        "rtsp://0x7f000001/stream",
        "rtsp://0177.0.0.1/stream",
        "rtsp://127.1/stream",
        "rtsp://10.20.1.5@127.0.0.1@10.20.1.5/",
        "rtsp://10.20.1.5\\@127.0.0.1/",
        "rtsp://10.20.1.5/a\r\nDESCRIBE rtsp://x",
        "rtsp://10.20.1.5/#@127.0.0.1",
        "rtsp://10.20.1.5:99999/",
        "rtsp://[fe80::1%25eth0]/",
        "rtsp://10.20.1.5:6379/",
        "rtsp://10.21.0.1/",
        "rtsp://127.0.0.1/",
        "rtsp://[::1]/",
        "rtsp://0.0.0.0/",
        "rtsp://169.254.169.254/latest",
        "rtsp://[::ffff:127.0.0.1]/",
        "rtsp://" + "a" * 600,
    ],
)
async def test_what_is_not_listed_is_refused(url: str) -> None:
    assert await refusal(url, LISTED) == "address_refused"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "[::1]", "0.0.0.0", "169.254.169.254", "100.100.100.200", "224.0.0.1", "255.255.255.255",
        "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[fe80::1]", "[ff02::1]", "[2002:7f00:1::]", "[::]",
    ],
)  # fmt: skip
async def test_a_wide_network_opens_nothing_of_this_machine(host: str) -> None:
    assert await refusal(f"rtsp://{host}/", WIDE) == "address_refused"


async def test_a_listed_address_is_where_the_connection_goes() -> None:
    assert await refusal("rtsp://cam:secret@10.20.1.5:8554/main?channel=1", LISTED) == "10.20.1.5"
    assert await refusal("rtsp://[fd00:20::7]/", LISTED) == "fd00:20::7"
    assert (
        await refusal("rtsp://Room-3.Xiaoxue.example/1", LISTED, {"room-3.xiaoxue.example": ["10.20.3.3"]})
        == "10.20.3.3"
    )
    loopback = Allowed((ipaddress.ip_network("127.0.0.1/32"),))
    assert await refusal("rtsp://127.0.0.1/", loopback) == "127.0.0.1", "an operator may name it"


async def test_every_address_of_a_name_must_be_listed() -> None:
    names = {"room.example": ["10.20.3.3", "127.0.0.1"], "meta.example": ["169.254.169.254"]}
    assert await refusal("rtsp://room.example/", LISTED, names) == "address_refused"
    assert await refusal("rtsp://meta.example/", WIDE, names) == "address_refused"
    assert await refusal("rtsp://nowhere.example/", LISTED, names) == "unreachable"


def test_name_and_password_stay_out_of_texts() -> None:
    url = parse_url("rtsp://cam:s%40cret@10.20.1.5/main?token=hidden")
    assert url.shown() == "rtsp://10.20.1.5/main"
    assert "cret" not in repr(url)
    assert parse_url("rtsp://10.20.1.5/user=a_password=secret_channel=1.sdp").shown() == "rtsp://10.20.1.5/…"
    assert url.full() == "rtsp://cam:s%40cret@10.20.1.5:554/main?token=hidden"
    assert parse_url(url.full()) == url


HELLO = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nv=0"
DATA = b"$\x00\x00\x04abcd"


def test_the_guard_passes_whole_answers_and_data_however_they_are_cut() -> None:
    whole = HELLO + DATA + DATA + HELLO
    for size in (1, 2, 3, 7, 1000):
        reader = Reader()
        assert b"".join(reader.take(whole[at : at + size]) for at in range(0, len(whole), size)) == whole


@pytest.mark.parametrize(
    "octets",
    [
        b"RTSP/1.0 302 Moved\r\nLocation: rtsp://127.0.0.1/\r\n\r\n",
        HELLO + DATA + b"RTSP/1.0  301 Moved\r\nLocation: rtsp://127.0.0.1/\r\n\r\n",
        b"REDIRECT rtsp://127.0.0.1/ RTSP/1.0\r\nCSeq: 2\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"RTSP/1.0 0302 Moved\r\nLocation: rtsp://127.0.0.1/\r\n\r\n",
        b"RTSP/1.0 +302 Moved\r\nLocation: rtsp://127.0.0.1/\r\n\r\n",
        b"RTSP/1.00 302 Moved\r\nLocation: rtsp://127.0.0.1/\r\n\r\n",
        b"RTSP/1.0 200 OK\nCSeq: 1\n\nRTSP/1.0 302 Moved\nLocation: rtsp://127.0.0.1/\n\n\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length : 9\r\n\r\nRTSP/1.0 ",
        b"RTSP/1.0 200 OK\r\n$\0\0\x40: 7\r\n\r\n",
        b"\x00" * 20_000,
    ],
)
def test_the_guard_ends_what_leads_elsewhere_or_never_ends(octets: bytes) -> None:
    with pytest.raises(BadSignalling):
        Reader().take(octets)
