"""Checks an audit bundle, alone: this one file needs Python 3.11 and the ``cryptography`` package, and no network.

    python verifier.py BUNDLE --key KEY [--last-checkpoint NOTE]

KEY is the log's public key (``name+id+base64``) or a file with it; NOTE a checkpoint that was carried out of the county
earlier. It ends with 0 where everything fits, 1 where the log was tampered with, 2 where something could not be read.
An auditor takes it along, so its sentences stand here in both languages and not in the server's catalogues, and it
carries its own copy of the few lines of RFC 6962 that it needs.
"""

from __future__ import annotations

import argparse
import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Digest(Protocol):
    """A running SHA-256."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


MAGIC = b"sanke audit bundle v1"
OK, TAMPERED, UNREADABLE = 0, 1, 2
CHUNK = 1 << 14
LONGEST_LINE = 1 << 20

SENTENCES: dict[str, tuple[str, str]] = {
    "unreadable_file": ("无法读取文件：{reason}", "The file cannot be read: {reason}"),
    "not_a_bundle": ("该文件不是审计日志包。", "The file is not an audit bundle."),
    "bad_key": ("公钥格式不正确。", "The public key is malformed."),
    "bad_note": ("检查点文件格式不正确。", "The checkpoint given is malformed."),
    "bad_header": ("日志包的头部已损坏。", "The bundle's header is damaged."),
    "foreign_checkpoint": (
        "日志包中的检查点不是由该公钥签署的。",
        "The bundle's checkpoint is not signed by this key.",
    ),
    "foreign_note": ("所给的检查点不是由该公钥签署的。", "The checkpoint given is not signed by this key."),
    "bad_seal": ("文件内容与导出时不一致（封签不符）。", "The file is not as it was exported (the seal does not fit)."),
    "no_seal": ("文件末尾缺失（没有封签）。", "The end of the file is missing (no seal)."),
    "bad_entry": ("第 {position} 条记录无法解析。", "Entry {position} cannot be read."),
    "wrong_number": (
        "第 {position} 条记录的编号为 {number}：有记录被删除、插入或调换。",
        "Entry {position} carries the number {number}: entries were deleted, inserted or moved.",
    ),
    "wrong_size": (
        "日志包含 {found} 条记录，检查点签署的是 {size} 条。",
        "The bundle holds {found} entries, its checkpoint was signed over {size}.",
    ),
    "wrong_root": (
        "记录内容与检查点签署的根哈希不符：有记录被改动。",
        "The entries do not give the root that was signed: something in them was changed.",
    ),
    "rolled_back": (
        "日志比早先的检查点短：早先 {earlier} 条，现在 {size} 条，日志被截断或回滚。",
        "The log is shorter than at the earlier checkpoint ({earlier} entries then, {size} now): cut off or rolled back.",
    ),
    "rewritten": (
        "前 {earlier} 条记录与早先的检查点不符：日志被改写或出现分叉。",
        "The first {earlier} entries are not those of the earlier checkpoint: the log was rewritten or forked.",
    ),
    "intact": ("验证通过：{size} 条记录完整，未被改动。", "Verified: {size} entries, complete and unchanged."),
    "hidden": (
        "其中 {hidden} 条不在导出范围内，仅以哈希值出现。",
        "{hidden} of them lie outside the exported scope and stand as hashes alone.",
    ),
    "continues": (
        "与早先的检查点（{earlier} 条）一致，其后只有追加。",
        "It continues the earlier checkpoint ({earlier} entries): since then, entries were only added.",
    ),
    "rollback_possible": (
        "未提供早先的检查点，因此不能排除日志被整体回滚或重写。请保存本次的检查点，下次验证时使用。",
        (
            "No earlier checkpoint was given, so a rollback or a rewrite of the whole log cannot be excluded. "
            "Keep this checkpoint and give it next time."
        ),
    ),
    "tampered": ("验证未通过：日志已被篡改。", "NOT verified: the log was tampered with."),
    "checkpoint": ("检查点：{size} 条，根哈希 {root}", "Checkpoint: {size} entries, root {root}"),
}


class Unreadable(Exception):
    """Something given is not what it should be; `code` names the sentence."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass
class Report:
    """What the check found. `faults` and `remarks` are codes of `SENTENCES` with their facts."""

    status: int = OK
    size: int = 0
    hidden: int = 0
    root: bytes = b""
    note: str = ""
    faults: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    remarks: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def fault(self, code: str, **facts: object) -> None:
        self.status = TAMPERED
        if code not in {known for known, _ in self.faults}:
            self.faults.append((code, facts))

    def sentences(self) -> Iterator[tuple[str, str]]:
        """Chinese and English, line by line, the result first."""
        if self.status == TAMPERED:
            yield SENTENCES["tampered"]
        elif self.status == OK:
            yield _filled("intact", {"size": self.size})
        for code, facts in self.faults + self.remarks:
            yield _filled(code, facts)


