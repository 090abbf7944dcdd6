"""A leaf of the audit log: canonical JSON, with salted commitments in place of what is personal."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

VERSION = 1
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens a commitment: erasing it keeps the proof and loses the value."""

    salt: bytes
    value: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """Who did what to what, when, and how it ended."""

    index: int
    at: datetime
    actor: str
    role: str
    action: str
    object: str
    result: str
    county: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    personal: Mapping[str, Opening] = field(default_factory=dict)

    def canonical(self) -> bytes:
        """The bytes that are hashed: UTF-8 JSON, sorted keys, no spaces, one line."""
        return canonical_json(
            {
                "v": VERSION,
                "index": self.index,
                "at": self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "actor": self.actor,
                "role": self.role,
                "action": self.action,
                "object": self.object,
                "result": self.result,
                "county": self.county,
                "facts": dict(self.facts),
                "personal": {name: commitment(name, opening) for name, opening in self.personal.items()},
            }
        )


def canonical_json(value: object) -> bytes:
    """The one form of a value. Dates become ISO text; TypeError for what JSON cannot hold, ValueError for NaN."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_iso
    ).encode()


def _iso(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot stand in an audit entry")


def opening(value: str) -> Opening:
    """A value with fresh salt."""
    return Opening(secrets.token_bytes(SALT_BYTES), value)


def commitment(name: str, opening: Opening) -> str:
    """HMAC-SHA-256 of field name and value under the salt, in hex: says nothing about the value without the salt."""
    return hmac.new(opening.salt, name.encode() + b"\x00" + opening.value.encode(), sha256).hexdigest()
