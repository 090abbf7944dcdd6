"""The boundary for SDP: whatever the text, an offer or BadOffer; and the answers written from offers."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.clients.descriptions import offer as peer_offer
from media.errors import BadOffer, NothingInCommon
from media.relay import Relay
from media.signalling import negotiation, sdp
from media.signalling.negotiation import Endpoint, Stream
from media.signalling.sdp import parse_fragment, parse_offer
from media.wire.aiortc_bridge import Identity
from media.wire.ice import Credentials

IDENTITY = Identity()
OFFER = peer_offer(IDENTITY, Credentials.fresh(), sends=True, rtx=True)
SIMULCAST = peer_offer(IDENTITY, Credentials.fresh(), sends=True, rtx=True, rids=("h", "m", "l"))
BROWSER = f"""v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=extmap-allow-mixed
a=msid-semantic: WMS
m=audio 9 UDP/TLS/RTP/SAVPF 111 63
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:4ZcD
a=ice-pwd:2/1muCWoOi3uLifh0NuRHlgN
a=ice-options:trickle
a=fingerprint:sha-256 {IDENTITY.fingerprint.value}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=recvonly
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 107 108 109
c=IN IP4 0.0.0.0
a=ice-ufrag:4ZcD
a=ice-pwd:2/1muCWoOi3uLifh0NuRHlgN
a=fingerprint:sha-256 {IDENTITY.fingerprint.value}
a=setup:actpass
a=mid:1
a=extmap:14/recvonly urn:ietf:params:rtp-hdrext:toffset
a=recvonly
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:103 H264/90000
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:104 rtx/90000
a=fmtp:104 apt=103
a=rtpmap:107 H264/90000
a=fmtp:107 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f
a=rtpmap:108 H264/90000
a=rtcp-fb:108 nack
a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:109 rtx/90000
a=fmtp:109 apt=108
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:2
a=sctp-port:5000
""".replace("\n", "\r\n")
VIDEO_CODECS = ("H264", "VP8")


def answer_to(text: str, *, sends: bool = False) -> str:
    offer = parse_offer(text)
    tracks = negotiation.published(offer, VIDEO_CODECS) if sends else negotiation.subscribed(offer, VIDEO_CODECS, "")
    endpoint = Endpoint(
        credentials=Credentials("ours", "password" * 4),
        fingerprint=IDENTITY.fingerprint,
        candidates=(("192.0.2.1", 5000), ("2001:db8::1", 5000)),
        cname="c",
        streams=None if sends else {"audio": [Stream(1, 2)], "video": [Stream(3, 4)]},
    )
    return negotiation.answer(offer, tracks, endpoint)


def test_constrained_baseline_and_its_retransmission_are_preferred() -> None:
    answer = answer_to(BROWSER)
    assert "m=video 9 UDP/TLS/RTP/SAVPF 108 109 96 97\r\n" in answer
    assert "a=fmtp:109 apt=108\r\n" in answer
    assert "a=ssrc-group:FID 3 4\r\n" in answer
    assert "a=rtcp-fb:108 nack\r\n" in answer
    assert "goog-remb" not in answer, "asked of publishers only"
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n" in answer
    assert "a=group:BUNDLE 0 1\r\n" in answer
    assert answer.count("a=setup:passive\r\n") == 2
    assert "a=candidate:2 1 udp 2130706175 2001:db8::1 5000 typ host\r\n" in answer


def test_the_answer_to_a_publisher_has_one_codec() -> None:
    answer = answer_to(OFFER, sends=True)
    assert "m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\n" in answer
    assert answer.count("a=recvonly\r\n") == 2
    assert parse_offer(answer).fingerprints == (IDENTITY.fingerprint,), "our own reader takes our answers"


def test_a_single_section_is_bundled_as_it_was_offered() -> None:
    """RFC 9143 §7.3: an answer puts no section into a group that the offer does not have it in."""
    alone = BROWSER[: BROWSER.index("m=video")].replace("0 1 2", "0")
    assert "a=group:BUNDLE 0\r\n" in answer_to(alone)
    assert "a=group" not in answer_to(alone.replace("a=group:BUNDLE 0\r\n", ""))


def test_simulcast_is_answered_to_publishers_alone_and_in_their_words() -> None:
    answer = answer_to(SIMULCAST, sends=True)
    for line in ("a=rid:h recv", "a=rid:l recv", "a=simulcast:recv h;m;l", f"a=extmap:10 {negotiation.RID}"):
        assert f"{line}\r\n" in answer
    assert "rid" not in answer_to(SIMULCAST.replace("sendonly", "recvonly"))
    assert "rid" not in answer_to(OFFER, sends=True)
    assert "rid" not in answer_to(SIMULCAST.replace(negotiation.RID, "urn:x"), sends=True)


@pytest.mark.parametrize(
    ("offered", "lowest_first"),
    [
        (("h", "m", "l"), ("l", "m", "h")),
        (("f", "h", "q"), ("q", "h", "f")),
        (("hi", "mid", "lo"), ("lo", "mid", "hi")),
        (("1", "2"), ("1", "2")),
        (("low", "lower", "x"), ("low", "lower", "x")),
        (("a",), ()),
    ],
)
def test_layers_are_ranked(offered: tuple[str, ...], lowest_first: tuple[str, ...]) -> None:
    text = peer_offer(IDENTITY, Credentials.fresh(), sends=True, rids=offered)
    tracks = negotiation.published(parse_offer(text), VIDEO_CODECS)
    assert [track.rids for track in tracks] == [(), lowest_first]


def test_of_alternatives_the_first_is_taken_and_paused_ones_too() -> None:
    both = "a=rid:x recv\r\na=simulcast:send h;~m,l recv x"
    section = parse_offer(SIMULCAST.replace("a=simulcast:send h;m;l", both)).sections[1]
    assert (section.simulcast, section.wanted) == (("h", "m"), ("x",))


def test_a_peer_that_waits_for_dtls_is_called() -> None:
    assert "a=setup:active\r\n" in answer_to(BROWSER.replace("a=setup:actpass", "a=setup:passive"))


def test_what_has_nothing_in_common_is_told_apart_from_what_is_bad() -> None:
    only_av1 = BROWSER.replace("VP8/90000", "AV1/90000").replace("H264/90000", "H265/90000")
    with pytest.raises(NothingInCommon):
        answer_to(only_av1)
    with pytest.raises(BadOffer):
        answer_to(BROWSER, sends=True)  # it means to receive


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v=0", "v=1"),
        ("a=rtcp-mux", "a=x"),
        ("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 0"),
        ("a=fingerprint:sha-256", "a=fingerprint:md5"),
        ("a=ice-pwd:2/1muCWoOi3uLifh0NuRHlgN", "a=ice-pwd:short"),
        ("a=ice-ufrag:4ZcD\r\n", ""),
        ("a=setup:actpass", "a=setup:holdconn"),
        ("a=mid:1", "a=mid:0"),
        ("a=rtpmap:96", "a=rtpmap:960"),
        ("a=rtpmap:96", "a=rtpmap:x"),
        ("m=video 9", "m=video 99999"),
        ("UDP/TLS/RTP/SAVPF 96", "RTP/AVP 96"),
        ("SAVPF 96", "SAVPF 9x"),
        ("s=-", "s"),
        ("s=-", "s=\0"),
    ],
)
def test_each_fault_is_a_bad_offer(old: str, new: str) -> None:
    assert old in BROWSER
    with pytest.raises(BadOffer):
        parse_offer(BROWSER.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=rid:h send", "a=rid:h sends"),
        ("a=rid:h send", "a=rid:" + "h" * 33 + " send"),
        ("a=rid:h send\r\n", ""),
        ("a=rid:h send\r\n", "".join(f"a=rid:h{n} send\r\n" for n in range(sdp.MOST_RIDS))),
        ("send h;m;l", "send h;m;h"),
        ("send h;m;l", "send h;;l"),
        ("send h;m;l", "send"),
    ],
)
def test_each_fault_of_simulcast_is_a_bad_offer(old: str, new: str) -> None:
    assert old in SIMULCAST
    with pytest.raises(BadOffer):
        parse_offer(SIMULCAST.replace(old, new))


def test_size_and_number_are_capped_before_reading() -> None:
    with pytest.raises(BadOffer):
        parse_offer(OFFER + "a=x\r\n" * 20_000)
    with pytest.raises(BadOffer):
        parse_offer("v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 1000)


def outcome(text: str) -> None:
    """Reads and answers; anything but an answer or a refusal is a failure."""
    try:
        answer_to(text, sends=True)
    except (BadOffer, NothingInCommon):
        return


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_read_or_refused(text: str) -> None:
    outcome(text)
    outcome("v=0\r\n" + text)


LINES = st.sampled_from([*SIMULCAST.split("\r\n"), *BROWSER.split("\r\n")])


@given(st.lists(LINES, max_size=60))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_lines_in_any_order_are_read_or_refused(lines: list[str]) -> None:
    outcome("\r\n".join(["v=0", *lines]))


def test_thousands_of_mutations_are_read_or_refused() -> None:
    chance = random.Random(20261122)
    for text in (SIMULCAST, BROWSER):
        for _ in range(2500):
            mutant = list(text)
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(mutant))
                match chance.randrange(4):
                    case 0:
                        del mutant[at : at + chance.randint(1, 30)]
                    case 1:
                        mutant[at] = chr(chance.choice((0, 9, 10, 32, 45, 58, 61, 57, 255, 0x4E2D, 0x10FFFF)))
                    case 2:
                        mutant[at:at] = text[at : at + chance.randint(1, 80)]
                    case _:
                        mutant[at:at] = str(chance.choice((0, -1, 65536, 2**64, "9" * 300)))
                if not mutant:
                    break
            outcome("".join(mutant))


async def test_a_refused_offer_leaves_nothing_behind(relay: Relay) -> None:
    for text in ("", "v=0", OFFER.replace("a=rtcp-mux", "a=x"), OFFER.replace("opus", "pcmu")):
        with pytest.raises((BadOffer, NothingInCommon)):
            await relay.publish("room", "lead", "peer", text)  # type: ignore[arg-type] # plain strings do
    totals = relay.totals()
    assert (totals.rooms, totals.unfinished) == (0, 0)


def test_fragments_are_read_or_refused() -> None:
    text = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
    text += "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n"
    fragment = parse_fragment(text)
    assert (fragment.fragment, fragment.candidates) == ("EsAw", 1)
    sdp.require_credentials(fragment)
    for bad in ("a=ice-ufrag:EsAw\r\n", "nonsense", "a=ice-pwd:\1\r\n", "a=x\r\n" * 10_000):
        with pytest.raises(BadOffer):
            parse_fragment(bad)
    with pytest.raises(BadOffer):
        sdp.require_credentials(parse_fragment("a=end-of-candidates\r\n"))
