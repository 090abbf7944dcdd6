"""What a process weighs."""

from __future__ import annotations


def resident_mb(pid: int) -> float:
    """A process's share of resident memory in MB (Linux); 0 where it cannot be known."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
            return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
    except OSError:
        return 0.0
