"""The only file that knows aiortc's and pylibsrtp's private names.

aiortc's `RTCDtlsTransport` does the DTLS handshake well, but it expects to own an ICE transport with a socket of its own
and to hand out decoded packets. Here it is given a two-method stand-in for ICE, and its SRTP sessions are used directly:
in place, without a copy, through the cffi binding of libsrtp. `missing_names` says which name a new version has dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pylibsrtp
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from pylibsrtp import _binding

log = logging.getLogger(__name__)

QUEUE = 32
"""DTLS datagrams that may wait; a handshake needs about six, so more is a flood and is dropped."""
LONGEST = 1500
"""Bytes of the longest packet, as it comes in protected and before it is protected to go out: an Ethernet frame's payload. Browsers
and OBS send no more than 1,280; what GStreamer's payloaders make by themselves has 1,400."""
MOST_STREAMS = 64
"""SSRCs one peer may use: libsrtp keeps a context for each of them, for as long as the session lasts, and searches them all."""
FIRST_REPEAT = 0.2
"""Seconds until a flight of the handshake is sent again; each further wait is twice as long. OpenSSL's own timer begins at 1 s."""
MOST_REPEATS, LAST_REPEATS = 5, 2
"""Repetitions of a flight, and of the one that ends the handshake, of whose arrival nothing tells."""
LONGEST_FLIGHT = 4
"""Datagrams of a flight that are kept for repetition; the longest, a server's with its certificate, has fewer."""
NO_SESSION_CACHE = 0
"""OpenSSL's SSL_SESS_CACHE_OFF: nobody resumes a DTLS session here, a cache would only grow."""
TRAILER = 148
"""The most that SRTP or SRTCP protection adds."""

ffi: Any = _binding.ffi
"""cffi's `FFI` of the libsrtp binding, for buffers and pointers."""
srtp_protect: Any = _binding.lib.srtp_protect
"""``int srtp_protect(srtp_t, void *packet, int *length)``: in place; 0 when it went well."""
_srtp_protect_rtcp: Any = _binding.lib.srtp_protect_rtcp
_srtp_unprotect: Any = _binding.lib.srtp_unprotect
_srtp_unprotect_rtcp: Any = _binding.lib.srtp_unprotect_rtcp
_memory: Any = ffi.new("unsigned char[]", LONGEST + TRAILER)
"""Where single packets are protected and unprotected: one place for all channels, which live on one event loop, so that it stays in
the processor's cache. Half of what pylibsrtp's own methods cost goes into a new length and checks for each packet."""
_bytes: Any = ffi.buffer(_memory)
_length: Any = ffi.new("int *")


class _NotThere:
    """Stands where a private attribute is missing."""


