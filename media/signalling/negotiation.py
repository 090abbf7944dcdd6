"""From an offer to an answer: which codecs are used, and the words of the SDP. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from media.errors import BadOffer, NothingInCommon
from media.signalling.sdp import Codec, Offer, Section
from media.values import Kind
from media.wire.aiortc_bridge import Fingerprint
from media.wire.ice import Credentials

ANY = "0.0.0.0"  # noqa: S104 # the address of a c= line that says nothing, not one to bind
AUDIO_CODECS = ("OPUS",)
"""Every WebRTC endpoint has it (RFC 7874 §3)."""
MID, RID, REPAIRED_RID = (
    f"urn:ietf:params:rtp-hdrext:sdes:{name}" for name in ("mid", "rtp-stream-id", "repaired-rtp-stream-id")
)
"""Header extensions by which a publisher's simulcast streams tell themselves apart (RFC 8852)."""
MOST_LAYERS = 4
"""Sizes of one picture that are taken; browsers send three at most."""
_RANKS = "qlmhf"
"""First letters of usual rids, from the smallest picture up: quarter, low, medium, high or half, full."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A codec both sides have, by the peer's payload types."""

    codec: Codec
    rtx: int | None
    """Payload type of its retransmissions, where offered."""


@dataclass(frozen=True, slots=True)
class Track:
    """An accepted section with its codecs, best first."""

    kind: Kind
    section: Section
    chosen: tuple[Chosen, ...]
    rids: tuple[str, ...] = ()
    """The layers a publisher sends it in, lowest first; empty without simulcast."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What a subscriber is told of a layer."""

    ssrc: int
    rtx_ssrc: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The relay's side of one session."""

    credentials: Credentials
    fingerprint: Fingerprint
    candidates: tuple[tuple[str, int], ...]
    """(address, port)"""
    cname: str = ""
    streams: Mapping[Kind, Sequence[Stream]] | None = None
    """For a subscriber: what it will get; of a picture more than one stream where it takes all layers, lowest first."""


def dtls_server(offer: Offer) -> bool:
    """True when the relay waits for the peer's ClientHello: always, unless the peer insists on waiting itself."""
    return offer.setup != "passive"


def published(offer: Offer, video_codecs: Sequence[str]) -> tuple[Track, ...]:
    """What a publisher sends: for each kind the best codec that both sides have, `video_codecs` being in order of preference.

    Raises BadOffer where no section sends, NothingInCommon where one has no codec in common or two are of a kind.
    """
    return _choose(offer, sends=True, preferences={"audio": AUDIO_CODECS, "video": video_codecs})


def subscribed(offer: Offer, video_codecs: Sequence[str], running: str) -> tuple[Track, ...]:
    """What a subscriber is sent: every codec that both sides have, that of the present publisher (`running`, empty where none sends a
    picture) first; the next publisher may send in another.

    Raises BadOffer where no section receives, NothingInCommon where one has no codec in common, or not the one that is running.
    """
    first = (running,) if running else ()
    others = (name for name in video_codecs if name != running)
    tracks = _choose(offer, sends=False, preferences={"audio": AUDIO_CODECS, "video": (*first, *others)})
    for track in tracks:
        if track.kind == "video" and running and running not in {chosen.codec.name for chosen in track.chosen}:
            raise NothingInCommon(f"the video is sent in {running}")
    return tracks


def _choose(offer: Offer, *, sends: bool, preferences: Mapping[Kind, Sequence[str]]) -> tuple[Track, ...]:
    """The first audio and the first video section that the peer means to send (`sends`) or to receive, with the codecs in
    common in the order of `preferences`; of what it sends only the best."""
    wanted = ("sendonly", "sendrecv") if sends else ("recvonly", "sendrecv")
    tracks: dict[Kind, Track] = {}
    for section in offer.sections:
        kind: Kind = "audio" if section.kind == "audio" else "video"
        if section.kind not in ("audio", "video") or section.rejected or section.direction not in wanted:
            continue
        if kind in tracks:
            if sends:  # RFC 9725: no partly successful sessions
                raise NothingInCommon(f"more than one {kind}")
            continue
        chosen = [found for name in preferences.get(kind, ()) if (found := _find(section, name)) is not None]
        if not chosen:
            raise NothingInCommon(f"no {kind} codec in common")
        tracks[kind] = Track(kind, section, tuple(chosen[:1] if sends else chosen), _rids(section) if sends else ())
    if not tracks:
        raise BadOffer("no section has the right direction")
    return tuple(tracks.values())


def _rids(section: Section) -> tuple[str, ...]:
    """The layers that are accepted, lowest first: by the names browsers' pages give them, else in the order offered."""
    rids = section.simulcast[:MOST_LAYERS]
    if section.kind != "video" or len(rids) < 2 or RID not in section.extensions:
        return ()
    ranks = [_RANKS.find(rid[0].lower()) for rid in rids]
    known = min(ranks) >= 0 and len(set(ranks)) == len(ranks)
    return tuple(sorted(rids, key=lambda rid: _RANKS.find(rid[0].lower()))) if known else rids


def _find(section: Section, name: str) -> Chosen | None:
    usable = [codec for codec in section.codecs if codec.name == name and _fits(codec)]
    if not usable:
        return None
    best = min(usable, key=_distance)
    rtx = (
        c.payload_type for c in section.codecs if c.name == "RTX" and c.parameters.get("apt") == str(best.payload_type)
    )
    return Chosen(best, next(rtx, None))


