"""Which addresses the relay tells its peers."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from aioice.ice import get_host_addresses

MOST = 8
"""Candidates told to a client, which sends checks to each of them."""


async def candidates(host: str, announce: tuple[str, ...], port: int) -> tuple[tuple[str, int], ...]:
    """(address, port) of each host candidate: the announced ones (names are resolved), else the bound one, else, where
    that is a wildcard, this machine's. Raises OSError where an announced name cannot be resolved."""
    if announce:
        found = [address for name in announce for address in await _resolve(name)]
    elif not ipaddress.ip_address(host).is_unspecified:
        found = [host]
    else:
        found = [*get_host_addresses(use_ipv4=True, use_ipv6=":" in host), "127.0.0.1"]
    return tuple((address, port) for address in dict.fromkeys(found))[:MOST]


async def _resolve(name: str) -> list[str]:
    try:
        return [str(ipaddress.ip_address(name))]
    except ValueError:
        loop = asyncio.get_running_loop()
        answers = await loop.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        return [str(address[0]) for *_, address in answers]
