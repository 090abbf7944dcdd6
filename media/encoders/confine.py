"""What the process that reads an encoder's stream may use: little memory, few files, no dumps, and no life beyond its parent."""

from __future__ import annotations

import ctypes
import resource
import signal
import sys

MEMORY = 2 << 30
"""Octets of address space; the libraries map about a third of it."""
FILES = 64
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38


def confine() -> None:
    """Limits this process for good."""
    for limit, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_NOFILE, FILES), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))
    if sys.platform == "linux":
        control = ctypes.CDLL(None, use_errno=True).prctl
        control(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        control(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        control(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