def _fits(codec: Codec) -> bool:
    if codec.name == "OPUS":
        return codec.rate == 48_000
    if codec.name == "H264":
        profile = codec.parameters.get("profile-level-id", "420010").lower()
        return codec.rate == 90_000 and codec.parameters.get("packetization-mode") == "1" and profile.startswith("42")
    return codec.rate == 90_000


def _distance(codec: Codec) -> int:
    """Constrained baseline before baseline: every phone and recorder decodes it."""
    if codec.name != "H264":
        return 0
    return 0 if codec.parameters.get("profile-level-id", "").lower()[2:4] in ("e0", "c0") else 1


def answer(offer: Offer, tracks: Sequence[Track], endpoint: Endpoint) -> str:
    """The SDP answer of an ICE-lite endpoint."""
    by_mid = {track.section.mid: track for track in tracks}
    bundled = [mid for mid in by_mid if mid in offer.bundled]  # nothing but what the offer bundles (RFC 9143 §7.3)
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        *(["a=group:BUNDLE " + " ".join(bundled)] if bundled else []),
        "a=msid-semantic: WMS *",
    ]
    setup = "passive" if dtls_server(offer) else "active"
    for section in offer.sections:
        track = by_mid.get(section.mid)
        if track is None:
            lines += [
                f"m={section.kind} 0 {section.profile} {section.formats.split()[0]}",
                f"c=IN IP4 {ANY}",
                f"a=mid:{section.mid}",
                "a=inactive",
            ]
        else:
            lines += _accepted(track, endpoint, setup)
    return "\r\n".join(lines) + "\r\n"


def _accepted(track: Track, endpoint: Endpoint, setup: str) -> list[str]:
    payload_types = [str(pt) for c in track.chosen for pt in (c.codec.payload_type, c.rtx) if pt is not None]
    return [
        f"m={track.kind} 9 {track.section.profile} {' '.join(payload_types)}",
        f"c=IN IP4 {ANY}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=mid:{track.section.mid}",
        *_ice_lines(endpoint),
        f"a=fingerprint:{endpoint.fingerprint.algorithm} {endpoint.fingerprint.value}",
        f"a=setup:{setup}",
        *(line for chosen in track.chosen for line in _codec_lines(chosen, endpoint.streams is None)),
        *_stream_lines(track, endpoint),
        *_simulcast_lines(track),
        *candidate_lines(endpoint.candidates),
    ]


def _ice_lines(endpoint: Endpoint) -> list[str]:
    return [f"a=ice-ufrag:{endpoint.credentials.fragment}", f"a=ice-pwd:{endpoint.credentials.password}"]


def candidate_lines(candidates: Sequence[tuple[str, int]]) -> list[str]:
    """The host candidates, best first, and that there are no more."""
    lines = [
        f"a=candidate:{i + 1} 1 udp {2130706431 - 256 * i} {address} {port} typ host"
        for i, (address, port) in enumerate(candidates)
    ]
    return [*lines, "a=end-of-candidates"]


def _codec_lines(chosen: Chosen, receiving: bool) -> list[str]:
    codec, pt = chosen.codec, chosen.codec.payload_type
    if codec.name == "OPUS":
        return [f"a=rtpmap:{pt} opus/48000/2", f"a=fmtp:{pt} minptime=10;useinbandfec=1", *_feedback(codec, ("nack",))]
    lines = [f"a=rtpmap:{pt} {codec.name}/90000"]
    if codec.name == "H264":
        profile = codec.parameters.get("profile-level-id", "42e01f")
        lines.append(f"a=fmtp:{pt} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}")
    lines += _feedback(codec, ("nack", "nack pli", "ccm fir", *(("goog-remb",) if receiving else ())))
    if chosen.rtx is not None:
        lines += [f"a=rtpmap:{chosen.rtx} rtx/90000", f"a=fmtp:{chosen.rtx} apt={pt}"]
    return lines


def _feedback(codec: Codec, wanted: Sequence[str]) -> list[str]:
    return [f"a=rtcp-fb:{codec.payload_type} {name}" for name in wanted if name in codec.feedback]


def _stream_lines(track: Track, endpoint: Endpoint) -> list[str]:
    if endpoint.streams is None:
        return ["a=recvonly"]
    lines = ["a=sendonly", f"a=msid:sanke {track.kind}"]
    for stream in endpoint.streams[track.kind]:
        ssrcs = [stream.ssrc]
        if any(chosen.rtx is not None for chosen in track.chosen):
            lines.append(f"a=ssrc-group:FID {stream.ssrc} {stream.rtx_ssrc}")
            ssrcs.append(stream.rtx_ssrc)
        lines += [f"a=ssrc:{ssrc} cname:{endpoint.cname}" for ssrc in ssrcs]
    return lines


def _simulcast_lines(track: Track) -> list[str]:
    if not track.rids:
        return []
    extensions = [
        (uri, track.section.extensions[uri]) for uri in (MID, RID, REPAIRED_RID) if uri in track.section.extensions
    ]
    return [
        *(f"a=extmap:{number} {uri}" for uri, number in extensions),
        *(f"a=rid:{rid} recv" for rid in track.rids),
        "a=simulcast:recv " + ";".join(rid for rid in track.section.simulcast if rid in track.rids),
    ]


def restart_fragment(mid: str, kind: Kind, endpoint: Endpoint) -> str:
    """The body that answers an ICE restart (RFC 9725 §4.3.3)."""
    lines = [
        "a=ice-lite",
        f"m={kind} 9 UDP/TLS/RTP/SAVPF 0",
        f"a=mid:{mid}",
        *_ice_lines(endpoint),
        *candidate_lines(endpoint.candidates),
    ]
    return "\r\n".join(lines) + "\r\n"
