"""What can be measured, something that takes a load and sends it to subscribers; and who can be the subscribers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from media.benching.load import Load
from media.clients.counting import CountOnlySubscriber


class Target(Protocol):
    """A running relay of some make."""

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    @property
    def ports(self) -> Sequence[tuple[int, int]] | None:
        """Where each class's sound and picture are taken as plain RTP; None where the publisher comes by an offer."""
        ...

    async def publish(self, room: int, offer: str) -> str:
        """The answer to a publisher's offer."""
        ...

    async def join(self, room: int, number: int, subscriber: CountOnlySubscriber) -> None:
        """Brings a subscriber up."""
        ...

    async def facts(self) -> Mapping[str, Any]:
        """Figures that only the target itself knows, since its start."""
        ...

    async def close(self) -> None:
        """Ends it."""
        ...


class Audience(Protocol):
    """The subscribers of a measurement."""

    async def join(self, target: Target, load: Load) -> None:
        """Brings them up."""
        ...

    async def begin(self) -> None:
        """The measurement begins."""
        ...

    async def received(self) -> int:
        """Packets until now, of all together."""
        ...

    async def end(self) -> Mapping[str, Any]:
        """The measurement is over: what they found."""
        ...

    async def close(self) -> None:
        """Ends them; called however far they came."""
        ...
