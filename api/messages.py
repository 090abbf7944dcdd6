"""What a page of a live class may say on its line (docs/LIVE_PROTOCOL.md, "From the page")."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from api.routing import HexId, Shape
from media.ladder import Rung

Signal = Annotated[int, Field(ge=0, le=100_000_000)]


class Beat(Shape):
    type: Literal["beat"]
    sent: float = Field(ge=0)


class Hand(Shape):
    type: Literal["hand"]
    up: bool


class Lower(Shape):
    type: Literal["lower"]
    side: HexId


class Floor(Shape):
    type: Literal["floor"]
    side: HexId | None
    """Who may speak to all; null: nobody but the lead."""


class Devices(Shape):
    """What the classroom's page has: null where there is none, or it was not allowed; false where it was switched off by hand."""

    type: Literal["devices"]
    camera: bool | None
    microphone: bool | None


class Choose(Shape):
    """How much of the class this classroom wants to receive; null: as much as its line carries."""

    type: Literal["rung"]
    rung: Rung | None


class Notice(Shape):
    type: Literal["notice"]
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Received(Shape):
    """What the page's receiver counted since its session began."""

    framesDecoded: Signal
    framesDropped: Signal = 0
    freezes: Signal = 0
    freezeSeconds: float = Field(default=0, ge=0)
    packetsLost: int = Field(default=0, ge=-1000, le=100_000_000)
    audioEnergy: float = Field(default=0, ge=0)
    height: Signal = 0
    jitterMs: float = Field(default=0, ge=0)
    roundTripMs: float | None = Field(default=None, ge=0)


class Sent(Shape):
    """What the page's sender counted since its session began."""

    framesEncoded: Signal
    bytesSent: int = Field(default=0, ge=0)
    height: Signal = 0
    limitedBy: Annotated[str, StringConstraints(max_length=20)] = "none"
    roundTripMs: float | None = Field(default=None, ge=0)


class Stats(Shape):
    type: Literal["stats"]
    received: Received | None = None
    sent: Sent | None = None
    sessions: Signal = 0
    restarts: Signal = 0


Message = Beat | Hand | Lower | Floor | Devices | Choose | Notice | Stats
INCOMING: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])