def missing_names() -> list[str]:
    """A sentence for each private name in use that the installed libraries no longer have; empty when all is well."""
    gone: list[str] = []

    def need(owner: object, name: str, use: str) -> None:
        if getattr(owner, name, _NotThere) is _NotThere:
            label = getattr(owner, "__name__", type(owner).__name__)
            gone.append(f"{label} has no '{name}' any more: media/wire/aiortc_bridge.py needs it {use}.")

    for name, use in (
        ("_setup_srtp", "to derive the SRTP keys after the handshake"),
        ("_recv_next", "to pump DTLS after the handshake"),
        ("_write_ssl", "to flush DTLS flights"),
        ("_set_role", "to choose the DTLS role from the offer"),
    ):
        need(RTCDtlsTransport, name, use)
    need(RTCCertificate, "_create_ssl_context", "to make the TLS context once")
    for name in ("SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"):
        need(rtcdtlstransport, name, "to prefer AES-128-GCM")
    for name in ("srtp_protect", "srtp_protect_rtcp", "srtp_unprotect", "srtp_unprotect_rtcp"):
        need(_binding.lib, name, "to protect and unprotect packets in place")
    probe = RTCDtlsTransport(_IceStandIn(lambda datagram: None), [RTCCertificate.generateCertificate()])  # type: ignore[arg-type] # duck-typed
    for name in ("_rx_srtp", "_tx_srtp", "_srtp_profiles", "_task", "_role", "_ssl"):
        need(probe, name, "on each transport")
    srtp = pylibsrtp.Session()
    need(srtp, "_srtp", "to pass libsrtp's handle to its functions")
    return gone


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Digest of a certificate as SDP carries it, e.g. ``sha-256`` and ``AB:CD:…``."""

    algorithm: str
    value: str


class _Certificate(RTCCertificate):
    """Makes its TLS context once: a context a session would cost a millisecond and tens of kilobytes each."""

    _context: Any = None

    def _create_ssl_context(self, srtp_profiles: list[Any]) -> Any:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            self._context.set_session_cache_mode(NO_SESSION_CACHE)
        return self._context


class Identity:
    """This relay's (or client's) self-signed certificate; one for all its sessions."""

    def __init__(self) -> None:
        self._certificate = _Certificate.generateCertificate()

    @property
    def fingerprint(self) -> Fingerprint:
        """The SHA-256 fingerprint for the SDP."""
        found = next(f for f in self._certificate.getFingerprints() if f.algorithm == "sha-256")
        return Fingerprint(found.algorithm, found.value)

    def transport(self, ice: _IceStandIn) -> RTCDtlsTransport:
        """A DTLS transport that shows this certificate and prefers AES-128-GCM (half the cost of AES-CM with SHA-1)."""
        transport = RTCDtlsTransport(ice, [self._certificate])  # type: ignore[arg-type] # duck-typed on purpose
        transport._srtp_profiles = [
            profile
            for profile in (rtcdtlstransport.SRTP_AEAD_AES_128_GCM, rtcdtlstransport.SRTP_AES128_CM_SHA1_80)
            if profile in rtcdtlstransport.SRTP_PROFILES
        ]
        return transport


class _IceStandIn:
    """What `RTCDtlsTransport` uses of an ICE transport.

    It also sends the last flight of the handshake again, the very same datagrams, until the next flight is sent. A lost datagram so
    arrives after all, and a receiver drops one that it has, as it drops what a network duplicates (RFC 6347 §4.1.2.6).
    """

    role = "controlled"
    state = "completed"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._forward = send
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)
        self._flight: list[bytes] = []
        self._heard = True
        self._repeats_left = 0
        self._wait = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._over = False

    async def _recv(self) -> bytes:
        datagram = await self.queue.get()
        if datagram is None:
            raise ConnectionError
        self._heard = True
        return datagram

    async def _send(self, datagram: bytes) -> None:
        self._forward(datagram)
        if self._over:
            return
        if self._heard:
            self._heard = False
            self._flight.clear()
            self._repeats_left, self._wait = MOST_REPEATS, FIRST_REPEAT
            self._repeat_later()
        self._flight.append(datagram)
        del self._flight[:-LONGEST_FLIGHT]

    def _repeat_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._wait, self._repeat)

    def _repeat(self) -> None:
        self._timer = None
        if self._repeats_left <= 0:
            self._flight.clear()
            return
        for datagram in self._flight:
            self._forward(datagram)
        self._repeats_left -= 1
        self._wait *= 2
        self._repeat_later()

    def finish(self, *, awaited: bool) -> None:
        """The handshake is done; the last flight is repeated a little longer where the peer still needs it (`awaited`)."""
        self._over = True
        self._repeats_left = min(self._repeats_left, LAST_REPEATS) if awaited else 0

    def close(self) -> None:
        """Repeats nothing any more."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class HandshakeFailed(Exception):
    """DTLS could not be agreed, or the peer's certificate is not the one in its SDP."""


class Unauthentic(Exception):
    """An SRTP or SRTCP packet that does not carry a valid tag, or was seen before."""


