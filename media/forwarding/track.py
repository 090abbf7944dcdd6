"""An outgoing track: the picture or the sound of a source, as one stream to each subscriber and in one or more layers."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from media.forwarding.layer import Layer
from media.signalling.negotiation import Stream
from media.values import Kind
from media.wire.udp import UdpPort

RATES: dict[Kind, int] = {"audio": 48_000, "video": 90_000}


class OutgoingTrack:
    """Its SSRCs are the same for all subscribers and on all layers, and stay when the publisher comes back, so that
    subscribers go on without negotiating anew. The best layer is always the same object; lower ones come and go with what
    publishers send."""

    def __init__(self, kind: Kind, port: UdpPort) -> None:
        self.kind = kind
        self.rate = RATES[kind]
        self.ssrc = secrets.randbits(31) | 1
        self.rtx_ssrc = self.ssrc + 1
        self.codec = ""
        """Codec of the present publisher; empty before the first."""
        self._port = port
        self.layers: tuple[Layer, ...] = (self._layer(),)
        """Lowest first, never empty."""

    def _layer(self) -> Layer:
        return Layer(self.kind, self.rate, self._port)

    @property
    def best(self) -> Layer:
        """The top layer; the only one without simulcast."""
        return self.layers[-1]

    @property
    def stream(self) -> Stream:
        """Its one stream to a subscriber."""
        return Stream(self.ssrc, self.rtx_ssrc)

    def streams(self) -> tuple[Stream, ...]:
        """One for each layer, for a subscriber that takes them all."""
        return tuple(Stream(self.ssrc + 2 * index, self.rtx_ssrc + 2 * index) for index in range(len(self.layers)))

    def attach(self, codec: str, rids: Sequence[str]) -> None:
        """A publisher's connection begins with these layers, lowest first (one, named "", without simulcast)."""
        self.codec = codec
        kept = self.layers[-len(rids) :]
        self.layers = (*(self._layer() for _ in range(len(rids) - len(kept))), *kept)
        for layer, rid in zip(self.layers, rids, strict=True):
            layer.attach(codec, rid)
