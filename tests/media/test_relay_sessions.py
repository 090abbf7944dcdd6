"""Whole sessions over the loopback: publishers and count-only subscribers, really encrypted."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterable
from dataclasses import replace

import pytest
from media_world import LEAD, ROOM, ScriptedPublisher, join, only
from waiting import SOON, until

from media.clients.counting import CountOnlySubscriber
from media.clients.peer import PAYLOAD_TYPES, Peer
from media.errors import Full, NoPublisher, NothingInCommon, SourceTaken, UnknownSession
from media.events import Connected, Disconnected, MediaEvent, MediaSlot, PeerId, RoomId, SessionId, SourceName
from media.orders import CloseRoom, EndPeer
from media.packets import rtcp
from media.relay import Relay
from media.sessions.subscribing import SubscriberSession
from media.values import RelayConfig
from media.wire.aiortc_bridge import Fingerprint, SecureChannel

H264, OPUS = PAYLOAD_TYPES["H264"], PAYLOAD_TYPES["OPUS"]


async def test_packets_reach_every_subscriber_and_are_proved(
    relay: Relay, teacher: ScriptedPublisher, events: list[MediaEvent]
) -> None:
    teacher.stream()
    await until(lambda: relay.snapshot(ROOM).layers[-1].keyframes)
    pupils = [await join(relay, f"class-{n}") for n in range(3)]
    await asyncio.sleep(2.2)
    for subscriber, _ in pupils:
        streams = subscriber.streams
        await until(lambda streams=streams: streams[H264].packets > 100 and streams[OPUS].packets > 80)
        assert (subscriber.lost, subscriber.bad_samples) == (0, 0)
        assert subscriber.sampled > 5
        assert subscriber.peer.channel.cipher == "SRTP_AEAD_AES_128_GCM"
    views = {view.peer: view for view in relay.snapshot(ROOM).sessions}
    assert views[PeerId("class-0")].round_trip_ms is not None
    assert views[PeerId("teacher")].packets > 200
    for subscriber, session in pupils:
        await relay.close_session(session)
        await asyncio.wait_for(subscriber.ended.wait(), SOON)
        await subscriber.close()
    slots = only(events, MediaSlot, peer="class-1")
    known = [slot for slot in slots if slot.acknowledged is not None]
    assert len(known) >= 4
    assert all((slot.acknowledged or 0) >= 0.8 * slot.packets and slot.source_packets > 0 for slot in known)
    session = only(events, Connected, peer="class-1")[0]
    assert slots[0].started_at == session.at
    assert all(a.ended_at == b.started_at for a, b in itertools.pairwise(slots))
    gone = only(events, Disconnected, peer="class-1")
    assert [g.reason for g in gone] == ["closed"]
    assert slots[-1].ended_at == gone[0].at
    assert events.index(gone[0]) > events.index(slots[-1])
    lead = only(events, MediaSlot, peer="teacher")
    assert lead
    assert all(slot.packets == slot.acknowledged == slot.source_packets > 0 for slot in lead)


async def test_a_silent_publisher_still_hears_from_the_relay(teacher: ScriptedPublisher) -> None:
    await until(lambda: len(teacher.heard) >= 2)
    assert all(feedback.blocks == [] for feedback in teacher.heard)
    teacher.frame(key=True)
    await until(lambda: any(feedback.blocks for feedback in teacher.heard))


async def test_nobody_can_subscribe_before_the_publisher(relay: Relay) -> None:
    with pytest.raises(NoPublisher) as refused:
        await join(relay, "early")
    assert refused.value.retry_after > 0
    for door in (relay.close_session, relay.session):
        with pytest.raises(UnknownSession):
            result = door(SessionId("none"))
            if asyncio.iscoroutine(result):
                await result


async def test_a_subscriber_without_the_running_codec_is_told_so(relay: Relay, teacher: ScriptedPublisher) -> None:
    other = CountOnlySubscriber()
    with pytest.raises(NothingInCommon):
        await relay.subscribe(ROOM, LEAD, PeerId("old"), other.offer(video=("VP8",)))
    deaf = CountOnlySubscriber()
    await deaf.connect((await relay.subscribe(ROOM, LEAD, PeerId("deaf"), deaf.offer(video=()))).sdp)
    teacher.stream()
    await until(lambda: deaf.packets > 10)
    assert set(deaf.streams) == {OPUS}, "sound alone is a fair wish"
    await deaf.close()


async def test_the_picture_starts_with_a_key_picture(relay: Relay, teacher: ScriptedPublisher) -> None:
    teacher.frame(key=True)
    teacher.frame()
    await asyncio.sleep(0.05)
    early, _ = await join(relay, "early")
    await until(lambda: H264 in early.streams and early.streams[H264].packets == 6)  # the cached group of pictures
    for _ in range(80):
        teacher.frame()
        await asyncio.sleep(0.002)
    asked = teacher.keyframes_asked
    late, _ = await join(relay, "late")
    await until(lambda: teacher.keyframes_asked > asked)
    for _ in range(5):
        teacher.frame()
    await asyncio.sleep(0.1)
    assert H264 not in late.streams, "closed until a key picture"
    teacher.frame(key=True)
    await until(lambda: H264 in late.streams and late.streams[H264].packets >= 3)
    await asyncio.sleep(0.05)
    assert late.streams[H264].packets == 3
    assert early.lost == late.lost == 0
    await early.close()
    await late.close()


async def test_many_wishes_are_one_request_until_it_is_served(relay: Relay, teacher: ScriptedPublisher) -> None:
    for _ in range(250):
        teacher.frame(key=teacher.picture == 0)
        await asyncio.sleep(0.001)
    pupils = [await join(relay, f"class-{n}") for n in range(5)]
    began, asked = time.monotonic(), teacher.keyframes_asked
    await asyncio.sleep(1.5)
    await until(lambda: teacher.keyframes_asked - asked >= 2)
    repeated = teacher.keyframes_asked - asked
    assert repeated <= 1 + (time.monotonic() - began) / 0.4, "unanswered requests are repeated, not multiplied"
    teacher.frame(key=True)
    await until(lambda: all(H264 in subscriber.streams for subscriber, _ in pupils))
    for subscriber, _ in pupils:
        await subscriber.close()


async def test_lost_packets_are_sent_again_from_the_ring(relay: Relay, teacher: ScriptedPublisher) -> None:
    teacher.stream()
    await until(lambda: relay.snapshot(ROOM).layers[-1].keyframes)
    for rtx in (False, True):
        pupil, session = await join(relay, f"rtx-{rtx}", rtx=rtx)
        await until(lambda p=pupil: H264 in p.streams and p.streams[H264].packets > 20)
        stream = pupil.streams[H264]
        wanted = [(stream.highest - back) & 0xFFFF for back in (9, 5, 4, 1)]
        pupil.peer.send_rtcp(rtcp.nack(1, stream.ssrc, wanted))
        if rtx:
            await until(lambda p=pupil: H264 + 1 in p.streams and p.streams[H264 + 1].packets == 4)
        else:
            await until(lambda s=stream: s.lost == -4)
        pupil.peer.send_rtcp(rtcp.nack(1, stream.ssrc, list(range(5000, 5300))))
        pupil.peer.send_rtcp(rtcp.nack(1, 12345, [1, 2, 3]))
        await relay.close_session(session)
        await pupil.close()
    assert relay.snapshot(ROOM).layers[-1].retransmitted >= 8


async def test_what_is_under_way_is_not_sent_again(relay: Relay, teacher: ScriptedPublisher) -> None:
    """Browsers ask for sound every few tens of milliseconds, however far away they are."""
    teacher.stream()
    for round_trip, answers in ((300.0, 1), (None, 4)):
        pupil, session = await join(relay, f"far-{round_trip}", report_every=99)
        subscriber = relay._sessions[session]
        assert isinstance(subscriber, SubscriberSession)
        subscriber.round_trip = round_trip
        await until(lambda p=pupil: OPUS in p.streams and p.streams[OPUS].packets > 10)
        stream, before = pupil.streams[OPUS], relay.snapshot(ROOM).layers[0].retransmitted
        wanted = stream.highest & 0xFFFF
        for _ in range(4):
            pupil.peer.send_rtcp(rtcp.nack(1, stream.ssrc, [wanted]))
            await asyncio.sleep(0.04)
        await until(lambda b=before, a=answers: relay.snapshot(ROOM).layers[0].retransmitted - b == a)
        await pupil.close()


async def test_gaps_of_the_publisher_are_asked_for_and_filled(relay: Relay, teacher: ScriptedPublisher) -> None:
    teacher.frame(key=True)
    await asyncio.sleep(0.05)
    pupil, _ = await join(relay, "pupil")
    lost = teacher.video_sequence
    teacher.video_sequence += 1
    teacher.frame()
    await until(lambda: any((teacher.video_ssrc, lost) in f.nacks for f in teacher.heard))
    teacher.video(b"\x41late", sequence=lost)
    await until(lambda: pupil.streams[H264].packets == 7)
    assert pupil.lost == 0
    await pupil.close()


async def test_padding_is_not_seen_as_loss(relay: Relay, teacher: ScriptedPublisher) -> None:
    teacher.frame(key=True)
    await asyncio.sleep(0.05)
    pupil, _ = await join(relay, "pupil")
    for _ in range(20):
        teacher.padding()
        teacher.frame()
    await until(lambda: pupil.streams[H264].packets == 63)
    assert pupil.lost == 0
    await pupil.close()


async def test_a_stream_that_has_left_makes_room_for_another(relay: Relay, teacher: ScriptedPublisher) -> None:
    """A publisher chose another SSRC (RFC 3550 §8.2) and said goodbye to the old one; its session goes on."""
    sound = relay.published_here(ROOM)[0].layers_of("audio")[0]
    teacher.sound()
    await until(lambda: sound.packets == 1)
    teacher.peer.send_rtcp(rtcp.receiver_report(1, []) + rtcp.goodbye([teacher.audio_ssrc]))
    said = sound.reception
    assert said is not None
    await until(lambda: said.last_at == float("-inf"))  # it left, and was not only silent for long
    teacher.audio_ssrc += 10
    for _ in range(5):
        teacher.sound()
    await until(lambda: sound.packets == 6)
    assert relay.session(teacher.session).connected


async def test_the_publisher_comes_back_and_subscribers_stay(
    relay: Relay, teacher: ScriptedPublisher, events: list[MediaEvent]
) -> None:
    teacher.stream()
    await until(lambda: relay.snapshot(ROOM).layers[-1].keyframes)
    pupil, _ = await join(relay, "pupil")
    await until(lambda: pupil.packets > 50)
    again = ScriptedPublisher()
    again.video_sequence, again.audio_sequence, again.video_ssrc, again.audio_ssrc = 9, 30_000, 55, 56
    await again.start(relay)
    await until(lambda: only(events, Disconnected, reason="replaced", session=teacher.session))
    await teacher.stop()
    again.stream()
    before = pupil.streams[H264].packets
    await until(lambda: pupil.streams[H264].packets > before + 30)
    assert pupil.lost == 0, "one sequence space throughout"
    assert {stream.ssrc for stream in pupil.streams.values()} == {s.ssrc for s in pupil.streams.values()}
    assert len(pupil.streams) == 2
    await again.close(silently=True)
    await pupil.close()


async def test_a_source_belongs_to_one_peer(relay: Relay, teacher: ScriptedPublisher) -> None:
    stranger = ScriptedPublisher()
    with pytest.raises(SourceTaken):
        await stranger.start(relay, peer="stranger")
    await stranger.close()
    screen = ScriptedPublisher()
    await screen.start(relay, peer="teacher", source=SourceName("screen"))
    floor = ScriptedPublisher()
    await floor.start(relay, peer="class-1", source=SourceName("class:class-1"))
    assert relay.totals().publishers == 3
    await relay.close_session(teacher.session)
    heir = ScriptedPublisher()
    await heir.start(relay, peer="heir")
    await relay.carry_out(CloseRoom(ROOM))
    assert (relay.totals().publishers, relay.totals().rooms) == (0, 0)
    for publisher in (screen, floor, heir):
        await publisher.close()


async def test_a_new_subscription_of_the_same_class_replaces_the_old(
    relay: Relay, teacher: ScriptedPublisher, events: list[MediaEvent]
) -> None:
    teacher.stream()
    old, old_session = await join(relay, "class-1")
    new, new_session = await join(relay, "class-1")
    await until(lambda: only(events, Disconnected, session=old_session))
    assert only(events, Disconnected, session=old_session)[0].reason == "replaced"
    await until(lambda: new.packets > 20)
    assert relay.session(new_session).connected
    await old.close()
    assert relay.session(new_session).connected, "the end of the old connection never removes the new one"
    await new.close()


async def test_who_may_be_there_no_longer_receives_and_sends_no_more(relay: Relay, teacher: ScriptedPublisher) -> None:
    teacher.stream()
    camera = ScriptedPublisher()
    await camera.start(relay, peer="class-1", source=SourceName("class:class-1"))
    gone, gone_session = await join(relay, "class-1")
    stays, stays_session = await join(relay, "class-2")
    await relay.carry_out(EndPeer(RoomId("elsewhere"), PeerId("class-1")))
    assert relay.session(gone_session).connected
    await relay.carry_out(EndPeer(ROOM, PeerId("class-1")))
    await asyncio.wait_for(gone.ended.wait(), SOON)
    assert {view.peer for view in relay.snapshot(ROOM).sessions} == {"teacher", "class-2"}
    assert relay.session(stays_session).connected
    await camera.close()
    for each in (gone, stays):
        await each.close()


async def test_a_changed_address_is_followed_after_an_authentic_check(relay: Relay, teacher: ScriptedPublisher) -> None:
    teacher.stream()
    pupil, session = await join(relay, "pupil")
    await until(lambda: pupil.packets > 20)
    pupil.peer.open(("127.0.0.1", relay.port))
    count = pupil.packets
    await asyncio.sleep(0.2)
    assert pupil.packets == count, "nothing follows an address that proved nothing"
    pupil.peer.check()
    await until(lambda: pupil.packets > count + 20)
    assert relay.session(session).connected
    await pupil.close()


async def test_ice_restart_changes_credentials_and_interrupts_nothing(relay: Relay, teacher: ScriptedPublisher) -> None:
    teacher.stream()
    pupil, session = await join(relay, "pupil")
    fragment = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
    before = relay.session(session).etag
    await relay.restart_ice(session, fragment)  # a restart that the peer never follows up
    count = pupil.packets
    await until(lambda: pupil.packets > count + 20)
    answer = await relay.restart_ice(session, fragment)
    assert len({before, answer.etag, relay.session(session).etag}) == 2
    await relay.trickle(session, fragment + "a=end-of-candidates\r\n")
    lines = dict(line[2:].split(":", 1) for line in answer.sdp.splitlines() if ":" in line)
    assert pupil.peer.answer is not None
    old = pupil.peer.answer
    pupil.peer.answer = replace(old, fragment=lines["ice-ufrag"], password=lines["ice-pwd"])
    answered = pupil.peer.checks_answered
    pupil.peer.check()
    await until(lambda: pupil.peer.checks_answered > answered)
    refused = relay.totals().refused_checks
    pupil.peer.answer = old
    pupil.peer.check()
    await until(lambda: relay.totals().refused_checks > refused)
    await pupil.close()


async def test_restarts_that_fail_one_after_the_other_leave_the_old_credentials_good(
    relay: Relay, teacher: ScriptedPublisher
) -> None:
    """Their answers were lost on the way: the peer knows the first credentials alone."""
    pupil, session = await join(relay, "pupil")
    await until(lambda: relay.session(session).connected)
    for number in range(3):
        await relay.restart_ice(session, f"a=ice-ufrag:EsA{number}\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n")
        answered = pupil.peer.checks_answered
        pupil.peer.check()
        await until(lambda before=answered: pupil.peer.checks_answered > before)
    assert len(relay._switchboard._by_fragment) == 3, "the teacher's, the old ones and the newest"
    await pupil.close()


async def test_a_session_that_ends_as_it_comes_up_never_was_there(
    relay: Relay, events: list[MediaEvent], teacher: ScriptedPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The class is closed in the very turn in which its handshake is done."""
    handshake = SecureChannel.handshake

    async def interrupted(channel: SecureChannel, fingerprints: Iterable[Fingerprint]) -> None:
        await handshake(channel, fingerprints)
        for session in list(relay._sessions.values()):
            if session.channel is channel:
                relay.end(session, "closed")

    peer = Peer()
    answer = await relay.publish(ROOM, SourceName("screen"), PeerId("teacher"), peer.offer(sends=True))
    monkeypatch.setattr(SecureChannel, "handshake", interrupted)
    await peer.connect(answer.sdp)
    await until(lambda: answer.session not in relay._sessions)
    await asyncio.sleep(0.1)
    assert only(events, Connected, session=answer.session) == []
    assert SourceName("screen") not in relay._rooms[ROOM].publications
    await peer.close()