class SecureChannel:
    """DTLS-SRTP with one peer over datagrams that somebody else carries.

    `send` must put a datagram on the wire and not raise. `on_closed` is called once when the peer ends DTLS.
    """

    def __init__(
        self, identity: Identity, *, server: bool, send: Callable[[bytes], None], on_closed: Callable[[], None]
    ) -> None:
        self._ice = _IceStandIn(send)
        self._transport = identity.transport(self._ice)
        self._transport._set_role("server" if server else "client")
        self._on_closed = on_closed
        self._streams: set[bytes] = set()
        """SSRCs of authentic packets."""
        self.handle: Any = None
        """libsrtp's sender handle for `srtp_protect`; None but between handshake and close."""
        self._receiver: Any = None
        """libsrtp's other handle, for what comes from the peer."""

    def feed(self, datagram: bytes) -> None:
        """Takes a DTLS datagram (first byte 20 to 63) from the peer's proved address; drops it when too many wait."""
        if not self._ice.queue.full():
            self._ice.queue.put_nowait(datagram)

    async def handshake(self, fingerprints: Iterable[Fingerprint]) -> None:
        """Agrees keys with the peer that holds one of these certificates. Raises HandshakeFailed."""
        known = [RTCDtlsFingerprint(f.algorithm, f.value) for f in fingerprints]
        await self._transport.start(RTCDtlsParameters(fingerprints=known))
        if self._transport.state != "connected":
            raise HandshakeFailed(self._transport.state)
        self._ice.finish(awaited=self._transport._role == "server")
        self.handle = self._transport._tx_srtp._srtp[0]
        self._receiver = self._transport._rx_srtp._srtp[0]
        pump = self._transport._task
        assert pump is not None
        pump.add_done_callback(self._pump_ended)

    def _pump_ended(self, pump: asyncio.Future[None]) -> None:
        if pump.cancelled():
            return
        if (error := pump.exception()) is not None:
            log.warning("dtls_pump_failed %r", error)
        self._on_closed()

    @property
    def cipher(self) -> str:
        """The SRTP profile agreed, e.g. ``SRTP_AEAD_AES_128_GCM``; empty before."""
        ssl = self._transport._ssl
        name = ssl.get_selected_srtp_profile() if ssl is not None and self.handle is not None else b""
        return bytes(name).decode()

    def unprotect(self, packet: bytes) -> bytes:
        """The RTP packet inside. Raises Unauthentic."""
        return self._unprotected(_srtp_unprotect, packet, packet[8:12])

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """The RTCP compound inside. Raises Unauthentic."""
        return self._unprotected(_srtp_unprotect_rtcp, packet, packet[4:8])

    def _unprotected(self, function: Any, packet: bytes, ssrc: bytes) -> bytes:
        size, known = len(packet), ssrc in self._streams
        if self._receiver is None or size > LONGEST or (not known and len(self._streams) >= MOST_STREAMS):
            raise Unauthentic
        _bytes[0:size] = packet
        _length[0] = size
        if function(self._receiver, _memory, _length):
            raise Unauthentic
        if not known:
            self._streams.add(ssrc)
        plain: bytes = _bytes[0 : _length[0]]
        return plain

    def protect(self, packet: bytes) -> bytes | None:
        """The RTP packet, protected; None where it cannot be. For single packets: the fan-out protects in place."""
        return self._protected(srtp_protect, packet)

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        """The RTCP compound, protected; None where it cannot be."""
        return self._protected(_srtp_protect_rtcp, packet)

    def _protected(self, function: Any, packet: bytes) -> bytes | None:
        size = len(packet)
        if self.handle is None or size > LONGEST:
            return None
        _bytes[0:size] = packet
        _length[0] = size
        if function(self.handle, _memory, _length):
            return None
        protected: bytes = _bytes[0 : _length[0]]
        return protected

    async def close(self) -> None:
        """Says goodbye to the peer (close_notify) and ends the pump. May be called at any time, more than once."""
        self._on_closed = lambda: None
        pump = self._transport._task
        self._ice.close()
        await self._transport.stop()
        if pump is not None:
            await asyncio.wait({pump}, timeout=1)
        self.handle = self._receiver = None
        # OpenSSL and libsrtp hold a hundred KiB, which must not wait until the garbage collector, that sees a few small objects, comes
        self._transport._ssl = self._transport._rx_srtp = self._transport._tx_srtp = None  # type: ignore[assignment] # ended
