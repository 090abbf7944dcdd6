"""What `sanke relay`, and a server, say instead of starting: a sentence in both languages, an exit status, no secret."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from api.cli import accounts, audit
from api.cli.relay_worker import relay
from api.cli.serve import serve

AWAY = "redis://127.0.0.1:1/0"


def refused(monkeypatch: pytest.MonkeyPatch, command: object, folder: Path, **settings: str) -> int:
    """The exit status of a command that does not start."""
    given = {"redis_url": AWAY, "port": "0", "attendance_rules": "attendance-2026.1"} | settings
    for name, value in given.items():
        monkeypatch.setenv(f"SANKE_{name.upper()}", value)
    monkeypatch.setattr("api.cli.running.configure_logs", lambda *_: None)  # the test run's own logs stay as they are
    with pytest.raises(SystemExit) as ended:
        command(data_dir=folder)  # type: ignore[operator]  # `relay` or `serve`
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(("command", "needs"), [(relay, "SANKE_REDIS_URL"), (serve, "SANKE_RELAY_IN_PROCESS=false")])
def test_a_cluster_needs_redis(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: object, needs: str
) -> None:
    assert refused(monkeypatch, command, tmp_path / "data", redis_url="", relay_in_process="false") == 2
    assert needs in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("setting", "value", "chinese", "english"),
    [
        ("redis_url", "http://:hush@127.0.0.1:1/0", "redis_url: 必须以", "does not begin with redis://"),
        (
            "database_url",
            "postgresql://u:hush@db/sanke",
            "database_url: 必须以",
            "begins neither with postgresql+asyncpg",
        ),
        ("relay_url", "relay.example.cn/1", "relay_url: 必须以", "does not begin with http://"),
        ("turn_urls", '["turn:t.example:1"]', "就必须设置 turn_secret", "turn_urls needs turn_secret"),
    ],
)
def test_settings_that_cannot_be_meant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    setting: str, value: str, chinese: str, english: str,
) -> None:  # fmt: skip
    assert refused(monkeypatch, relay, tmp_path, **{setting: value}) == 2
    told = capsys.readouterr().err
    assert chinese in told
    assert english in told
    assert "hush" not in told


@pytest.mark.parametrize("command", [relay, serve])
@pytest.mark.parametrize(
    ("setting", "value", "chinese", "english"),
    [
        (
            "database_url",
            "postgresql+asyncpg://u:hush@127.0.0.1:1/x",
            "无法使用数据库",
            "cannot be used: Connection ref",
        ),
        ("attendance_rules", "nowhere", "无法读取考勤规则“nowhere”", "cannot be read: No such file"),
        ("media_host", "192.0.2.77", "无法打开 UDP 端口 192.0.2.77:0", "UDP port at 192.0.2.77:0: Cannot assign"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    command: object, setting: str, value: str, chinese: str, english: str,
) -> None:  # fmt: skip
    assert refused(monkeypatch, command, tmp_path, **{setting: value}) == 1
    told = capsys.readouterr().err
    assert chinese in told
    assert english in told
    assert "hush" not in told


@pytest.mark.parametrize("command", [accounts.list_, audit.checkpoint])
def test_a_tool_names_the_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: Callable[[], None]
) -> None:
    away = "postgresql+asyncpg://u:hush@127.0.0.1:1/x"
    assert refused(monkeypatch, lambda data_dir: command(), Path(), database_url=away) == 1
    told = capsys.readouterr()
    assert "无法使用数据库 postgresql+asyncpg://u:***@127.0.0.1:1/x" in told.err
    assert told.out == ""


def test_a_database_of_a_newer_version_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "sanke.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()
    assert refused(monkeypatch, relay, tmp_path) == 1
    told = capsys.readouterr().err
    assert "更新版本（结构版本 9999）" in told
    assert "newer version of this program (schema 9999)" in told


def test_a_door_that_is_taken_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, redis_url: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert refused(monkeypatch, relay, tmp_path, redis_url=redis_url, port=str(taken.getsockname()[1])) == 1
    assert "Choose another port with --port" in capsys.readouterr().err
