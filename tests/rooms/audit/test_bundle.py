"""The exported log verifies as it is and fails after any tampering, also by the owner of database and key."""

import ast
import io
import json
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.audit import append, verifier
from rooms.audit.bundle import export_bundle
from rooms.audit.checkpoints import sign_checkpoint
from rooms.audit.leaf import Leaf, canonical_json
from rooms.audit.merkle import leaf_hash, root
from rooms.audit.notes import Checkpoint, NoteKey, open_key
from rooms.audit.verifier import MAGIC, OK, TAMPERED, UNREADABLE, Unreadable, read_key, run, seal_message, verify
from rooms.clock import SystemClock
from rooms.store import SYSTEM, Store

AT = datetime(2026, 9, 1, 8, tzinfo=UTC)


def entry(index: int, word: str = "act") -> bytes:
    return Leaf(index, AT, "account:liwei", "planner", "test.act", f"thing:{word}{index}", "ok", "a").canonical()


def bundle_of(key: NoteKey, entries: list[bytes]) -> bytes:
    """A bundle as the holder of the key writes it: right in itself, whatever it says."""
    note = key.note(Checkpoint(key.name, len(entries), root(leaf_hash(each) for each in entries)).body)
    header = canonical_json({"checkpoint": note, "county": None, "exported_at": "", "size": len(entries)})
    above = b"".join(line + b"\n" for line in (MAGIC, header, *entries))
    return above + b"seal " + key.signature(seal_message(sha256(above).digest())).encode() + b"\n"


def checkpoint_of(key: NoteKey, entries: list[bytes]) -> str:
    return key.note(Checkpoint(key.name, len(entries), root(leaf_hash(each) for each in entries)).body)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> NoteKey:
    return open_key(tmp_path_factory.mktemp("key"))


def status(key: NoteKey, bundle: bytes, earlier: str | None = None) -> int:
    try:
        return verify(io.BytesIO(bundle), read_key(key.verifier.text), earlier).status
    except Unreadable:
        return UNREADABLE


async def test_an_exported_log_verifies(store: Store, tmp_path: Path) -> None:
    key = open_key(tmp_path)
    async with store.write() as session:
        for number in range(20):
            county = "a" if number % 2 else "b"
            await append(session, SYSTEM, "test.act", f"x:{number}", county=county, at=AT, facts={"名": "值"})
    earlier = await sign_checkpoint(store, SystemClock(), key)
    assert earlier is not None
    whole = await export_bundle(store, SystemClock(), SYSTEM, key, tmp_path / "whole")
    part = await export_bundle(store, SystemClock(), SYSTEM, key, tmp_path / "part", county="a")
    assert (whole.size, whole.shown) == (21, 21)
    assert (part.size, part.shown) == (22, 11)
    for exported in (whole, part):
        with exported.path.open("rb") as stream:
            report = verify(stream, read_key(key.verifier.text), earlier.note)
        assert (report.status, report.size, report.hidden) == (OK, exported.size, exported.size - exported.shown)
    assert b'"county":"b"' not in part.path.read_bytes()


def test_every_byte_counts(key: NoteKey) -> None:
    bundle = bundle_of(key, [entry(number) for number in range(7)])
    assert status(key, bundle) == OK
    for position in range(len(bundle)):
        for change in (0x01, 0x20, 0x80):
            spoiled = bytearray(bundle)
            spoiled[position] ^= change
            assert status(key, bytes(spoiled)) != OK, position


def test_what_is_cut_off_or_added_is_seen(key: NoteKey) -> None:
    bundle = bundle_of(key, [entry(number) for number in range(5)])
    assert all(status(key, bundle[:length]) != OK for length in range(len(bundle)))
    assert status(key, bundle + b"\n") == TAMPERED
    assert status(key, bundle + bundle) == TAMPERED
    assert status(key, bundle.replace(b"\n", b"\r\n")) != OK


Tampering = Callable[[list[bytes], random.Random], list[bytes]]


def edited(entries: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(entries))
    return [*entries[:place], entry(place, "forged"), *entries[place + 1 :]]


def deleted(entries: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(entries))
    return entries[:place] + entries[place + 1 :]


def inserted(entries: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(entries))
    return [*entries[:place], entry(place, "extra"), *entries[place:]]


def reordered(entries: list[bytes], chance: random.Random) -> list[bytes]:
    one, two = chance.sample(range(len(entries)), 2)
    swapped = list(entries)
    swapped[one], swapped[two] = swapped[two], swapped[one]
    return swapped


def truncated(entries: list[bytes], chance: random.Random) -> list[bytes]:
    return entries[: chance.randrange(1, len(entries))]


ALL: list[Tampering] = [edited, deleted, inserted, reordered, truncated]


