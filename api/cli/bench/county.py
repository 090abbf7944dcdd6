"""``sanke bench county``: writes a made-up county to measure on."""

from __future__ import annotations

from pathlib import Path

from config.words import say_both
from rooms.exporting import write_folder
from rooms.generating import SizeName, generated


def county(*, seed: int = 1, size: SizeName = "large", out: Path) -> None:
    """Write a made-up county, as hard to plan as a real one. 生成虚构县区。

    Parameters
    ----------
    seed
        The same seed gives the same files. 随机种子。
    size
        Small, medium or large: 8, 31 or 146 schools. 规模。
    out
        Folder for its files. 输出文件夹。
    """
    made = generated(seed, size)
    write_folder(made, out)
    asked = sum(need.halves for need in made.needs or ()) / 2
    print(
        say_both(
            "cli.county_written", name=made.name, folder=out, schools=len(made.schools), classes=len(made.classes),
            needs=len(made.needs or ()), lessons=asked,
        )
    )  # fmt: skip
