"""The one file that knows private names of aiortc and pylibsrtp."""

from __future__ import annotations

import ast
import asyncio
import gc
import weakref
from pathlib import Path

import pytest
from aiortc.rtcdtlstransport import RTCDtlsTransport
from waiting import PATIENCE

import media
from media.packets.rtcp import receiver_report
from media.packets.rtp import HEADER
from media.relay import Relay
from media.values import RelayConfig
from media.wire.aiortc_bridge import (
    LONGEST,
    MOST_STREAMS,
    HandshakeFailed,
    Identity,
    SecureChannel,
    Unauthentic,
    missing_names,
)

FOLDER = Path(media.__file__).parent


def test_the_installed_versions_have_every_private_name() -> None:
    assert missing_names() == [], "aiortc or pylibsrtp changed: mend media/wire/aiortc_bridge.py"


async def test_a_name_that_is_gone_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RTCDtlsTransport, "_setup_srtp")
    (sentence,) = missing_names()
    assert sentence.startswith("RTCDtlsTransport has no '_setup_srtp' any more")
    with pytest.raises(RuntimeError, match="_setup_srtp"):
        await Relay(RelayConfig(), lambda event: None).start()


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_only_the_adapter_imports_the_dtls_stack(path: Path) -> None:
    if path.name == "aiortc_bridge.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not [name for name in modules if name.split(".")[0] in ("aiortc", "pylibsrtp", "OpenSSL")]


async def connected_pair() -> tuple[SecureChannel, SecureChannel]:
    ends: dict[str, SecureChannel] = {}
    one, two = Identity(), Identity()
    ends["a"] = SecureChannel(one, server=True, send=lambda d: ends["b"].feed(d), on_closed=lambda: None)
    ends["b"] = SecureChannel(two, server=False, send=lambda d: ends["a"].feed(d), on_closed=lambda: None)
    await asyncio.gather(ends["a"].handshake([two.fingerprint]), ends["b"].handshake([one.fingerprint]))
    return ends["a"], ends["b"]


async def test_packets_are_protected_and_nothing_else_is_taken() -> None:
    a, b = await connected_pair()
    assert a.cipher == b.cipher == "SRTP_AEAD_AES_128_GCM"
    packet = b"\x80\x60\x00\x01" + bytes(8) + b"payload"
    protected = a.protect(packet)
    assert protected is not None
    assert b"payload" not in protected
    assert b.unprotect(protected) == packet
    for bad in (protected, protected[:-1] + b"\0", b"", b"\x80" * 2000, packet):
        with pytest.raises(Unauthentic):
            b.unprotect(bad)
        with pytest.raises(Unauthentic):
            b.unprotect_rtcp(bad)
    assert a.protect(b"\x80" * (LONGEST + 1)) is None
    assert a.protect_rtcp(b"") is None
    await a.close()
    await b.close()
    await b.close()


@pytest.mark.parametrize("size", [1200, 1400, LONGEST - 16])
async def test_whatever_can_come_can_be_given_again(size: int) -> None:
    """A packet that a publisher's SRTP session carries is sent again, and to joiners, like the fan-out sends it."""
    a, b = await connected_pair()
    packet = HEADER.pack(0x80, 96, 1, 0, 7) + bytes(size - HEADER.size)
    came = a.unprotect(b.protect(packet) or b"")
    assert came == packet
    assert b.unprotect(a.protect(came) or b"") == packet
    await a.close()
    await b.close()


async def test_what_openssl_and_libsrtp_hold_is_freed_at_once() -> None:
    """A session and what serves it know each other; the collector sees few objects there, and would let a hundred KiB of each lie."""
    a, b = await connected_pair()
    gc.disable()
    try:
        held = [weakref.ref(a._transport._ssl), weakref.ref(a._transport._rx_srtp), weakref.ref(a._transport._tx_srtp)]
        await a.close()
        assert [gone() for gone in held] == [None, None, None]
    finally:
        gc.enable()
    assert (a.cipher, a.protect(bytes(20))) == ("", None)
    await b.close()


async def test_a_peer_has_only_so_many_streams() -> None:
    a, b = await connected_pair()

    def taken(ssrc: int, sequence: int) -> bool:
        protected = a.protect(HEADER.pack(0x80, 96, sequence, 0, ssrc) + b"payload")
        assert protected is not None
        try:
            return bool(b.unprotect(protected))
        except Unauthentic:
            return False

    assert [taken(ssrc, 1) for ssrc in range(1, 201)] == [True] * MOST_STREAMS + [False] * (200 - MOST_STREAMS)
    assert taken(1, 2), "those it had go on"
    compound = a.protect_rtcp(receiver_report(1000, []))
    assert compound is not None
    with pytest.raises(Unauthentic):
        b.unprotect_rtcp(compound)
    compound = a.protect_rtcp(receiver_report(2, []))
    assert compound is not None
    assert b.unprotect_rtcp(compound)
    await a.close()
    await b.close()


async def test_another_certificate_than_announced_is_refused() -> None:
    ends: dict[str, SecureChannel] = {}
    one, two = Identity(), Identity()
    ends["a"] = SecureChannel(one, server=True, send=lambda d: ends["b"].feed(d), on_closed=lambda: None)
    ends["b"] = SecureChannel(two, server=False, send=lambda d: ends["a"].feed(d), on_closed=lambda: None)
    outcomes = await asyncio.gather(
        ends["a"].handshake([one.fingerprint]), ends["b"].handshake([one.fingerprint]), return_exceptions=True
    )
    assert isinstance(outcomes[0], HandshakeFailed)
    with pytest.raises(Unauthentic):
        ends["a"].unprotect(b"\x80" * 40)
    await ends["a"].close()
    await ends["b"].close()


async def test_a_handshake_gets_through_where_every_datagram_is_lost_once() -> None:
    """Only the very same datagram, sent again, passes: OpenSSL's own retransmissions are always new ones."""
    ends: dict[str, SecureChannel] = {}
    seen: set[bytes] = set()

    def carry(to: str, datagram: bytes) -> None:
        if datagram in seen:
            ends[to].feed(datagram)
        seen.add(datagram)

    one, two = Identity(), Identity()
    ends["a"] = SecureChannel(one, server=True, send=lambda d: carry("b", d), on_closed=lambda: None)
    ends["b"] = SecureChannel(two, server=False, send=lambda d: carry("a", d), on_closed=lambda: None)
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(ends["a"].handshake([two.fingerprint]), ends["b"].handshake([one.fingerprint]))
    protected = ends["a"].protect(b"\x80\x60\x00\x01" + bytes(8) + b"payload")
    assert protected is not None
    assert ends["b"].unprotect(protected).endswith(b"payload")
    count = len(seen)
    await ends["a"].close()
    await ends["b"].close()
    await asyncio.sleep(0.5)
    assert len(seen) - count <= 2, "a closed channel says goodbye and nothing more"
