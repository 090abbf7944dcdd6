"""What docker/ ships fits the product: settings that exist, variables that are explained, files that their programs accept."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config.settings import Settings

ROOT = Path(__file__).parent.parent
DOCKER = ROOT / "docker"
KNOWN = {f"SANKE_{name.upper()}" for name in Settings.model_fields} | {"SANKE_CONFIG"}
OF_THE_FILES = {"SANKE_HOSTNAME", "SANKE_MEDIA_ADDRESS", "SANKE_TLS", "SANKE_CA_FILE"}
"""Variables of the compose files and the proxy alone; `.env` gives them."""
OF_THE_PROXY = {"SANKE_WEB_SERVERS", "SANKE_RELAY_1", "SANKE_RELAY_2"}


@pytest.mark.parametrize(
    "name", ["compose.yaml", "compose.relays.yaml", "Dockerfile", "sanke.service", "sanke-relay@.service"]
)
def test_only_settings_that_exist_are_set(name: str) -> None:
    named = set(re.findall(r"SANKE_[A-Z_0-9]+", (DOCKER / name).read_text(encoding="utf-8")))
    assert named - KNOWN <= OF_THE_FILES | OF_THE_PROXY


def test_every_variable_of_the_compose_files_is_explained() -> None:
    text = "".join((DOCKER / name).read_text(encoding="utf-8") for name in ("compose.yaml", "compose.relays.yaml"))
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    told = set(re.findall(r"^#? ?([A-Z_]+)=", (DOCKER / "env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert asked == told | {"PROXY_ADDRESS", "TURN_PORT"}


def test_a_server_gets_the_versions_that_were_tested() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9.-]+==[^ ;]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))

    server = pins("requirements.server.lock")
    assert server <= pins("requirements.lock")
    assert not [each for each in server if each.startswith(("pytest", "mypy", "playwright", "pixeltable"))]
    needed = re.findall(
        r'^    "([a-z0-9-]+)[\[">]', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    dependencies = needed[: needed.index("yarl") + 1]
    assert {each.split("==")[0] for each in server} >= set(dependencies)


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not here")
@pytest.mark.parametrize("files", [("compose.yaml",), ("compose.yaml", "compose.relays.yaml")])
def test_compose_accepts_its_files(files: tuple[str, ...]) -> None:
    named = [word for file in files for word in ("-f", str(DOCKER / file))]
    environment = os.environ | {
        "SANKE_HOSTNAME": "sanke.test", "SANKE_MEDIA_ADDRESS": "192.0.2.1", "POSTGRES_PASSWORD": "x"
    }  # fmt: skip
    ran = subprocess.run(
        ["docker-compose", *named, "config", "-q"], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not here: apt-get install caddy")
def test_the_proxy_reads_its_file_with_each_kind_of_certificate() -> None:
    def adapted(tls: str) -> str:
        environment = os.environ | {
            "SANKE_HOSTNAME": "sanke.test", "SANKE_TLS": tls, "SANKE_WEB_SERVERS": "web:8080 web-2:8080"
        }  # fmt: skip
        command = ["caddy", "adapt", "--adapter", "caddyfile", "--config", str(DOCKER / "Caddyfile")]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return json.dumps(json.loads(ran.stdout))

    assert '"upstreams": [{"dial": "web:8080"}, {"dial": "web-2:8080"}]' in adapted("")
    assert '"module": "internal"' in adapted("tls internal")
    assert '"key": "/b.pem"' in adapted("tls /a.pem /b.pem")
