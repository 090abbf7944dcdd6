"""A running relay, and all it has told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from media_world import ScriptedPublisher

from media.events import MediaEvent
from media.relay import Relay
from media.values import RelayConfig


@pytest.fixture
def events() -> list[MediaEvent]:
    """What the relay told."""
    return []


@pytest.fixture
def config(tmp_path: Path) -> RelayConfig:
    """Short slots, so that tests need not wait."""
    return RelayConfig(slot_seconds=0.5, slot_grace_seconds=3.0, folder=tmp_path, must_stay_free=0)


@pytest.fixture
async def relay(config: RelayConfig, events: list[MediaEvent]) -> AsyncIterator[Relay]:
    """A relay on the loopback."""
    relay = Relay(config, events.append)
    await relay.start()
    yield relay
    await relay.close()


@pytest.fixture
async def teacher(relay: Relay) -> AsyncIterator[ScriptedPublisher]:
    """A connected publisher of the lead, silent at first."""
    publisher = ScriptedPublisher()
    await publisher.start(relay)
    yield publisher
    await publisher.close()
