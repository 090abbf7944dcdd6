"""Join tokens: short-lived, signed permission to send or receive one source of one live room.

The live WebSocket hands them out after it has checked who asks; WHIP and WHEP read nothing else. A token opens a session within
`LIFETIME`; on the session it opened it stays good for PATCH and DELETE as long as a session can live, because there it can
touch nothing but its own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

import jwt
from jwt.types import Options

from api.problems import Problem
from config.settings import Settings
from rooms.clock import Clock
from rooms.keys import made_once

JoinRole = Literal["publish", "subscribe"]
LIFETIME = timedelta(seconds=120)
SESSION_LIFETIME = timedelta(hours=12)
SOURCE = r"^(lead|screen|class:[0-9a-f]{32})$"
"""The names of sources: what the lead sends, and each other side by its id."""


@dataclass(frozen=True, slots=True)
class Join:
    """What a token allows. `room` is the occurrence's id, `side` the occurrence side's, `holder` the actor's name."""

    room: str
    side: str
    source: str
    role: JoinRole
    holder: str


class JoinTokens:
    """Signs and reads join tokens with a key that lives in the data folder."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def issue(self, join: Join, lifetime: timedelta = LIFETIME) -> str:
        """A token for one source of a room, in one role."""
        now = self._clock.now()
        claims = {
            "aud": "media",
            "room": join.room,
            "side": join.side,
            "source": join.source,
            "role": join.role,
            "sub": join.holder,
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def read(self, token: str, *, opened: bool = False) -> Join:
        """What a token allows; `opened` for the session it opened before. Raises `Problem` ``token_invalid``."""
        options: Options = {"require": ["exp", "iat", "aud", "sub"], "verify_exp": False, "verify_iat": False}
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"], audience="media", options=options)
            join = Join(claims["room"], claims["side"], claims["source"], claims["role"], claims["sub"])
            ends = claims["iat"] + SESSION_LIFETIME.total_seconds() if opened else claims["exp"]
        except (jwt.PyJWTError, KeyError, TypeError):
            raise _denied() from None
        if join.role not in get_args(JoinRole) or self._clock.now().timestamp() >= ends:
            raise _denied()
        return join

    def bearer(self, header: str, *, opened: bool = False) -> Join:
        """The token of an ``Authorization`` header."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _denied()
        return self.read(token.strip(), opened=opened)


def _denied() -> Problem:
    return Problem("token_invalid", headers={"WWW-Authenticate": 'Bearer realm="media"'})


def join_key(settings: Settings) -> bytes:
    """What join tokens are signed with."""
    return _media_key(settings, "join")


def encoder_key(settings: Settings) -> bytes:
    """What the addresses of encoders are sealed with."""
    return _media_key(settings, "encoder")


def _media_key(settings: Settings, use: str) -> bytes:
    """Made of the secret of the settings, which several machines share, or else this machine's own."""
    secret = settings.media_secret.get_secret_value()
    if secret:
        return hashlib.sha256(f"{use}\0{secret}".encode()).digest()
    return made_once(settings.data_dir / f"{use}.key", secrets.token_bytes(32))


def ice_servers(settings: Settings, clock: Clock, holder: str) -> list[dict[str, str]]:
    """TURN servers as a browser's RTCIceServer, with credentials that expire (coturn's ``use-auth-secret``)."""
    if not settings.turn_urls:
        return []
    until = int((clock.now() + SESSION_LIFETIME).timestamp())
    user = f"{until}:{holder}"
    digest = hmac.new(settings.turn_secret.get_secret_value().encode(), user.encode(), hashlib.sha1).digest()
    words = base64.b64encode(digest).decode()
    return [{"urls": url, "username": user, "credential": words} for url in settings.turn_urls]


def ice_links(servers: list[dict[str, str]]) -> list[str]:
    """The same as values of ``Link`` headers, for WHIP and WHEP."""
    return [
        f'<{server["urls"]}>; rel="ice-server"; username="{server["username"]}"; '
        f'credential="{server["credential"]}"; credential-type="password"'
        for server in servers
    ]
