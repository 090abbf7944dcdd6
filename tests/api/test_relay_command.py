"""What `sanke relay`, and a server that leaves live media to it, say when they lack Redis."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.relay_worker import relay
from api.cli.serve import serve


@pytest.mark.parametrize(("command", "needs"), [(relay, "SANKE_REDIS_URL"), (serve, "SANKE_RELAY_IN_PROCESS=false")])
def test_a_cluster_needs_redis(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: object, needs: str
) -> None:
    monkeypatch.setenv("SANKE_REDIS_URL", "")
    monkeypatch.setenv("SANKE_RELAY_IN_PROCESS", "false")
    monkeypatch.setattr("api.cli.running.configure_logs", lambda *_: None)  # the test run's own logs stay as they are
    with pytest.raises(SystemExit) as ended:
        command(data_dir=tmp_path / "data")  # type: ignore[operator]  # one of the two above
    assert ended.value.code == 2
    assert needs in capsys.readouterr().out
    assert not (tmp_path / "data").exists()