def _filled(code: str, facts: dict[str, object]) -> tuple[str, str]:
    chinese, english = SENTENCES[code]
    return chinese.format(**facts), english.format(**facts)


@dataclass(frozen=True)
class Key:
    """The log's public key."""

    name: str
    identity: bytes
    public: Ed25519PublicKey

    def signed(self, message: bytes, signature: str) -> bool:
        try:
            raw = b64decode(signature, validate=True)
            self.public.verify(raw[4:], message)
        except (ValueError, InvalidSignature):
            return False
        return raw[:4] == self.identity and b64encode(raw).decode() == signature


def read_key(text: str) -> Key:
    """A key from ``name+id+base64``, whose id must fit."""
    try:
        name, identity, encoded = text.strip().split("+", 2)
        raw = b64decode(encoded, validate=True)
        key = Key(name, bytes.fromhex(identity), Ed25519PublicKey.from_public_bytes(raw[1:]))
    except ValueError:
        raise Unreadable("bad_key") from None
    if raw[:1] != b"\x01" or sha256(name.encode() + b"\n" + raw).digest()[:4] != key.identity:
        raise Unreadable("bad_key")
    return key


@dataclass(frozen=True)
class Note:
    """A checkpoint note taken apart."""

    origin: str
    size: int
    root: bytes
    signed: bool


def read_note(text: str, key: Key, code: str) -> Note:
    """A checkpoint and whether the key signed it; `code` is what to say where it is none."""
    body, blank, signatures = text.rpartition("\n\n")
    lines = body.split("\n")
    try:
        if not blank or len(lines) != 3 or not lines[1].isdigit() or str(int(lines[1])) != lines[1]:
            raise ValueError
        root = b64decode(lines[2], validate=True)
    except ValueError:
        raise Unreadable(code) from None
    mark = f"\u2014 {key.name} "
    signed = lines[0] == key.name and any(
        key.signed(f"{body}\n".encode(), line.removeprefix(mark))
        for line in signatures.removesuffix("\n").split("\n")
        if line.startswith(mark)
    )
    return Note(lines[0], int(lines[1]), root, signed)


def seal_message(digest: bytes) -> bytes:
    """What the seal signs: the format's name and the digest of all lines above it."""
    return MAGIC + b" seal\n" + digest


def verify(stream: BinaryIO, key: Key, earlier: str | None = None) -> Report:
    """Check a bundle against the key and, where given, an earlier checkpoint note. Raises `Unreadable`."""
    report = Report()
    known = read_note(earlier, key, "bad_note") if earlier is not None else None
    if known is not None and not known.signed:
        report.fault("foreign_note")
    seal = sha256()
    note = _read_header(stream, seal, key, report)
    _check_entries(stream, seal, key, note, known, report)
    if known is None:
        report.remarks.append(("rollback_possible", {}))
    elif report.status == OK:
        report.remarks.append(("continues", {"earlier": known.size}))
    if report.hidden:
        report.remarks.insert(0, ("hidden", {"hidden": report.hidden}))
    if report.status == OK:
        report.remarks.append(("checkpoint", {"size": report.size, "root": b64encode(report.root).decode()}))
    return report


class _Tree:
    """RFC 6962: the roots of the perfect subtrees, largest first."""

    def __init__(self, size: int = 0, edge: tuple[bytes, ...] = ()) -> None:
        self.size, self.edge = size, list(edge)

    def extend(self, leaves: list[bytes]) -> None:
        """Add leaf hashes; a whole chunk is folded at once, level by level, for speed."""
        if len(leaves) != CHUNK or self.size % CHUNK:
            for leaf in leaves:
                self._push(leaf, 1)
            return
        while len(leaves) > 1:
            pairs = iter(leaves)
            leaves = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
        self._push(leaves[0], CHUNK)

    def _push(self, node: bytes, span: int) -> None:
        units = self.size // span
        while units & 1:
            node = sha256(b"\x01" + self.edge.pop() + node).digest()
            units >>= 1
        self.edge.append(node)
        self.size += span

    def root(self) -> bytes:
        if not self.edge:
            return sha256(b"").digest()
        root = self.edge[-1]
        for subtree in reversed(self.edge[:-1]):
            root = sha256(b"\x01" + subtree + root).digest()
        return root

    def root_with(self, leaves: list[bytes]) -> bytes:
        """The root if these were added; the tree stays as it is."""
        ahead = _Tree(self.size, tuple(self.edge))
        ahead.extend(leaves)
        return ahead.root()


