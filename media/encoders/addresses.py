"""Which addresses may be pulled from: what an operator listed and nothing else, so that no form becomes a way into the network.

A name is resolved once for each connection, every address it has must be allowed, and the connection goes to the address that
was checked: a name server that changes its mind in between changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from media.encoders.values import EncoderRefused

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str], Awaitable[Iterable[str]]]
"""All addresses of a name; raises OSError."""

RTSP_PORT = 554
LONGEST_URL = 500
RESOLVE_SECONDS = 5.0
_NAME = re.compile(r"(?=.{1,253}$)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?=[a-z])[a-z0-9-]{1,63}(?<!-)")
"""A host name; its last label begins with a letter, so no decimal, octal or short form of an address passes for one."""
NEVER_BY_CHANCE: tuple[IpNetwork, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "100.100.100.200/32",
        "::/127", "fe80::/10", "ff00::/8", "fd00:ec2::254/128",
    )
)  # fmt: skip
"""This machine itself, its link, multicast, and where clouds tell a machine its secrets: open only where the operator lists a
network that lies within one of these. A wide network does not open them."""
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\^`{|}<>\"]")


@dataclass(frozen=True, slots=True)
class Allowed:
    """Networks and ports that may be pulled from."""

    networks: tuple[IpNetwork, ...] = ()
    ports: frozenset[int] = frozenset({RTSP_PORT})

    def covers(self, address: IpAddress) -> bool:
        """Whether the address is listed."""
        special = _around(address)
        return any(
            _within(address, network)
            and (
                special is None
                or (network.prefixlen >= special.prefixlen and _within(network.network_address, special))
            )
            for network in self.networks
        )


def _around(address: IpAddress) -> IpNetwork | None:
    return next((network for network in NEVER_BY_CHANCE if _within(address, network)), None)


def _within(address: IpAddress, network: IpNetwork) -> bool:
    return address.version == network.version and address in network


@dataclass(frozen=True, slots=True)
class RtspUrl:
    """The parts of an RTSP address; name and password stay out of any text."""

    host: str
    port: int
    path: str = field(repr=False)
    """With the query, as it goes into the request."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def shown(self) -> str:
        """The address without name, password and query: for people. Some makers put name and password into the path, too."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == RTSP_PORT else f":{self.port}"
        path = self.path.split("?")[0]
        return f"rtsp://{host}{port}{'/…' if '=' in unquote(path) else path}"

    def full(self) -> str:
        """The whole address with name and password: for the demuxer, and to be kept sealed."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"rtsp://{login}{host}:{self.port}{self.path}"


def parse_url(text: str) -> RtspUrl:
    """Reads an address as typed. Raises EncoderRefused ``address_refused`` for everything that is not plainly RTSP."""
    if len(text) > LONGEST_URL or _FORBIDDEN.search(text):
        raise EncoderRefused("address_refused", "malformed")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").lower(), parts.port or RTSP_PORT
    except ValueError:
        raise EncoderRefused("address_refused", "malformed") from None
    if parts.scheme != "rtsp" or parts.fragment or parts.netloc.count("@") > 1:
        raise EncoderRefused("address_refused", "not rtsp")
    if _literal(host) is None and not _NAME.fullmatch(host):
        raise EncoderRefused("address_refused", "no host name")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return RtspUrl(host, port, path, unquote(parts.username or ""), unquote(parts.password or ""))


def _literal(host: str) -> IpAddress | None:
    """The address this host is written as; an IPv4 address within an IPv6 one is that IPv4 address."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id:
            return None
        return found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None) or found
    return found


async def resolve(name: str) -> list[str]:
    """All addresses of a name, as this machine knows it."""
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


async def pin(url: RtspUrl, allowed: Allowed, resolve: Resolve = resolve) -> str:
    """The one address to connect to. Raises EncoderRefused ``address_refused`` or ``unreachable``."""
    if url.port not in allowed.ports:
        raise EncoderRefused("address_refused", "port")
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            texts = [url.host] if _literal(url.host) is not None else list(await resolve(url.host))
    except (OSError, TimeoutError, UnicodeError):
        raise EncoderRefused("unreachable", "name") from None
    addresses = [found for text in texts if (found := _literal(text)) is not None]
    if not addresses or len(addresses) < len(texts) or not all(allowed.covers(address) for address in addresses):
        raise EncoderRefused("address_refused", "network")
    return str(addresses[0])
