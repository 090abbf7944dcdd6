"""``sanke audit …``: take the log out, check it, and show the key and the newest checkpoint."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from api.cli.running import settings_given, starting_told, store_open
from config.settings import Settings
from config.words import say_both
from rooms.audit import verifier
from rooms.audit.bundle import Exported, export_bundle
from rooms.audit.checkpoints import sign_checkpoint
from rooms.audit.notes import open_key
from rooms.clock import SystemClock
from rooms.store import SYSTEM

app = App(name="audit", help="导出与验证审计日志 / export and check the audit log")


@app.command
def export(out: Annotated[Path, Parameter(name="--out")], county: str | None = None) -> None:
    """导出审计日志包 / write the audit log into one file.

    Parameters
    ----------
    out
        导出文件 / the file to write.
    county
        只完整导出该县的记录，其余以哈希出现 / show this county's entries in full, all others as hashes.
    """
    with starting_told():
        done = asyncio.run(_export(settings_given(), out, county))
    print(say_both("audit.exported", file=done.path, size=done.size, shown=done.shown))


async def _export(settings: Settings, out: Path, county: str | None) -> Exported:
    async with store_open(settings) as store:
        key = open_key(settings.data_dir, settings.public_url)
        return await export_bundle(store, SystemClock(), SYSTEM, key, out, county=county)


@app.command
def verify(bundle: Path, *, key: str, last_checkpoint: Path | None = None) -> None:
    """验证审计日志包，无需联网 / check an audit bundle, offline. 0 通过 ok, 1 被篡改 tampered, 2 无法读取 unreadable.

    Parameters
    ----------
    bundle
        日志包 / the bundle.
    key
        日志公钥或其文件 / the log's public key, or a file with it.
    last_checkpoint
        早先保存的检查点 / a checkpoint kept earlier.
    """
    sys.exit(verifier.run(bundle, key, last_checkpoint, print))


@app.command
def key() -> None:
    """显示日志公钥，请在县外保存 / show the log's public key; keep it outside the county."""
    settings = settings_given()
    print(open_key(settings.data_dir, settings.public_url).verifier.text)


@app.command
def checkpoint() -> None:
    """签署并显示当前检查点 / sign the log as it stands and show the checkpoint."""
    with starting_told():
        print(asyncio.run(_checkpoint(settings_given())), end="")


async def _checkpoint(settings: Settings) -> str:
    async with store_open(settings) as store:
        signed = await sign_checkpoint(store, SystemClock(), open_key(settings.data_dir, settings.public_url))
        return signed.note if signed else say_both("audit.empty") + "\n"
