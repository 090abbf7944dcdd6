"""Every setting of the server, in one documented table.

Order of precedence: environment (``SANKE_…``, nested with ``__``), then the TOML file named by ``SANKE_CONFIG``
(default ``sanke.toml`` in the working folder, where it exists), then the defaults below.
"""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, IPvAnyNetwork, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class Settings(BaseSettings):
    """The server's settings; each field's description is the text of ``docs/SETTINGS.md``."""

    model_config = SettingsConfigDict(env_prefix="SANKE_", env_nested_delimiter="__", extra="forbid")

    data_dir: Annotated[Path, Field(description="Folder of the database, keys, recordings and uploads.")] = Path("var")
    database_url: Annotated[
        str,
        Field(description="SQLAlchemy URL. Empty: SQLite in `data_dir`. A city: `postgresql+asyncpg://…`."),
    ] = ""
    redis_url: Annotated[
        SecretStr, Field(description="Redis for bus, presence and placement. Empty: all in process.")
    ] = SecretStr("")
    host: Annotated[str, Field(description="Address the web server listens on.")] = "127.0.0.1"
    port: Annotated[int, Field(description="Port of the web server; 0 takes a free one.", ge=0, le=65535)] = 8080
    public_url: Annotated[
        str, Field(description="The address people type, e.g. `https://sanke.example.edu.cn`. Empty: host and port.")
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...],
        Field(
            description="Addresses or networks of reverse proxies whose `X-Forwarded-*` headers are believed; no names."
        ),
    ] = ()
    secure_cookies: Annotated[
        bool, Field(description="Send cookies over HTTPS only. Switch on behind TLS; off only for a local trial.")
    ] = False
    media_host: Annotated[str, Field(description="Address the relay's UDP port is bound to.")] = "127.0.0.1"
    media_port: Annotated[int, Field(description="The relay's one UDP port; 0 takes a free one.", ge=0, le=65535)] = 0
    media_announce: Annotated[
        tuple[str, ...],
        Field(
            description="Addresses written into ICE candidates, where they differ from `media_host` (NAT, several nets)."
        ),
    ] = ()
    media_max_subscribers: Annotated[
        int, Field(description="Subscribers one relay takes before it answers 503.", ge=1)
    ] = 600
    media_encoder_networks: Annotated[
        tuple[IPvAnyNetwork, ...],
        Field(
            description='Networks whose recording-room encoders may be pulled from by RTSP, e.g. `["10.20.0.0/16"]`. Empty: none. '
            "This machine, its link and multicast are open only where a network within them is listed."
        ),
    ] = ()
    media_encoder_ports: Annotated[
        tuple[int, ...], Field(description="TCP ports at which encoders may be pulled from.")
    ] = (554, 8554)
    media_rtmp_port: Annotated[
        int,
        Field(
            description="TCP port, at `media_host`, to which recording-room encoders push by RTMP; usually 1935. 0: none.",
            ge=0,
            le=65535,
        ),
    ] = 0
    media_rtmp_url: Annotated[
        str,
        Field(
            description="Where encoders are told to push to, e.g. `rtmp://sanke.example.edu.cn:1935/live`: the same for all web servers, at whichever "
            "of their ports it ends. Empty: the public name and this server's `media_rtmp_port`."
        ),
    ] = ""
    media_secret: Annotated[
        SecretStr,
        Field(
            description="Secret that signs join tokens, the same for servers and relay workers on several machines. Empty: a key in `data_dir`."
        ),
    ] = SecretStr("")
    relay_in_process: Annotated[
        bool,
        Field(
            description="Live media in the web server itself. Off: on `sanke relay` workers, found through `redis_url`."
        ),
    ] = True
    relay_url: Annotated[
        str,
        Field(
            description="Where pages and other workers reach this `sanke relay`, e.g. `https://sanke.example.edu.cn/relay/1`. Empty: host and port."
        ),
    ] = ""
    relay_origins: Annotated[
        tuple[str, ...],
        Field(
            description="Further origins pages may reach relay workers at, e.g. `https://*.relay.example.edu.cn`, so that a worker added while a class runs can take it over."
        ),
    ] = ()
    relay_room_share: Annotated[
        int, Field(description="Classrooms of one room on one worker before others become its edges.", ge=1)
    ] = 150
    relay_drain_seconds: Annotated[
        int,
        Field(description="A relay worker told to stop ends after this time even when classes are still on it.", ge=0),
    ] = 60
    media_slot_seconds: Annotated[
        float, Field(description="Length of an evidence slot: how often the relay states what it carried.", gt=0, le=60)
    ] = 10.0
    recording: Annotated[
        Literal["teacher", "always", "never"],
        Field(
            description="Who decides that a class is recorded: its lead teacher, or nobody, because every class is, or none."
        ),
    ] = "teacher"
    recording_keep_days: Annotated[
        int,
        Field(
            description="A recording is withdrawn after this many days, and destroyed a month later. Evidence is kept apart.",
            ge=1,
        ),
    ] = 180
    recording_reserve_mb: Annotated[
        int,
        Field(
            description="Disk space that recordings leave alone. A recording begins with twice as much free, and ends by itself "
            "before it takes the rest; the class goes on.",
            ge=0,
        ),
    ] = 512
    turn_urls: Annotated[
        tuple[str, ...],
        Field(description="TURN servers for schools where UDP does not get out, e.g. `turns:turn.example.edu.cn:443`."),
    ] = ()
    turn_secret: Annotated[
        SecretStr, Field(description="Secret shared with the TURN server (coturn's `static-auth-secret`).")
    ] = SecretStr("")
    metrics_token: Annotated[
        SecretStr,
        Field(description="Bearer token of `/metrics`. Empty: this machine alone may read it."),
    ] = SecretStr("")
    rate_limit_scale: Annotated[
        int,
        Field(description="Multiplies every rate limit, e.g. where a whole county comes from one address.", ge=1),
    ] = 1
    session_idle_minutes: Annotated[
        int, Field(description="A signed-in person is signed out after this idle time.", ge=1)
    ] = 30
    session_max_hours: Annotated[int, Field(description="A session ends after this time even when used.", ge=1)] = 12
    password_min_length: Annotated[int, Field(description="Shortest accepted password.", ge=8)] = 10
    lock_after_failures: Annotated[
        int, Field(description="An account is locked after this many wrong passwords.", ge=1)
    ] = 5
    attendance_rules: Annotated[
        str,
        Field(description="Attendance rule set: a name in `config/rules/` or a path to a TOML file."),
    ] = "attendance-2026.1"
    early_entry_minutes: Annotated[
        int, Field(description="People may enter a class this many minutes before it begins.", ge=0)
    ] = 30
    auto_end_minutes: Annotated[
        int, Field(description="A class that nobody attends is ended this many minutes after its planned end.", ge=0)
    ] = 5
    plan_time_limit_seconds: Annotated[int, Field(description="Default time of one planning run.", ge=1)] = 60
    plan_workers: Annotated[int, Field(description="Solver processes of one planning run.", ge=1)] = 2
    plan_memory_mb: Annotated[int, Field(description="Memory at which a planning process is ended.", ge=256)] = 4096
    plan_jobs: Annotated[
        int,
        Field(
            description="Counties this server or worker plans at once; 0 leaves all of them to `sanke plan-worker`.",
            ge=0,
        ),
    ] = 1
    plan_lease_seconds: Annotated[
        float,
        Field(description="A planning run whose worker was silent for this long is given to another one.", ge=1),
    ] = 30.0
    upload_max_mb: Annotated[int, Field(description="Largest county file accepted.", ge=1)] = 20
    checkpoint_seconds: Annotated[int, Field(description="The audit log's checkpoint is signed this often.", ge=1)] = 60
    language: Annotated[Literal["zh_CN", "en"], Field(description="Language where a person has chosen none.")] = "zh_CN"
    log_format: Annotated[Literal["console", "json"], Field(description="Form of log lines.")] = "console"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="Least level that is logged.")
    ] = "info"
    demo: Annotated[bool, Field(description="Marks every page as a demonstration with synthetic data.")] = False

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: str) -> str:
        if value and not value.startswith(("postgresql+asyncpg://", "sqlite+aiosqlite:///")):
            raise PydanticCustomError("database_url", "neither postgresql+asyncpg://… nor sqlite+aiosqlite:///…")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis(cls, value: SecretStr) -> SecretStr:
        if value and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise PydanticCustomError("redis_url", "not redis://…, rediss://… or unix://…")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ip_network(each, strict=False)
            except ValueError:
                raise PydanticCustomError("proxy_address", "neither addresses nor networks") from None
        return value

    @field_validator("public_url", "relay_url")
    @classmethod
    def _is_an_address_of_pages(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise PydanticCustomError("page_url", "not http://… or https://…")
        return value

    @model_validator(mode="after")
    def _turn_has_its_secret(self) -> Self:
        if self.turn_urls and not self.turn_secret:
            raise PydanticCustomError("turn_without_secret", "turn_urls without turn_secret")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, Path(os.environ.get("SANKE_CONFIG", "sanke.toml")))
        return init_settings, env_settings, toml

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'sanke.db'}"
