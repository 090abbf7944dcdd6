"""``sanke bench relay`` measures a real relay and prints one JSON object."""

import json

import pytest

from api.cli.bench.relay import relay


def test_a_few_subscribers_are_counted_and_none_loses_a_packet(capsys: pytest.CaptureFixture[str]) -> None:
    relay(subscribers=3, seconds=1.0)
    figures = json.loads(capsys.readouterr().out)
    assert figures["subscribers"] == 3
    assert figures["lost"] == 0
    assert figures["packets_per_second"] > 0
