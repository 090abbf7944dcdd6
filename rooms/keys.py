"""Files of secrets that are made at first use and never written again."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def made_once(path: Path, content: bytes) -> bytes:
    """What the file holds: `content` where there was none, readable by the server's user alone. Processes that start together
    all get the same, and none of them sees half of it: the file has its name only once it is whole."""
    if path.exists():
        return path.read_bytes()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was faster
    finally:
        draft.unlink(missing_ok=True)
    return path.read_bytes()
