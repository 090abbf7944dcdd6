"""Which layer a publisher's packet belongs to: by its payload type, or with simulcast by its rid, then by its SSRC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from media.forwarding.layer import Layer
from media.forwarding.publication import Publication
from media.packets import rtp
from media.signalling.negotiation import REPAIRED_RID, RID, Track

MOST_STREAMS = 64
"""SSRCs remembered; a publisher has two for each layer."""


class Route(NamedTuple):
    """Where a packet goes, and whether it is a retransmission (RFC 4588) of that layer."""

    layer: Layer
    retransmitted: bool


class _Shared(NamedTuple):
    """A payload type that several layers share: the extension that names the rid, and the layers by rid."""

    extension: int | None
    layers: dict[str, Layer]
    repaired: bool


class Routes:
    """The routes of one publisher's session. With simulcast the rid is read out of a stream's first packets only; after that its
    payload type and SSRC say where it goes."""

    def __init__(self, tracks: Sequence[Track], publication: Publication) -> None:
        self._by_type: dict[int, Route] = {}
        self._shared: dict[int, _Shared] = {}
        self._by_stream: dict[tuple[int, int], Route] = {}
        for track in tracks:
            layers, best, ids = publication.layers_of(track.kind), track.chosen[0], track.section.extensions
            for payload_type, repaired in ((best.codec.payload_type, False), (best.rtx, True)):
                if payload_type is None:
                    continue
                if track.rids:
                    by_rid = {layer.rid: layer for layer in layers}
                    self._shared[payload_type] = _Shared(ids.get(REPAIRED_RID if repaired else RID), by_rid, repaired)
                else:
                    self._by_type[payload_type] = Route(layers[-1], repaired)

    def find(self, packet: rtp.Packet, raw: bytes) -> Route | None:
        """The packet's route; None where it is of a codec or stream that was not agreed."""
        route = self._by_type.get(packet.payload_type)
        if route is None and packet.payload_type in self._shared:
            stream = (packet.payload_type, packet.ssrc)
            route = self._by_stream.get(stream) or self._meet(stream, raw)
        return route

    def _meet(self, stream: tuple[int, int], raw: bytes) -> Route | None:
        extension, layers, repaired = self._shared[stream[0]]
        rid = rtp.extensions(raw).get(extension) if extension is not None else None
        layer = layers.get(rid.decode("ascii", "replace")) if rid else None
        if layer is None:
            return None
        if len(self._by_stream) >= MOST_STREAMS:
            self._by_stream.pop(next(iter(self._by_stream)))
        route = self._by_stream[stream] = Route(layer, repaired)
        return route
