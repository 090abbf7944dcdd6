"""What it takes to reach an encoder: the networks that may be pulled from, the RTMP door, and the key of the sealed addresses."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken

from media.encoders.addresses import Allowed, RtspUrl, parse_url
from media.encoders.encoder import Origin, Pull
from media.encoders.rtmp.door import ALONE, Push, RtmpDoor, Turn
from media.encoders.values import EncoderRefused
from rooms.encoders.uses import PUSHED
from rooms.tables import RoomEncoder


class Vault:
    """Seals addresses with 32 octets of the server's own; who has the database alone cannot read them."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    @property
    def _fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._key()))

    def seal(self, url: RtspUrl) -> bytes:
        """The address as it is stored."""
        return self._fernet.encrypt(url.full().encode())

    def open(self, sealed: bytes) -> RtspUrl:
        """The address. Raises EncoderRefused where it was sealed with another key."""
        try:
            return parse_url(self._fernet.decrypt(sealed).decode())
        except InvalidToken:
            raise EncoderRefused("address_refused", "sealed with another key") from None


@dataclass(frozen=True, slots=True)
class Gear:
    """Made once for each server. `door` is None where this one has no RTMP port; `push_url` is where encoders are told to push
    to, the same for all servers, whichever has a port; empty where none has."""

    vault: Vault
    allowed: Allowed
    door: RtmpDoor | None
    push_url: str = ""

    def reaches(self, kind: str) -> bool:
        """Whether this server can use encoders of this kind."""
        return self.door is not None if kind == PUSHED else bool(self.allowed.networks)

    def offers(self, kind: str) -> bool:
        """Whether encoders of this kind can be used at all, here or at another server."""
        return self.reaches(kind) or (kind == PUSHED and bool(self.push_url))

    def origin(self, encoder: RoomEncoder, turn: Turn = ALONE) -> Origin:
        """Where its stream comes from. Raises EncoderRefused."""
        if encoder.kind == PUSHED and encoder.key_digest is not None and self.door is not None:
            return Push(self.door, encoder.key_digest, turn)
        if encoder.kind == "rtsp" and encoder.sealed_url is not None:
            return Pull(self.vault.open(encoder.sealed_url), self.allowed)
        raise EncoderRefused("address_refused", "not for this server")