@pytest.mark.parametrize("tampering", ALL)
@given(st.integers(2, 40), st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_tampering_with_the_file_is_seen(key: NoteKey, tampering: Tampering, size: int, chance: random.Random) -> None:
    """Without the key: the entries change, header and seal stay."""
    entries = [entry(number) for number in range(size)]
    lines = bundle_of(key, entries).split(b"\n")
    spoiled = b"\n".join([*lines[:2], *tampering(entries, chance), *lines[-2:]])
    assert status(key, spoiled) == TAMPERED


@pytest.mark.parametrize("tampering", ALL)
@given(st.integers(2, 40), st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_a_rewrite_by_the_owner_is_seen_against_an_earlier_checkpoint(
    key: NoteKey, tampering: Tampering, size: int, chance: random.Random
) -> None:
    """With database and key in one hand everything can be signed anew; the checkpoint carried outside cannot."""
    entries = [entry(number) for number in range(size)]
    earlier = checkpoint_of(key, entries)
    changed = [json.loads(each) | {"index": place} for place, each in enumerate(tampering(entries, chance))]
    forged = bundle_of(key, [canonical_json(each) for each in changed])
    assert status(key, forged) == OK
    assert status(key, forged, earlier) == TAMPERED
    longer = bundle_of(
        key, [canonical_json(each) for each in changed] + [entry(len(changed) + n, "later") for n in range(3)]
    )
    assert status(key, longer, earlier) == TAMPERED


def test_a_fork_is_seen(key: NoteKey) -> None:
    common = [entry(number) for number in range(6)]
    one = [*common, entry(6, "shown to one"), entry(7)]
    two = [*common, entry(6, "shown to the other"), entry(7)]
    assert status(key, bundle_of(key, one), checkpoint_of(key, common)) == OK
    assert status(key, bundle_of(key, two), checkpoint_of(key, common)) == OK
    assert status(key, bundle_of(key, two), checkpoint_of(key, one)) == TAMPERED


def test_another_key_is_not_believed(key: NoteKey, tmp_path: Path) -> None:
    other = open_key(tmp_path)
    entries = [entry(number) for number in range(4)]
    assert status(other, bundle_of(key, entries)) == TAMPERED
    assert status(key, bundle_of(key, entries), checkpoint_of(other, entries)) == TAMPERED


@pytest.mark.parametrize("size", [0, 1, 2, 3, (1 << 14) - 1, 1 << 14, (1 << 14) + 1, (1 << 15) + 5])
def test_chunks_fold_to_the_same_root(key: NoteKey, size: int) -> None:
    entries = [entry(number) for number in range(size)]
    earlier = checkpoint_of(key, entries[: size // 2]) if size > 1 else None
    assert status(key, bundle_of(key, entries), earlier) == OK


@pytest.mark.parametrize("text", [b"", b"hello", MAGIC, MAGIC + b"\n", MAGIC + b"\nnot json\n", MAGIC + b"\n[]\n"])
def test_what_is_no_bundle_is_unreadable(key: NoteKey, text: bytes) -> None:
    assert status(key, text) == UNREADABLE


def test_the_result_is_said_in_both_languages(key: NoteKey, tmp_path: Path) -> None:
    bundle, note, public = tmp_path / "b", tmp_path / "n", tmp_path / "k"
    entries = [entry(number) for number in range(4)]
    bundle.write_bytes(bundle_of(key, entries))
    note.write_text(checkpoint_of(key, entries[:2]))
    public.write_text(key.verifier.text + "\n")
    said: list[str] = []
    assert run(bundle, key.verifier.text, None, said.append) == OK
    assert any("不能排除" in line for line in said)
    assert any("cannot be excluded" in line for line in said)
    said.clear()
    assert run(bundle, str(public), note, said.append) == OK
    assert not any("不能排除" in line for line in said)
    assert run(bundle, "nonsense", None, said.append) == UNREADABLE
    assert run(tmp_path / "missing", key.verifier.text, None, said.append) == UNREADABLE
    note.write_bytes(b"\xff")
    assert run(bundle, key.verifier.text, note, said.append) == UNREADABLE


def test_the_verifier_is_one_file_that_runs_alone(key: NoteKey, tmp_path: Path) -> None:
    source = Path(verifier.__file__).read_text("utf-8")
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    foreign = {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names)
    assert foreign == {"cryptography"}
    alone, bundle = tmp_path / "verifier.py", tmp_path / "log.bundle"
    alone.write_text(source, "utf-8")
    bundle.write_bytes(bundle_of(key, [entry(number) for number in range(4)]))
    command = [sys.executable, "-I", str(alone), str(bundle), "--key", key.verifier.text]
    good = subprocess.run(command, capture_output=True, cwd=tmp_path)
    assert good.returncode == OK
    assert "验证通过" in good.stdout.decode()
    bundle.write_bytes(bundle.read_bytes().replace(b"thing:act2", b"thing:cat2", 1))
    assert subprocess.run(command, capture_output=True, cwd=tmp_path).returncode == TAMPERED


def test_every_sentence_stands_in_both_languages() -> None:
    for chinese, english in verifier.SENTENCES.values():
        assert any(ord(letter) > 0x4E00 for letter in chinese)
        assert english.isascii()
