"""What can be measured: something that takes a load and sends it to subscribers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from media.counting import CountOnlySubscriber


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
