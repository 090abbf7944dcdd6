"""The little of STUN (RFC 8489) that an ICE-lite agent and a plain client need: binding requests and their answers.

The parser takes any bytes and answers None rather than raise, so that a flood of junk costs no tracebacks.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import struct
import zlib
from dataclasses import dataclass

COOKIE = 0x2112A442
REQUEST, RESPONSE = 0x0001, 0x0101
"""Message types: a binding request and its success response (RFC 8489 §5)."""
USERNAME, INTEGRITY, XOR_MAPPED, PRIORITY = 0x0006, 0x0008, 0x0020, 0x0024
USE_CANDIDATE, FINGERPRINT, CONTROLLING = 0x0025, 0x8028, 0x802A
"""Attributes of RFC 8489 §14, and those that ICE adds (RFC 8445 §16.1)."""
_FINGERPRINT_XOR = 0x5354554E
"""RFC 8489 §14.7."""
LARGEST = 1024
"""Bytes of a message; a browser's check has about a hundred."""
CHECK_PRIORITY = 0x6E7F00FF
"""Of the peer-reflexive candidate that a check may find (RFC 8445 §7.1.1): type preference 110, component 1."""
_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")

Address = tuple[str, int] | tuple[str, int, int, int]
"""As the socket module gives it: IPv4 (host, port) or IPv6 (host, port, flow, scope)."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A binding request or success response, well formed but not yet proved authentic."""

    kind: int
    transaction: bytes
    username: str
    use_candidate: bool
    signed: bytes
    """The message up to its integrity attribute, its length field as RFC 8489 §14.5 wants it for the check."""
    signature: bytes

    @property
    def addressee(self) -> str:
        """The receiver's ufrag: the part of the username before the colon."""
        return self.username.partition(":")[0]

    def authentic(self, password: str) -> bool:
        """True when the message was signed with this ICE password."""
        return hmac.compare_digest(hmac.digest(password.encode(), self.signed, "sha1"), self.signature)


def parse(datagram: bytes) -> Binding | None:
    """Reads a binding request or response with an integrity attribute; None for anything else."""
    size = len(datagram)
    if size < 20 or size > LARGEST:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(datagram)
    if kind not in (REQUEST, RESPONSE) or cookie != COOKIE or length != size - 20 or length % 4:
        return None
    username, use_candidate, at = "", False, 20
    while at + 4 <= size:
        name, count = _ATTRIBUTE.unpack_from(datagram, at)
        body, end = at + 4, at + 4 + count
        if end > size:
            return None
        if name == INTEGRITY:
            if count != 20:
                return None
            signed = datagram[:2] + struct.pack("!H", at + 4) + datagram[4:at]
            return Binding(kind, transaction, username, use_candidate, signed, datagram[body:end])
        if name == USERNAME:
            username = datagram[body:end].decode("ascii", "replace")
        elif name == USE_CANDIDATE:
            use_candidate = True
        at = end + (-count % 4)
    return None


def _attribute(name: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(name, len(value)) + value + bytes(-len(value) % 4)


def _sealed(kind: int, transaction: bytes, attributes: bytes, password: str) -> bytes:
    """The message with integrity and fingerprint, each computed over the length that includes it."""
    message = _HEADER.pack(kind, len(attributes) + 24, COOKIE, transaction) + attributes
    message += _attribute(INTEGRITY, hmac.digest(password.encode(), message, "sha1"))
    message = message[:2] + struct.pack("!H", len(message) - 20 + 8) + message[4:]
    return message + _attribute(FINGERPRINT, struct.pack("!I", zlib.crc32(message) ^ _FINGERPRINT_XOR))


def response(transaction: bytes, address: Address, password: str) -> bytes:
    """The success response that tells the peer under which address it was seen."""
    host = ipaddress.ip_address(address[0].partition("%")[0])
    if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped is not None:
        host = host.ipv4_mapped
    mask = struct.pack("!I", COOKIE) + transaction
    port = address[1] ^ (COOKIE >> 16)
    masked = bytes(a ^ b for a, b in zip(host.packed, mask, strict=False))
    value = struct.pack("!BBH", 0, 1 if host.version == 4 else 2, port) + masked
    return _sealed(RESPONSE, transaction, _attribute(XOR_MAPPED, value), password)


def request(*, addressee: str, sender: str, password: str) -> bytes:
    """A connectivity check of a controlling agent that nominates at once, as a client of an ICE-lite server may."""
    attributes = (
        _attribute(USERNAME, f"{addressee}:{sender}".encode())
        + _attribute(PRIORITY, struct.pack("!I", CHECK_PRIORITY))
        + _attribute(CONTROLLING, secrets.token_bytes(8))
        + _attribute(USE_CANDIDATE, b"")
    )
    return _sealed(REQUEST, secrets.token_bytes(12), attributes, password)
