"""The boundary for SDP (RFC 8866, 8829) and trickle fragments (RFC 8840) from strangers.

A strict reader of its own: whatever the text, the outcome is a frozen value or `BadOffer`; no other exception, no state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from media.errors import BadOffer
from media.wire.aiortc_bridge import Fingerprint

LARGEST = 64 * 1024
"""Characters of an offer; a browser's has about 6,000."""
MOST_LINES = 2000
MOST_SECTIONS = 16
MOST_CODECS = 64
MOST_RIDS = 16
LARGEST_FRAGMENT = 16 * 1024
"""Characters of a trickle fragment. All these limits are far beyond what browsers send, and keep what a hostile text costs small."""

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
_DIRECTIONS: Mapping[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "sendonly",
    "recvonly": "recvonly",
    "inactive": "inactive",
}
Setup = Literal["actpass", "active", "passive"]
_SETUPS: Mapping[str, Setup] = {"actpass": "actpass", "active": "active", "passive": "passive"}
_LINE = re.compile(r"[a-z]=[^\x00-\x08\x0a-\x1f\x7f]*\Z")
_MEDIA = re.compile(
    r"(audio|video|application|text|message|image) ([0-9]{1,5}) ([A-Za-z0-9/]{1,40}) ([A-Za-z0-9][A-Za-z0-9 ._-]{0,399})\Z"
)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}\Z")
_ICE = re.compile(r"[A-Za-z0-9+/=_-]{4,256}\Z")
_RTPMAP = re.compile(r"([0-9]{1,3}) ([A-Za-z0-9._-]{1,40})/([0-9]{1,7})(?:/([0-9]{1,2}))?\Z")
_FMTP = re.compile(r"([0-9]{1,3}) ([^\x00-\x1f\x7f]{1,1000})\Z")
_FEEDBACK = re.compile(r"([0-9]{1,3}|\*) ([a-z0-9 -]{1,60})\Z")
_EXTENSION = re.compile(r"([0-9]{1,4})(?:/[a-z]+)? (\S{1,200})(?: .{0,200})?\Z")
_RID = re.compile(r"([A-Za-z0-9_-]{1,32}) (send|recv)(?: \S{1,200})?\Z")
_SIMULCAST = re.compile(r"(send|recv) ([A-Za-z0-9_~,;-]{1,400})(?: (send|recv) ([A-Za-z0-9_~,;-]{1,400}))?\Z")
_DIGEST_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_HEX_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*\Z")


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type of a section."""

    name: str
    """Upper case, e.g. ``H264``, ``OPUS``, ``RTX``."""
    payload_type: int
    rate: int
    channels: int
    parameters: Mapping[str, str]
    """Of its fmtp line, keys in lower case."""
    feedback: frozenset[str]


@dataclass(frozen=True, slots=True)
class Section:
    """One m= section."""

    kind: str
    profile: str
    formats: str
    mid: str
    direction: Direction
    rejected: bool
    """Its port is 0 and it is not bundled: the peer does not want it."""
    codecs: tuple[Codec, ...]
    extensions: Mapping[str, int]
    """Header extension ids by URI."""
    simulcast: tuple[str, ...]
    """The rids under which the peer sends several sizes of one picture, in its order; empty where it sends one."""
    wanted: tuple[str, ...]
    """Under how many rids it would receive them; empty where it wants one picture, as browsers do."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A readable offer."""

    sections: tuple[Section, ...]
    fingerprints: tuple[Fingerprint, ...]
    setup: Setup
    fragment: str
    password: str
    bundled: frozenset[str]
    """The mids of its BUNDLE group."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A readable trickle fragment."""

    fragment: str
    password: str
    candidates: int


def _refuse(why: str) -> NoReturn:
    raise BadOffer(why)


@dataclass(slots=True)
class _Draft:
    """A section (or the session's head) while it is read."""

    media: tuple[str, str, str, str] | None = None
    mid: str = ""
    direction: Direction | None = None
    setup: str = ""
    fragment: str = ""
    password: str = ""
    mux: bool = False
    bundle_only: bool = False
    fingerprints: list[Fingerprint] = field(default_factory=list)
    maps: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    parameters: dict[int, dict[str, str]] = field(default_factory=dict)
    feedback: dict[str, set[str]] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    rids: set[tuple[str, str]] = field(default_factory=set)
    simulcast: dict[str, tuple[str, ...]] = field(default_factory=dict)


