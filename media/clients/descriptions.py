"""The descriptions of our own peers: an offer to the relay, an answer to a relay that offers (RFC 8866), and nothing optional."""

from __future__ import annotations

import re
from collections.abc import Sequence

from media.signalling.negotiation import MID, REPAIRED_RID, RID
from media.signalling.sdp import Offer
from media.wire.aiortc_bridge import HandshakeFailed, Identity
from media.wire.ice import Credentials
from media.wire.stun import Address

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


def candidate_of(sdp: str) -> Address:
    """Where the other side listens. Raises HandshakeFailed where its description does not say."""
    found = _CANDIDATE.search(sdp)
    if found is None:
        raise HandshakeFailed("the description has no candidate")
    return found[1], int(found[2])
