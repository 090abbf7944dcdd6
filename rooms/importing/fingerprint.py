"""The fingerprint of what was imported: it stands in the import's record and in the audit log."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file; of a folder, over the names and fingerprints of its CSV files in order of their names."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    lines = [f"{sha256_of(file)}  {file.name}\n" for file in sorted(path.iterdir()) if file.suffix.lower() == ".csv"]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
