"""A plain WebRTC peer over one UDP socket: enough to publish to the relay or to subscribe from it.

Used by the synthetic publisher of the demonstration, by tests and by the benchmark. It offers, takes an ICE-lite answer,
checks connectivity, does the DTLS handshake as client, and then carries packets.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

from media.clients.descriptions import EXTENSIONS, PAYLOAD_TYPES, answer, candidate_of, offer
from media.packets import rtcp
from media.signalling.sdp import Offer, parse_offer
from media.wire import stun
from media.wire.aiortc_bridge import Identity, SecureChannel, Unauthentic
from media.wire.ice import Credentials
from media.wire.stun import Address

__all__ = ["EXTENSIONS", "PAYLOAD_TYPES", "Peer"]

CHECK_EVERY, KEEP_ALIVE = 0.1, 2.5
"""Seconds between connectivity checks until one is answered, and after that."""
READS = 32
"""Datagrams read before other work gets its turn."""


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
        self.open(candidate_of(offer_sdp))
        assert self.socket is not None
        return answer(self.identity, self.credentials, remote, self.socket.getsockname()[:2], wanted=wanted)

    async def connect(self, answer_sdp: str, *, patience: float = 10.0, bind: str = "") -> None:
        """Takes what the relay answered (or offered) and comes up. Raises BadOffer, HandshakeFailed, TimeoutError, OSError."""
        self.answer = parse_offer(answer_sdp)
        if self.socket is None:
            self.open(candidate_of(answer_sdp), bind)
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
