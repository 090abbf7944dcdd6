"""What the process that reads an encoder's stream may use: little memory, few files, no dumps, and no life beyond its parent."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys

MEMORY = 2 << 30
"""Octets of address space; the libraries map about a third of it."""
FILES = 64
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""Landlock's system calls, the same on every architecture."""
_CONNECT_TCP, _PORT_RULE = 2, 2
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


def connect_only_to(port: int | None) -> bool:
    """From now on this thread, and those it starts, open TCP connections to this port alone, or to none: not to the database,
    nor wherever a stream may try to lead. False where the kernel cannot hold to that (Linux before 6.7)."""
    if sys.platform != "linux":
        return False
    call = ctypes.CDLL(None, use_errno=True).syscall
    handled = struct.pack("=QQ", 0, _CONNECT_TCP)  # struct landlock_ruleset_attr: nothing of files, this of the network
    ruleset = call(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if ruleset < 0:
        return False
    try:
        if port is not None:
            call(_ADD_RULE, ruleset, _PORT_RULE, struct.pack("=QQ", _CONNECT_TCP, port), 0)
        return bool(call(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)
