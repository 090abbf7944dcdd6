"""``docs/SETTINGS.md``, written from the settings themselves: ``python -m config.settings_page > docs/SETTINGS.md``."""

from __future__ import annotations

import sys
from typing import get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config.settings import Settings

BEFORE = """# Settings

Every setting of the server. This page is written from `config/settings.py` by `python -m config.settings_page > docs/SETTINGS.md`; a test fails
where it is not up to date.

A setting is read from the environment (`SANKE_PORT=9000`), else from the TOML file that `SANKE_CONFIG` names (default `sanke.toml` in the working
folder, where it exists), else its default holds. A list is JSON in the environment: `SANKE_TURN_URLS='["turn:10.0.0.2:3478"]'`. An unknown name in
the file, or a value out of range, stops the start with a sentence that names it.

"""

AFTER = """
## From one machine to a city, by settings alone

Nothing set: one process, SQLite in `var/`, the bus and the rate limits in memory. A county with PostgreSQL and Redis:

```toml
# sanke.toml
data_dir = "/var/lib/sanke"
database_url = "postgresql+asyncpg://sanke:…@db.example/sanke"
redis_url = "redis://redis.example:6379/0"
host = "0.0.0.0"
public_url = "https://sanke.example.edu.cn"
trusted_proxies = ["10.0.0.0/24"]
secure_cookies = true
media_host = "0.0.0.0"
media_port = 7882
media_announce = ["203.0.113.7"]
log_format = "json"
```

The schema is made, and brought up to date, when the server starts. Browsers open camera and microphone only over HTTPS (or on `localhost`):
put a reverse proxy that terminates TLS in front, name it in `trusted_proxies`, and switch `secure_cookies` on. The relay's one UDP port has to reach
the classrooms directly; where UDP does not get out, name a TURN server in `turn_urls` ([PRODUCTION.md](PRODUCTION.md)).
"""


def page() -> str:
    """The whole page."""
    rows = "".join(_row(name, field) for name, field in Settings.model_fields.items())
    return f"{BEFORE}| setting | default | what it does |\n|---|---|---|\n{rows}{AFTER}"


def _row(name: str, field: FieldInfo) -> str:
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if get_origin(field.annotation) is tuple and not value:
        shown = "none"
    else:
        shown = "empty" if value == "" else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    return f"| `{name}` | {shown} | {field.description} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