def _lines(text: str, largest: int) -> Iterator[tuple[str, str]]:
    """(type, value) of each line."""
    if len(text) > largest:
        _refuse("too large")
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > MOST_LINES:
        _refuse("too many lines")
    for line in lines:
        if line:
            if not _LINE.match(line):
                _refuse("a line is not of the form <letter>=<value>")
            yield line[0], line[2:]


def parse_offer(text: str) -> Offer:
    """Reads an offer. Raises BadOffer, whose text says what is wrong; never anything else."""
    head, drafts, bundled, first = _Draft(), [], set[str](), True
    current = head
    for kind, value in _lines(text, LARGEST):
        if first and (kind, value) != ("v", "0"):
            _refuse("does not begin with v=0")
        first = False
        if kind == "m":
            match = _MEDIA.match(value) or _refuse("an m= line cannot be read")
            current = _Draft(media=(match[1], match[2], match[3], match[4]))
            drafts.append(current)
            if len(drafts) > MOST_SECTIONS:
                _refuse("too many m= sections")
        elif kind == "a":
            name, _, content = value.partition(":")
            if name == "group" and current is head and content.startswith("BUNDLE "):
                bundled.update(content.split()[1:])
            else:
                _attribute(current, name, content)
    return _assemble(head, drafts, bundled)


def _attribute(draft: _Draft, name: str, content: str) -> None:
    if name in _DIRECTIONS:
        draft.direction = _DIRECTIONS[name]
    elif name == "mid":
        draft.mid = content if _TOKEN.match(content) else _refuse("a mid cannot be read")
    elif name == "setup":
        draft.setup = content
    elif name == "ice-ufrag":
        draft.fragment = content if _ICE.match(content) else _refuse("an ice-ufrag cannot be read")
    elif name == "ice-pwd":
        draft.password = content if _ICE.match(content) and len(content) >= 22 else _refuse("an ice-pwd cannot be read")
    elif name == "rtcp-mux":
        draft.mux = True
    elif name == "bundle-only":
        draft.bundle_only = True
    elif name == "fingerprint":
        _fingerprint(draft, content)
    else:
        _codec_attribute(draft, name, content)


def _fingerprint(draft: _Draft, content: str) -> None:
    algorithm, _, digest = content.partition(" ")
    size = _DIGEST_BYTES.get(algorithm.lower())
    if size is None:
        return
    if len(digest) != 3 * size - 1 or not _HEX_PAIRS.match(digest) or len(draft.fingerprints) >= 8:
        _refuse("a fingerprint cannot be read")
    draft.fingerprints.append(Fingerprint(algorithm.lower(), digest.upper()))


def _codec_attribute(draft: _Draft, name: str, content: str) -> None:
    if name == "rtpmap":
        match = _RTPMAP.match(content) or _refuse("an rtpmap cannot be read")
        if int(match[1]) > 127 or len(draft.maps) >= MOST_CODECS:
            _refuse("an rtpmap cannot be used")
        draft.maps[int(match[1])] = (match[2].upper(), int(match[3]), int(match[4] or 1))
    elif name == "fmtp":
        match = _FMTP.match(content) or _refuse("an fmtp cannot be read")
        pairs = (part.strip().partition("=") for part in match[2].split(";"))
        draft.parameters[int(match[1])] = {key.lower(): value for key, _, value in pairs}
    elif name == "rtcp-fb":
        match = _FEEDBACK.match(content) or _refuse("an rtcp-fb cannot be read")
        draft.feedback.setdefault(match[1], set()).add(match[2].strip())
    elif name == "extmap":
        match = _EXTENSION.match(content) or _refuse("an extmap cannot be read")
        draft.extensions[match[2]] = int(match[1])
    elif name == "rid":
        match = _RID.match(content) or _refuse("a rid cannot be read")
        draft.rids.add((match[1], match[2]))
        if len(draft.rids) > MOST_RIDS:
            _refuse("too many rids")
    elif name == "simulcast":
        match = _SIMULCAST.match(content) or _refuse("a simulcast attribute cannot be read")
        for way, rids in ((match[1], match[2]), (match[3], match[4])):
            if way is not None:  # of alternatives the first; one that begins paused (~) is as good as the others
                draft.simulcast[way] = tuple(item.split(",")[0].lstrip("~") for item in rids.split(";"))