async def test_an_unplugged_peer_expires_and_its_last_slots_are_unknown(events: list[MediaEvent]) -> None:
    relay = Relay(RelayConfig(slot_seconds=0.5, slot_grace_seconds=0.6, consent_seconds=1.5), events.append)
    await relay.start()
    teacher = ScriptedPublisher()
    await teacher.start(relay)
    teacher.stream()
    pupil, session = await join(relay, "pupil")
    await asyncio.sleep(1.0)
    pulled = time.time()
    await pupil.close(silently=True)
    keep = asyncio.create_task(_keep_checking(teacher))
    await until(lambda: only(events, Disconnected, session=session))
    assert only(events, Disconnected, session=session)[0].reason == "expired"
    slots = only(events, MediaSlot, session=session)
    known = [slot for slot in slots if slot.acknowledged is not None]
    assert known[-1].ended_at.timestamp() <= pulled + 0.05
    assert known[-1].ended_at.timestamp() >= pulled - 0.5
    after = [slot.acknowledged for slot in slots if slot.started_at.timestamp() > pulled]
    assert 2 <= len(after) <= 4  # 1.5 s of slots of half a second, wherever in a slot the plug was pulled
    assert set(after) == {None}
    keep.cancel()
    await asyncio.wait({keep})
    await relay.close()
    await teacher.close()


