"""Opens zip files and workbooks of strangers: in a child process that may use little memory and time, and is ended in time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from rooms.importing.sheets import Container, Fault, Sheet

_CHILD = "rooms.importing.child"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may ask for. Sizes in bytes, times in seconds."""

    file_bytes: int = 20 * 2**20
    expanded_bytes: int = 20 * 2**20
    ratio: int = 100
    members: int = 200
    columns: int = 100
    rows: int = 200_000
    memory_bytes: int = 1024 * 2**20
    cpu_seconds: int = 10
    seconds: float = 20.0


class Refused(Exception):
    """The file is not opened at all; `code` and `facts` are those of a finding."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def check_directory(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Looks at the directory of a zip file, before a byte of it is expanded."""
    members = archive.infolist()
    if len(members) > limits.members:
        raise Refused("zip_too_many", count=len(members), most=limits.members)
    total = sum(member.file_size for member in members)
    if total > limits.expanded_bytes:
        raise Refused("zip_too_large", size=_mebibytes(total), most=limits.expanded_bytes // 2**20)
    for member in members:
        name = member.filename
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in member.orig_filename:
            raise Refused("zip_path", name=name[:100])
        if member.flag_bits & 0x1:
            raise Refused("zip_encrypted", name=name[:100])
        if (member.external_attr >> 16) & 0o170000 == 0o120000:
            raise Refused("zip_path", name=name[:100])
        if path.suffix.lower() in {".zip", ".xlsx", ".xlsm", ".7z", ".rar", ".gz", ".tar", ".jar"}:
            raise Refused("zip_nested", name=name[:100])
        if member.file_size > 4096 and member.file_size > limits.ratio * max(1, member.compress_size):
            raise Refused("zip_ratio", name=name[:100], most=limits.ratio)


def _mebibytes(size: int) -> int:
    return -(-size // 2**20)


def read_guarded(path: Path, limits: Limits) -> Container:
    """What a zip file or a workbook holds; a file that is refused gives one fault."""
    if path.stat().st_size > limits.file_bytes:
        return _refused(path, "too_large", most=limits.file_bytes // 2**20)
    command = [sys.executable, "-I", "-m", _CHILD, str(path.resolve()), json.dumps(asdict(limits))]
    environment = {key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "LC_ALL", "SYSTEMROOT"}}
    try:
        done = subprocess.run(  # noqa: S603 - our own module; the path is an argument, no shell reads it
            command, capture_output=True, timeout=limits.seconds, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return _refused(path, "too_demanding")
    if done.returncode != 0:
        return _refused(path, "too_demanding")
    answer = json.loads(done.stdout)
    if "refused" in answer:
        return _refused(path, answer["refused"], **answer["facts"])
    return Container(
        tuple(Sheet(name, records) for name, records in answer["sheets"]),
        tuple(Fault(*fault) for fault in answer["faults"]),
        tuple(answer["others"]),
        workbook=answer["workbook"],
    )


def _refused(path: Path, code: str, **facts: object) -> Container:
    return Container((), (Fault(path.name, code, facts),), refused=True)
