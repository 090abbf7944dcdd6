"""``sanke bench relay`` measures a real relay and prints one JSON object."""

import json
from typing import Any

import pytest

from api.cli.bench.relay import relay


def test_a_few_subscribers_are_counted_and_none_loses_a_packet(capsys: pytest.CaptureFixture[str]) -> None:
    relay(subscribers=4, seconds=1.0, rooms=2, record=True, janus_subscribers=2)
    figures = json.loads(capsys.readouterr().out)
    assert (figures["subscribers"], figures["rooms"]) == (4, 2)
    assert_received(figures)
    assert figures["recorded_kib"] > 0
    if figures["janus"] is None:
        assert "not installed" in figures["janus_unused"]
    else:
        assert figures["janus"]["subscribers"] == 2
        assert_received(figures["janus"])
        assert figures["times_janus"] > 0


def assert_received(figures: dict[str, Any]) -> None:
    assert figures["packets_per_second"] > 0
    assert figures["added_latency_ms_p50"] > 0
    assert (figures["lost"], figures["bad_samples"]) == (0, 0)
    assert figures["samples"] > 0
