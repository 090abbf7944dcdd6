"""Keys and signed checkpoints."""

import asyncio
import stat
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs
from waiting import until

from rooms.audit import append
from rooms.audit.checkpoints import TOPIC, Checkpointer, SignedCheckpoint, newest_checkpoint, sign_checkpoint
from rooms.audit.merkle import root
from rooms.audit.notes import open_key, read_key
from rooms.audit.verifier import read_key as read_public
from rooms.audit.verifier import read_note
from rooms.bus.memory import MemoryBus
from rooms.clock import SystemClock
from rooms.store import SYSTEM, Store
from rooms.tables import AuditCheckpoint, AuditLeaf

AT = datetime(2026, 9, 1, 8, tzinfo=UTC)


async def act(store: Store) -> None:
    async with store.write() as session:
        await append(session, SYSTEM, "test.act", "thing", at=AT)


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = open_key(tmp_path / "new", "https://sanke.example.edu.cn:8443")
    path = tmp_path / "new" / "audit.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.name == "sanke.example.edu.cn/audit"
    assert open_key(tmp_path / "new").text == key.text
    assert read_key(key.text).verifier == key.verifier
    assert "PRIVATE" not in key.verifier.text


def test_a_note_has_the_form_of_c2sp(tmp_path: Path) -> None:
    key = open_key(tmp_path)
    note = key.note(f"{key.name}\n3\nAAAA\n")
    assert note.startswith(f"{key.name}\n3\nAAAA\n\n\u2014 {key.name} ")
    assert note.endswith("\n")
    signature = b64decode(note.rstrip("\n").rpartition(" ")[2])
    assert len(signature) == 4 + 64
    assert signature[:4].hex() == key.verifier.text.split("+")[1]


async def test_a_checkpoint_covers_the_log(store: Store, tmp_path: Path) -> None:
    key = open_key(tmp_path)
    assert await sign_checkpoint(store, SystemClock(), key) is None
    for _ in range(5):
        await act(store)
    signed = await sign_checkpoint(store, SystemClock(), key)
    assert signed is not None
    async with store.read() as session:
        leaves = list(await session.scalars(select(AuditLeaf.leaf_hash).order_by(AuditLeaf.index)))
    note = read_note(signed.note, read_public(key.verifier.text), "bad_note")
    assert (note.origin, note.size, note.root, note.signed) == (key.name, 5, root(leaves), True)
    again = await sign_checkpoint(store, SystemClock(), key)
    assert again is not None
    assert again.note == signed.note
    async with store.read() as session:
        assert await session.scalar(select(func.count()).select_from(AuditCheckpoint)) == 1


async def test_a_servers_own_key_signs_what_it_hands_out(store: Store, tmp_path: Path) -> None:
    """Two servers with data folders of their own, to which nobody copied the key."""
    one, other = open_key(tmp_path / "one"), open_key(tmp_path / "other")
    await act(store)
    with capture_logs() as logs:
        assert await sign_checkpoint(store, SystemClock(), one) is not None
        assert logs == []
        signed = await sign_checkpoint(store, SystemClock(), other)
        assert [line["event"] for line in logs] == ["audit_key_differs"]
    assert signed is not None
    assert read_note(signed.note, read_public(other.verifier.text), "bad_note").signed
    newest = await _newest(store)
    assert newest is not None
    assert read_note(newest.note, read_public(one.verifier.text), "bad_note").signed, "what is signed stays"


async def test_checkpoints_are_signed_at_intervals_when_asked_and_at_the_end(store: Store, tmp_path: Path) -> None:
    async def reached(size: int) -> None:
        async def newest() -> bool:
            async with store.read() as session:
                found = await newest_checkpoint(session)
            return found is not None and found.size == size

        await until(newest, f"a checkpoint of {size}")

    bus = MemoryBus()
    often = Checkpointer(store, SystemClock(), bus, lambda: open_key(tmp_path), 0.05)
    await often.start()
    await act(store)
    await reached(1)
    await often.close()
    seldom = Checkpointer(store, SystemClock(), bus, lambda: open_key(tmp_path), 3600)
    await seldom.start()
    await act(store)
    await asyncio.sleep(0)
    await bus.publish(TOPIC, {})
    await reached(2)
    await act(store)
    await seldom.close()
    await reached(3)


async def test_a_key_that_cannot_be_read_is_told_and_tried_again(store: Store, tmp_path: Path) -> None:
    """Half a file from a backup; the operator puts the whole one there."""
    whole = open_key(tmp_path).text
    (tmp_path / "audit.key").write_text("PRIVATE")
    often = Checkpointer(store, SystemClock(), MemoryBus(), lambda: open_key(tmp_path), 0.02)
    await act(store)
    with capture_logs() as logs:
        await often.start()
        await until(lambda: logs, "the failure is told")
        assert logs[0]["event"] == "checkpoint_failed"
        (tmp_path / "audit.key").write_text(whole)
        await until(lambda: _newest(store), "a checkpoint")
        await often.close()


async def _newest(store: Store) -> SignedCheckpoint | None:
    async with store.read() as session:
        return await newest_checkpoint(session)


@pytest.mark.parametrize("text", ["", "a+b", "PRIVATE+KEY+x+00000000+AAAA", "PUBLIC+KEY+x+0+AQ=="])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_key(text)
