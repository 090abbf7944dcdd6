"""Letters for the test pattern, drawn here so that no font is needed: the words 合成演示 and SYNTHETIC, and a clock's digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

Stroke = Sequence[tuple[int, int]]
GRID = 32
"""The characters are drawn on a grid of 32 by 32."""

STROKES: Mapping[str, Sequence[Stroke]] = {
    "合": (
        ((16, 2), (11, 9), (3, 15)),
        ((16, 2), (21, 9), (29, 15)),
        ((10, 15), (22, 15)),
        ((8, 20), (8, 30)),
        ((8, 20), (24, 20), (24, 30)),
        ((8, 29), (24, 29)),
    ),
    "成": (
        ((6, 8), (29, 8)),
        ((6, 8), (6, 18), (5, 24), (2, 30)),
        ((6, 16), (14, 16), (14, 25), (10, 26)),
        ((18, 2), (19, 13), (23, 24), (28, 30), (30, 25)),
        ((27, 13), (22, 23), (14, 30)),
        ((23, 2), (27, 5)),
    ),
    "演": (
        ((3, 3), (7, 6)),
        ((2, 11), (6, 14)),
        ((3, 29), (8, 19)),
        ((20, 1), (20, 5)),
        ((11, 10), (11, 6), (30, 6), (30, 10)),
        ((14, 11), (27, 11)),
        ((13, 15), (13, 25)),
        ((13, 15), (28, 15), (28, 25)),
        ((13, 20), (28, 20)),
        ((13, 24), (28, 24)),
        ((20, 11), (20, 24)),
        ((17, 26), (12, 31)),
        ((24, 26), (30, 31)),
    ),
    "示": (
        ((8, 5), (24, 5)),
        ((3, 13), (29, 13)),
        ((16, 13), (16, 29), (12, 27)),
        ((9, 18), (4, 27)),
        ((22, 18), (28, 27)),
    ),
}

DOTS: Mapping[str, Sequence[str]] = {
    "0": (" ### ", "#   #", "#  ##", "# # #", "##  #", "#   #", " ### "),
    "1": ("  #  ", " ##  ", "  #  ", "  #  ", "  #  ", "  #  ", " ### "),
    "2": (" ### ", "#   #", "    #", "  ## ", " #   ", "#    ", "#####"),
    "3": (" ### ", "#   #", "    #", "  ## ", "    #", "#   #", " ### "),
    "4": ("   # ", "  ## ", " # # ", "#  # ", "#####", "   # ", "   # "),
    "5": ("#####", "#    ", "#### ", "    #", "    #", "#   #", " ### "),
    "6": (" ### ", "#    ", "#    ", "#### ", "#   #", "#   #", " ### "),
    "7": ("#####", "    #", "   # ", "  #  ", "  #  ", " #   ", " #   "),
    "8": (" ### ", "#   #", "#   #", " ### ", "#   #", "#   #", " ### "),
    "9": (" ### ", "#   #", "#   #", " ####", "    #", "    #", " ### "),
    ":": ("     ", "  #  ", "  #  ", "     ", "  #  ", "  #  ", "     "),
    "S": (" ####", "#    ", "#    ", " ### ", "    #", "    #", "#### "),
    "Y": ("#   #", "#   #", " # # ", "  #  ", "  #  ", "  #  ", "  #  "),
    "N": ("#   #", "##  #", "# # #", "#  ##", "#   #", "#   #", "#   #"),
    "T": ("#####", "  #  ", "  #  ", "  #  ", "  #  ", "  #  ", "  #  "),
    "H": ("#   #", "#   #", "#   #", "#####", "#   #", "#   #", "#   #"),
    "E": ("#####", "#    ", "#    ", "#### ", "#    ", "#    ", "#####"),
    "I": (" ### ", "  #  ", "  #  ", "  #  ", "  #  ", "  #  ", " ### "),
    "C": (" ### ", "#   #", "#    ", "#    ", "#    ", "#   #", " ### "),
}


def character(name: str, size: int) -> list[bytes]:
    """Rows of 0 and 1 of a Chinese character, `size` pixels square."""
    rows = [bytearray(size) for _ in range(size)]
    pen = max(1, size // 22)
    for stroke in STROKES[name]:
        for (x0, y0), (x1, y1) in pairwise(stroke):
            steps = max(abs(x1 - x0), abs(y1 - y0)) * size // GRID * 2 + 1
            for step in range(steps + 1):
                x = (x0 + (x1 - x0) * step / steps) * size / GRID
                y = (y0 + (y1 - y0) * step / steps) * size / GRID
                for row in rows[max(0, int(y) - pen) : int(y) + pen]:
                    left, right = max(0, int(x) - pen), min(size, int(x) + pen)
                    row[left:right] = b"\1" * max(0, right - left)
    return [bytes(row) for row in rows]


def letters(text: str, scale: int) -> list[bytes]:
    """Rows of 0 and 1 of a line in the small alphabet; each dot is `scale` pixels square."""
    rows: list[bytes] = []
    for line in range(7):
        dots = " ".join(DOTS[letter][line] for letter in text)
        row = b"".join((b"\1" if dot == "#" else b"\0") * scale for dot in dots)
        rows += [row] * scale
    return rows