def _read_header(stream: BinaryIO, seal: Digest, key: Key, report: Report) -> Note:
    first = stream.readline(len(MAGIC) + 2)
    if first != MAGIC + b"\n":
        raise Unreadable("not_a_bundle")
    line = stream.readline(LONGEST_LINE)
    seal.update(first + line)
    try:
        header = json.loads(line)
        report.note, size = header["checkpoint"], header["size"]
        note = read_note(report.note, key, "bad_header")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable("bad_header") from None
    if not note.signed:
        report.fault("foreign_checkpoint")
    if size != note.size:
        report.fault("wrong_size", found=size, size=note.size)
    return note


def _check_entries(stream: BinaryIO, seal: Digest, key: Key, note: Note, known: Note | None, report: Report) -> None:
    tree = _Tree()
    state = "no_seal"
    while lines := list(islice(stream, CHUNK)):
        if lines[-1].startswith(b"seal "):
            state = "sealed" if _sealed(lines.pop(), seal, lines, key) else "bad_seal"
        else:
            seal.update(b"".join(lines))
            state = "no_seal"
        leaves = _leaf_hashes(lines, tree.size, report)
        covered = known is not None and tree.size <= known.size <= tree.size + len(leaves)
        if known is not None and covered and tree.root_with(leaves[: known.size - tree.size]) != known.root:
            report.fault("rewritten", earlier=known.size)
        tree.extend(leaves)
    if state != "sealed":
        report.fault(state)
    report.size, report.root = tree.size, tree.root()
    if tree.size != note.size:
        report.fault("wrong_size", found=tree.size, size=note.size)
    elif report.root != note.root:
        report.fault("wrong_root")
    if known is not None and tree.size < known.size:
        report.fault("rolled_back", earlier=known.size, size=tree.size)


def _sealed(last: bytes, seal: Digest, lines: list[bytes], key: Key) -> bool:
    seal.update(b"".join(lines))
    signature = last.removeprefix(b"seal ").removesuffix(b"\n").decode("ascii", "replace")
    return last.endswith(b"\n") and key.signed(seal_message(seal.digest()), signature)


def _leaf_hashes(lines: list[bytes], start: int, report: Report) -> list[bytes]:
    found = []
    for position, line in enumerate(lines, start):
        entry = line[:-1]
        if entry[:1] == b"=":
            report.hidden += 1
            found.append(_hidden(entry, position, report))
            continue
        if b'"index":%d,"object":' % position not in entry:
            _misplaced(entry, position, report)
        found.append(sha256(b"\x00" + entry).digest())
    return found


def _hidden(entry: bytes, position: int, report: Report) -> bytes:
    try:
        return bytes.fromhex(entry[1:].decode("ascii"))
    except ValueError:
        report.fault("bad_entry", position=position)
        return b""


def _misplaced(entry: bytes, position: int, report: Report) -> None:
    try:
        number = json.loads(entry)["index"]
    except (ValueError, KeyError, TypeError, RecursionError):
        report.fault("bad_entry", position=position)
    else:
        report.fault("wrong_number", position=position, number=number)


def run(bundle: Path, key: str, last_checkpoint: Path | None, say: Callable[[str], None]) -> int:
    """Check the file, say the result in both languages, and return the exit code."""
    try:
        known = last_checkpoint.read_text("utf-8") if last_checkpoint is not None else None
        public = read_key(Path(key).read_text("utf-8") if Path(key).is_file() else key)
        with bundle.open("rb") as stream:
            report = verify(stream, public, known)
    except Unreadable as reason:
        sentences = [_filled(reason.code, reason.facts)]
        status = UNREADABLE
    except (OSError, UnicodeError) as reason:
        sentences = [_filled("unreadable_file", {"reason": reason})]
        status = UNREADABLE
    else:
        sentences, status = list(report.sentences()), report.status
    for chinese, english in sentences:
        say(chinese)
        say(english)
    return status


def main() -> None:
    """The command line of this file alone."""
    parser = argparse.ArgumentParser(description="验证审计日志包 / Check an audit bundle")
    parser.add_argument("bundle", type=Path, help="日志包 / the bundle")
    parser.add_argument("--key", required=True, help="公钥或其文件 / the public key, or a file with it")
    parser.add_argument("--last-checkpoint", type=Path, help="早先保存的检查点 / a checkpoint kept earlier")
    given = parser.parse_args()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(run(given.bundle, given.key, given.last_checkpoint, print))


if __name__ == "__main__":
    main()