async def _keep_checking(publisher: ScriptedPublisher) -> None:
    while True:
        publisher.peer.check()
        await asyncio.sleep(0.3)


async def test_unfinished_sessions_are_limited_and_reaped(events: list[MediaEvent]) -> None:
    relay = Relay(RelayConfig(unfinished_seconds=0.5, max_unfinished=6, max_unfinished_per_peer=2), events.append)
    await relay.start()
    offer = ScriptedPublisher().peer.offer(sends=True)
    for _ in range(5):
        await relay.publish(ROOM, LEAD, PeerId("teacher"), offer)
    assert relay.totals().unfinished == 2
    for number in range(4):
        await relay.publish(ROOM, SourceName(f"class:{number}"), PeerId(str(number)), offer)
    with pytest.raises(Full):
        await relay.publish(ROOM, SourceName("class:9"), PeerId("9"), offer)
    await until(lambda: relay.totals().unfinished == 0, seconds=SOON)
    assert events == [], "what was never connected is not told"
    assert relay.totals().rooms == 0
    await relay.close()


async def test_after_failed_attempts_a_publisher_can_be_watched(relay: Relay) -> None:
    """The last failed attempt makes room for the one that succeeds, and takes nothing with it."""
    offer = ScriptedPublisher().peer.offer(sends=True)
    for _ in range(relay.config.max_unfinished_per_peer):
        await relay.publish(ROOM, LEAD, PeerId("teacher"), offer)
    teacher = ScriptedPublisher()
    await teacher.start(relay)
    teacher.stream()
    pupil, _ = await join(relay, "pupil")
    await until(lambda: pupil.packets > 10)
    await pupil.close()
    await teacher.close()


