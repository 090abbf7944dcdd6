"""A plain WebRTC peer over one UDP socket: enough to publish to the relay or to subscribe from it.

Used by the synthetic publisher of the demonstration, by tests and by the benchmark. It offers, takes an ICE-lite answer,
checks connectivity, does the DTLS handshake as client, and then carries packets.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Sequence

from media.packets import rtcp
from media.signalling.negotiation import MID, REPAIRED_RID, RID
from media.signalling.sdp import Offer, parse_offer
from media.wire import stun
from media.wire.aiortc_bridge import HandshakeFailed, Identity, SecureChannel, Unauthentic
from media.wire.ice import Credentials
from media.wire.stun import Address

CHECK_EVERY, KEEP_ALIVE = 0.1, 2.5
READS = 32
PAYLOAD_TYPES = {"OPUS": 111, "H264": 102, "VP8": 96}
"""What this peer offers; RTX is one more."""
EXTENSIONS = {MID: 4, RID: 10, REPAIRED_RID: 11}
"""Header extensions it offers with simulcast."""
_CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", re.MULTILINE | re.IGNORECASE)
_FORMATS = {
    "OPUS": "opus/48000/2",
    "H264": "H264/90000",
    "VP8": "VP8/90000",
}


def offer(
    identity: Identity,
    credentials: Credentials,
    *,
    sends: bool,
    video: Sequence[str] = ("H264", "VP8"),
    rtx: bool = False,
    rids: Sequence[str] = (),
) -> str:
    """An offer of one audio and, where `video` names codecs, one video section, in one layer for each rid: as a publisher, or
    as an edge that takes all layers there are."""
    kinds = ["audio", "video"] if video else ["audio"]
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(map(str, range(len(kinds)))),
    ]
    for mid, kind in enumerate(kinds):
        names = ("OPUS",) if kind == "audio" else tuple(video)
        types = [str(t) for name in names for t in _types(name, rtx)]
        lines += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {' '.join(types)}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            "a=rtcp-mux",
            "a=sendonly" if sends else "a=recvonly",
            f"a=ice-ufrag:{credentials.fragment}",
            f"a=ice-pwd:{credentials.password}",
            f"a=fingerprint:{identity.fingerprint.algorithm} {identity.fingerprint.value}",
            "a=setup:actpass",
            *(line for name in names for line in _codec(name, rtx)),
            *(_simulcast(rids, "send" if sends else "recv") if kind == "video" and rids else ()),
        ]
    return "\r\n".join(lines) + "\r\n"


def answer(
    identity: Identity, credentials: Credentials, remote: Offer, candidate: Address, *, wanted: Sequence[str]
) -> str:
    """An ICE-lite peer's answer, to receive only: of each section of the offer the first of the wanted codecs."""
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE " + " ".join(section.mid for section in remote.sections),
    ]
    for section in remote.sections:
        codec = next(codec for codec in section.codecs if codec.name in wanted)
        lines += [
            f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {codec.payload_type}",
            f"c=IN IP4 {candidate[0]}",
            f"a=mid:{section.mid}",
            "a=rtcp-mux",
            "a=recvonly",
            f"a=ice-ufrag:{credentials.fragment}",
            f"a=ice-pwd:{credentials.password}",
            f"a=fingerprint:{identity.fingerprint.algorithm} {identity.fingerprint.value}",
            "a=setup:active",
            f"a=rtpmap:{codec.payload_type} {_FORMATS[codec.name]}",
            f"a=candidate:1 1 udp 2130706431 {candidate[0]} {candidate[1]} typ host",
        ]
    return "\r\n".join(lines) + "\r\n"


def _simulcast(rids: Sequence[str], way: str) -> list[str]:
    extensions = [f"a=extmap:{number} {uri}" for uri, number in EXTENSIONS.items()]
    return [*extensions, *(f"a=rid:{rid} {way}" for rid in rids), f"a=simulcast:{way} {';'.join(rids)}"]


def _types(name: str, rtx: bool) -> list[int]:
    first = PAYLOAD_TYPES[name]
    return [first, first + 1] if rtx and name != "OPUS" else [first]


def _codec(name: str, rtx: bool) -> list[str]:
    first, *repair = _types(name, rtx)
    lines = [f"a=rtpmap:{first} {_FORMATS[name]}", f"a=rtcp-fb:{first} nack"]
    if name != "OPUS":
        lines.append(f"a=rtcp-fb:{first} nack pli")
    if name == "H264":
        lines.append(f"a=fmtp:{first} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")
    for kind in repair:
        lines += [f"a=rtpmap:{kind} rtx/90000", f"a=fmtp:{kind} apt={first}"]
    return lines


def _candidate(sdp: str) -> Address:
    """Where the other side listens."""
    found = _CANDIDATE.search(sdp)
    if found is None:
        raise HandshakeFailed("the description has no candidate")
    return found[1], int(found[2])


