"""What the relay refuses, as one small tree; the api turns each into a status.

::

    RelayError
    ├── BadOffer            400  the SDP or fragment cannot be read
    ├── NothingInCommon     406  no codec, or no usable kind of media, in common
    ├── NoFloor             403  a classroom that has not the floor is for the lead alone
    ├── UnknownSession      404  no such session (any more)
    ├── SourceTaken         409  another peer publishes under this name
    └── TryLater                 the same request may succeed in `retry_after` seconds
        ├── NoPublisher     409  nobody publishes this source yet
        └── Full            503  the relay has as many sessions as it may have
"""

from __future__ import annotations


class RelayError(Exception):
    """Base of everything `media.relay.Relay` refuses. The text is for logs, not for people."""


class BadOffer(RelayError):
    """The SDP or the trickle fragment is malformed, too large, or lacks what WebRTC requires."""


class NothingInCommon(RelayError):
    """The offer is sound, but holds no codec that this relay or this publication can use."""


class NoFloor(RelayError):
    """The source is a classroom's that has not the floor, and the peer does not lead the room."""


class UnknownSession(RelayError):
    """The session does not exist, or has ended."""


class SourceTaken(RelayError):
    """Another peer publishes this source of this room."""


class TryLater(RelayError):
    """Refused for now; `retry_after` is in whole seconds."""

    def __init__(self, text: str, *, retry_after: int) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class NoPublisher(TryLater):
    """Nobody publishes this source yet."""


class Full(TryLater):
    """The relay has as many sessions, or as many unfinished ones, as it may have."""
