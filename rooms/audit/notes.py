"""Signed notes and tlog checkpoints (C2SP signed-note and tlog-checkpoint), and the Ed25519 key that signs them."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rooms.keys import made_once

KEY_FILE = "audit.key"
_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint states: the log's origin, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """The text that is signed, tlog-checkpoint without extensions."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes that tell keys of one name apart, C2SP signed-note."""
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public half of a note key: what an auditor keeps outside the county."""

    name: str
    public: bytes

    @property
    def text(self) -> str:
        """The key in one line, ``name+id+base64``."""
        return f"{self.name}+{key_id(self.name, self.public).hex()}+{b64encode(_ED25519 + self.public).decode()}"

    def signed(self, message: bytes, signature: str) -> bool:
        """Whether the base64 signature line's value is this key's over the message."""
        try:
            raw = b64decode(signature, validate=True)
            Ed25519PublicKey.from_public_bytes(self.public).verify(raw[4:], message)
        except (ValueError, InvalidSignature):
            return False
        return raw[:4] == key_id(self.name, self.public)


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A named Ed25519 key that signs notes."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.private.public_key().public_bytes_raw())

    def signature(self, message: bytes) -> str:
        """The value of a signature line: key id and signature in base64."""
        raw = key_id(self.name, self.verifier.public) + self.private.sign(message)
        return b64encode(raw).decode()

    def note(self, body: str) -> str:
        """The signed note of a text that ends with a line break."""
        return f"{body}\n\u2014 {self.name} {self.signature(body.encode())}\n"

    @property
    def text(self) -> str:
        """The key in the one-line form of signed notes; secret."""
        seed = b64encode(_ED25519 + self.private.private_bytes_raw()).decode()
        return f"PRIVATE+KEY+{self.name}+{key_id(self.name, self.verifier.public).hex()}+{seed}"


def read_key(text: str) -> NoteKey:
    """A key from its one-line form. ValueError where it is none."""
    head, word, name, _, seed = text.strip().split("+", 4)
    raw = b64decode(seed, validate=True)
    if (head, word) != ("PRIVATE", "KEY") or raw[:1] != _ED25519 or not name:
        raise ValueError("not a signing key of a note")
    return NoteKey(name, Ed25519PrivateKey.from_private_bytes(raw[1:]))


def open_key(data_dir: Path, public_url: str = "") -> NoteKey:
    """The log's signing key, made at first use in a file that its owner alone can read.

    Its name, the log's origin, is the public host's with ``/audit``; a key once made keeps its name.
    """
    name = f"{urlsplit(public_url).hostname or 'sanke'}/audit"
    made = NoteKey(name, Ed25519PrivateKey.generate())
    return read_key(made_once(data_dir / KEY_FILE, f"{made.text}\n".encode()).decode())
