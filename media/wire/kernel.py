"""The C structures of `sendmmsg`, and socket addresses as C has them."""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
import sys
from typing import Any

from media.wire.stun import Address

NAME_BYTES = 28
"""sizeof sockaddr_in6; sockaddr_in needs 16 of them."""

if sys.byteorder != "little":  # the int that libsrtp writes is the low half of the size_t that sendmmsg reads
    raise ImportError("media.wire.kernel needs a little-endian machine")


class Vector(ctypes.Structure):
    """struct iovec"""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Message(ctypes.Structure):
    """struct msghdr"""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class Entry(ctypes.Structure):
    """struct mmsghdr"""

    _fields_ = (("message", Message), ("sent", ctypes.c_uint))


def find_sendmmsg() -> Any:
    """libc's sendmmsg, or None on systems without it (or whose structures differ from Linux's)."""
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), "sendmmsg", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
    return function


def pack_address(address: Address, family: int) -> bytes:
    """A socket address as the kernel reads it."""
    if family == socket.AF_INET:
        return struct.pack("=H", family) + struct.pack("!H", address[1]) + socket.inet_aton(address[0]) + bytes(8)
    host, port, flow, scope = (*address, 0, 0)[:4]
    packed = ipaddress.IPv6Address(str(host).partition("%")[0]).packed
    return struct.pack("=H", family) + struct.pack("!HI", port, flow) + packed + struct.pack("=I", scope)


def unpack_address(raw: bytes, family: int) -> Address:
    """The reverse of `pack_address`."""
    port = int.from_bytes(raw[2:4], "big")
    if family == socket.AF_INET:
        return socket.inet_ntoa(raw[4:8]), port
    flow, scope = int.from_bytes(raw[4:8], "big"), struct.unpack("=I", raw[24:28])[0]
    return str(ipaddress.IPv6Address(raw[8:24])), port, flow, scope