async def test_the_only_attempt_may_make_room_for_the_next(events: list[MediaEvent]) -> None:
    relay = Relay(RelayConfig(max_unfinished_per_peer=1), events.append)
    await relay.start()
    await relay.publish(ROOM, LEAD, PeerId("teacher"), ScriptedPublisher().peer.offer(sends=True))
    teacher = ScriptedPublisher()
    await teacher.start(relay)
    pupil, _ = await join(relay, "pupil")
    await relay.close()
    await pupil.close()
    await teacher.close()


async def test_a_full_relay_says_so(events: list[MediaEvent]) -> None:
    relay = Relay(RelayConfig(max_subscribers=1), events.append)
    await relay.start()
    teacher = ScriptedPublisher()
    await teacher.start(relay)
    pupil, _ = await join(relay, "one")
    with pytest.raises(Full):
        await join(relay, "two")
    again, _ = await join(relay, "one")
    await relay.close()
    assert {event.reason for event in only(events, Disconnected, role="publisher")} == {"shutdown"}
    await relay.close()
    for peer in (pupil, again, teacher):
        await peer.close()


async def test_a_listener_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def listen(event: MediaEvent) -> None:
        raise ValueError("no")

    relay = Relay(RelayConfig(), listen)
    await relay.start()
    teacher = ScriptedPublisher()
    await teacher.start(relay)
    assert relay.totals().publishers == 1
    assert "media_event_refused" in caplog.text
    await relay.close()
    await teacher.close()


