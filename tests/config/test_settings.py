"""Every setting is documented, and read in the order that the page promises."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import Settings
from config.settings_page import page

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "SETTINGS.md").read_text() == page(), "python -m config.settings_page > docs/SETTINGS.md"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_does(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert description.endswith(".")
    assert f"| `{name}` |" in page()


def test_the_environment_goes_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sanke.toml"
    file.write_text('port = 9001\nhost = "0.0.0.0"\nturn_urls = ["turn:a:1", "turn:b:2"]\nturn_secret = "s"\n')
    monkeypatch.setenv("SANKE_CONFIG", str(file))
    monkeypatch.setenv("SANKE_PORT", "9002")
    settings = Settings()
    assert (settings.port, settings.host, settings.media_port) == (9002, "0.0.0.0", 0)
    assert settings.turn_urls == ("turn:a:1", "turn:b:2")
    assert Settings(port=9003).port == 9003


@pytest.mark.parametrize(
    "text", ["prot = 9001\n", "port = 70000\n", 'log_level = "loud"\n', 'trusted_proxies = ["proxy"]\n']
)
def test_a_mistake_in_the_file_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    file = tmp_path / "sanke.toml"
    file.write_text(text)
    monkeypatch.setenv("SANKE_CONFIG", str(file))
    with pytest.raises(ValidationError):
        Settings()


def test_proxies_are_addresses_and_networks() -> None:
    given = ("127.0.0.1", "10.0.0.7/24", "fd00::/8")
    assert Settings(trusted_proxies=given).trusted_proxies == given


def test_secrets_are_not_shown() -> None:
    shown = repr(Settings.model_validate({"redis_url": "redis://:hunter2@h/0", "turn_secret": "hunter2"}))
    assert "hunter2" not in shown
