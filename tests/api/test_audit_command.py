"""``sanke audit`` and ``sanke account`` as a person types them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def sanke(tmp_path: Path) -> "Sanke":
    return Sanke(tmp_path)


class Sanke:
    """The command line over a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"SANKE_DATA_DIR": str(folder / "var"), "PYTHONIOENCODING": "utf-8"}

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from api.cli import main; main()", *words]
        (self.folder / "var").mkdir(exist_ok=True)
        return subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)


def test_a_log_is_taken_out_and_checked(sanke: Sanke) -> None:
    made = sanke("account", "create", "first", "王管", "--role", "operator@root")
    assert made.returncode == 0, made.stderr
    assert "first" in sanke("account", "list").stdout
    key = sanke("audit", "key").stdout.strip()
    note = sanke.folder / "note"
    note.write_text(sanke("audit", "checkpoint").stdout)
    assert sanke("audit", "export", "--out", "log").returncode == 0
    good = sanke("audit", "verify", "log", "--key", key, "--last-checkpoint", "note")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "验证通过" in good.stdout
    assert "Verified" in good.stdout
    content = bytearray((sanke.folder / "log").read_bytes())
    content[len(content) // 2] ^= 1
    (sanke.folder / "log").write_bytes(content)
    assert sanke("audit", "verify", "log", "--key", key).returncode == 1
    assert sanke("audit", "verify", "nothing", "--key", key).returncode == 2


def test_a_refusal_is_said_in_both_languages(sanke: Sanke) -> None:
    refused = sanke("account", "reset", "nobody")
    assert refused.returncode == 1
    assert "没有找到" in refused.stderr
    assert "No such account" in refused.stderr
    assert sanke("account", "create", "x1", "某", "--role", "king@root").returncode == 1