async def test_over_ipv6_and_without_sendmmsg() -> None:
    for host, plain in (("::1", False), ("127.0.0.1", True)):
        relay = Relay(RelayConfig(host=host), lambda event: None)
        await relay.start()
        udp = relay._started()
        if plain:
            udp.sendmmsg, udp.longest_train = None, 1
        else:
            assert udp.sendmmsg is not None, "Linux has it"
        teacher = ScriptedPublisher()
        await teacher.start(relay)
        teacher.stream()
        pupils = [(await join(relay, f"class-{n}"))[0] for n in range(3)]
        await until(lambda p=pupils: all(pupil.packets > 40 for pupil in p))
        assert [pupil.lost for pupil in pupils] == [0, 0, 0]
        for peer in (*pupils, teacher):
            await peer.close()
        await relay.close()


async def test_announced_addresses_are_in_the_answer() -> None:
    relay = Relay(RelayConfig(announce=("192.0.2.7", "localhost")), lambda event: None)
    await relay.start()
    answer = await relay.publish(ROOM, LEAD, PeerId("t"), ScriptedPublisher().peer.offer(sends=True))
    assert f" 192.0.2.7 {relay.port} typ host" in answer.sdp
    assert f" 127.0.0.1 {relay.port} typ host" in answer.sdp
    await relay.close()


async def test_leaving_moves_nobody_elses_packets(relay: Relay, teacher: ScriptedPublisher) -> None:
    """More receivers than one batch; some leave from its middle."""
    pupils = [await join(relay, f"class-{n}") for n in range(70)]
    teacher.stream()
    await until(lambda: all(p.packets > 5 for p, _ in pupils))
    for _, session in pupils[10:60:10]:
        await relay.close_session(session)
    stay = [p for n, (p, _) in enumerate(pupils) if n not in range(10, 60, 10)]
    counts = [p.packets for p in stay]
    await until(lambda: all(p.packets > c + 30 for p, c in zip(stay, counts, strict=True)))
    assert all((p.lost, p.bad_samples) == (0, 0) for p in stay)
    for p, _ in pupils:
        await p.close()