class Peer:
    """One connection. `on_rtp` gets protected packets as they came (count or unprotect them), valid during the call only;
    `on_rtcp` what an authentic compound says; `on_lost` that the relay ended the connection."""

    def __init__(
        self,
        identity: Identity | None = None,
        *,
        on_rtp: Callable[[memoryview], None] = lambda packet: None,
        on_rtcp: Callable[[rtcp.Feedback], None] = lambda feedback: None,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.identity = identity if identity is not None else Identity()
        self.credentials = Credentials.fresh()
        self.on_rtp, self._on_rtcp, self._on_lost = on_rtp, on_rtcp, on_lost
        self.answer: Offer | None = None
        self.checks_answered = 0
        self._lite = False
        self._buffer = bytearray(2048)
        self._view = memoryview(self._buffer)
        self._proved = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._reading = False
        self.socket: socket.socket | None = None
        self.channel = SecureChannel(self.identity, server=False, send=self.send, on_closed=self._closed)

    def offer(
        self,
        *,
        sends: bool,
        video: Sequence[str] = ("H264", "VP8"),
        rtx: bool = False,
        rids: Sequence[str] = (),
    ) -> str:
        """This peer's offer."""
        return offer(self.identity, self.credentials, sends=sends, video=video, rtx=rtx, rids=rids)

    def answer_to(self, offer_sdp: str, *, wanted: Sequence[str] = ("OPUS", "H264", "VP8")) -> str:
        """This peer's answer to an offer to send; then `connect` with that same offer. As answerer it is ICE-lite: the
        other side checks the connectivity. Raises BadOffer, HandshakeFailed where the offer has no candidate, OSError."""
        remote = parse_offer(offer_sdp)
        self._lite = True
        self.open(_candidate(offer_sdp))
        assert self.socket is not None
        return answer(self.identity, self.credentials, remote, self.socket.getsockname()[:2], wanted=wanted)

    async def connect(self, answer_sdp: str, *, patience: float = 10.0, bind: str = "") -> None:
        """Takes what the relay answered (or offered) and comes up. Raises BadOffer, HandshakeFailed, TimeoutError, OSError."""
        self.answer = parse_offer(answer_sdp)
        if self.socket is None:
            self.open(_candidate(answer_sdp), bind)
        self._keeper = asyncio.create_task(self._keep(), name="media-peer-keeper")
        try:
            async with asyncio.timeout(patience):
                await self._proved.wait()
                await self.channel.handshake(self.answer.fingerprints)
        except BaseException:
            await self.close()
            raise

    def open(self, address: Address, bind: str = "") -> None:
        """Uses a (new) socket towards the relay; on a living connection this is what a changed NAT mapping looks like."""
        if self.socket is not None:
            self._stop_reading()
            self.socket.close()
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if bind:
            self.socket.bind((bind, 0))
        self.socket.connect(address)
        self._reading = True
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self.drain)

    def _stop_reading(self) -> None:
        if self._reading and self.socket is not None:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self.socket.fileno())

    def hand_over_reading(self) -> int:
        """Stops reading by the event loop; the caller calls `drain` when the returned descriptor is readable."""
        self._stop_reading()
        assert self.socket is not None
        return self.socket.fileno()

    async def _keep(self) -> None:
        """Checks connectivity until proved, then keeps consent alive."""
        while True:
            self.check()
            await asyncio.sleep(KEEP_ALIVE if self._proved.is_set() else CHECK_EVERY)

    def check(self) -> None:
        """Sends one connectivity check."""
        if self.answer is not None and not self._lite:
            self.send(
                stun.request(
                    addressee=self.answer.fragment, sender=self.credentials.fragment, password=self.answer.password
                )
            )

    def send(self, datagram: bytes) -> None:
        """Puts a datagram on the wire as it is."""
        if self.socket is not None:
            try:
                self.socket.send(datagram)
            except OSError:  # full, or nobody listens at the moment; UDP promises nothing
                return

    def send_rtp(self, packet: bytes) -> None:
        """Protects and sends a packet."""
        if (protected := self.channel.protect(packet)) is not None:
            self.send(protected)

    def send_rtcp(self, compound: bytes) -> None:
        """Protects and sends a compound."""
        if (protected := self.channel.protect_rtcp(compound)) is not None:
            self.send(protected)

    def drain(self) -> None:
        """Reads what has come, a bounded number of datagrams."""
        if self.socket is None:
            return
        receive, buffer, view = self.socket.recv_into, self._buffer, self._view
        for _ in range(READS):
            try:
                size = receive(buffer)
            except BlockingIOError:
                return
            except OSError:  # an ICMP answer; the next read is about the next datagram
                continue
            if size < 12:
                continue
            first = buffer[0]
            if first >= 128 and not 192 <= buffer[1] <= 223:
                self.on_rtp(view[:size])
            else:
                self._control(bytes(view[:size]))

    def take(self, datagram: bytes) -> None:
        """Takes one datagram that somebody else has read from the socket."""
        if len(datagram) < 12:
            return
        if datagram[0] >= 128 and not 192 <= datagram[1] <= 223:
            self.on_rtp(memoryview(datagram))
        else:
            self._control(datagram)

    def _control(self, datagram: bytes) -> None:
        first = datagram[0]
        if first < 4:
            binding = stun.parse(datagram)
            if binding is not None and self._lite and binding.kind == stun.REQUEST:
                self._checked(binding)
            elif binding is not None and self.answer is not None and binding.authentic(self.answer.password):
                self.checks_answered += 1
                self._proved.set()
        elif first < 64:
            self.channel.feed(datagram)
        else:
            try:
                self._on_rtcp(rtcp.parse(self.channel.unprotect_rtcp(datagram)))
            except Unauthentic:
                return

    def _checked(self, binding: stun.Binding) -> None:
        """A check of the other side, which this peer answers where it is ICE-lite."""
        if self.socket is not None and binding.authentic(self.credentials.password):
            self.send(stun.response(binding.transaction, self.socket.getpeername()[:2], self.credentials.password))
            self._proved.set()

    def _closed(self) -> None:
        self._on_lost()

    async def close(self, *, silently: bool = False) -> None:
        """Ends the connection; `silently` as a peer that lost its power, without a word to the relay."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
            self._keeper = None
        if silently and self.socket is not None:
            self._stop_reading()
            self.socket.close()
            self.socket = None
        await self.channel.close()
        if self.socket is not None:
            self._stop_reading()
            self.socket.close()
            self.socket = None