def _assemble(head: _Draft, drafts: list[_Draft], bundled: set[str]) -> Offer:
    sections = tuple(_section(draft) for draft in drafts)
    media = [d for d, s in zip(drafts, sections, strict=True) if s.kind in ("audio", "video") and not s.rejected]
    if not media:
        _refuse("has no audio or video")
    if len({s.mid for s in sections if s.mid}) != len(sections):
        _refuse("two sections have the same mid, or none")
    if len(media) > 1 and not all(d.mid in bundled for d in media):
        _refuse("audio and video are not bundled")
    if not all(draft.mux for draft in media):
        _refuse("rtcp-mux is missing")
    lead = media[0]
    fingerprints = tuple(lead.fingerprints or head.fingerprints)
    fragment, password = lead.fragment or head.fragment, lead.password or head.password
    setup = lead.setup or head.setup
    if not fingerprints:
        _refuse("has no usable fingerprint")
    if not fragment or not password:
        _refuse("has no ICE credentials")
    role = _SETUPS.get(setup) or _refuse("has no usable setup attribute")
    return Offer(sections, fingerprints, role, fragment, password, frozenset(bundled))


def _section(draft: _Draft) -> Section:
    assert draft.media is not None
    kind, port, profile, formats = draft.media
    if int(port) > 65535:
        _refuse("a port is out of range")
    codecs: list[Codec] = []
    if kind in ("audio", "video"):
        if profile not in ("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"):
            _refuse("a section is not UDP/TLS/RTP/SAVPF")
        codecs = [_codec(draft, item) for item in formats.split()[:MOST_CODECS] if _known(draft, item)]
    return Section(
        kind=kind,
        profile=profile,
        formats=formats,
        mid=draft.mid,
        direction=draft.direction or "sendrecv",
        rejected=int(port) == 0 and not draft.bundle_only,
        codecs=tuple(codecs),
        extensions=dict(draft.extensions),
        simulcast=_simulcast(draft, "send"),
        wanted=_simulcast(draft, "recv"),
    )


def _simulcast(draft: _Draft, way: str) -> tuple[str, ...]:
    rids = draft.simulcast.get(way, ())
    if len(set(rids)) != len(rids) or not draft.rids.issuperset((rid, way) for rid in rids):
        _refuse("a simulcast attribute names other rids than its section")
    return rids


def _known(draft: _Draft, item: str) -> bool:
    if not item.isascii() or not item.isdigit() or len(item) > 3 or int(item) > 127:
        _refuse("a payload type cannot be read")
    return int(item) in draft.maps


def _codec(draft: _Draft, item: str) -> Codec:
    payload_type = int(item)
    name, rate, channels = draft.maps[payload_type]
    feedback = draft.feedback.get(item, set()) | draft.feedback.get("*", set())
    parameters = draft.parameters.get(payload_type, {})
    return Codec(name, payload_type, rate, channels, parameters, frozenset(feedback))


def require_credentials(fragment: Fragment) -> None:
    """Raises BadOffer where a fragment that asks for an ICE restart brings no credentials."""
    if not fragment.fragment:
        _refuse("has no ICE credentials")


def parse_fragment(text: str) -> Fragment:
    """Reads a trickle fragment; absent credentials are empty. Raises BadOffer, never anything else."""
    found, candidates = _Draft(), 0
    for kind, value in _lines(text, LARGEST_FRAGMENT):
        if kind != "a":
            continue
        name, _, content = value.partition(":")
        if name in ("ice-ufrag", "ice-pwd"):
            _attribute(found, name, content)
        elif name == "candidate":
            candidates += 1
    if bool(found.fragment) != bool(found.password):
        _refuse("has half of the ICE credentials")
    return Fragment(found.fragment, found.password, candidates)
