"""A school's line as a test can cut it: a small UDP proxy in front of the relay, and a browser's way through it."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any

from playwright.async_api import Error, Page, Route


class Line:
    """Forwards datagrams between browsers and the relay; `cut` loses them all, both ways, until `mend`."""

    def __init__(self, relay: tuple[str, int]) -> None:
        self.relay = relay
        self.up = True
        self.carried = 0
        self.port = 0
        self._front: asyncio.DatagramTransport | None = None
        self._backs: dict[Any, _Raw] = {}

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._front, _ = await loop.create_datagram_endpoint(lambda: _Ear(self._outward), ("127.0.0.1", 0))
        self.port = self._front.get_extra_info("sockname")[1]

    def _outward(self, data: bytes, browser: Any) -> None:
        if not self.up:
            return
        back = self._backs.get(browser)
        if back is None:
            back = self._backs[browser] = self._open(browser)
        self.carried += 1
        back.sendto(data, self.relay)

    def _open(self, browser: Any) -> _Raw:
        """A socket of its own for each address of a browser, as a router's address translation gives it one."""
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.bind(("127.0.0.1", 0))
        end.setblocking(False)
        loop = asyncio.get_running_loop()
        return _Raw(loop, end, lambda data: self._inward(data, browser))

    def _inward(self, data: bytes, browser: Any) -> None:
        if self.up and self._front is not None:
            self._front.sendto(data, browser)

    def cut(self) -> None:
        self.up = False

    def mend(self) -> None:
        self.up = True

    def close(self) -> None:
        if self._front is not None:
            self._front.close()
        for back in self._backs.values():
            back.close()
        self._backs.clear()

    async def take(self, page: Page) -> None:
        """From now on this page's media goes through the line: the relay's candidate is rewritten in every answer."""

        async def rewritten(route: Route) -> None:
            if route.request.method not in ("POST", "PATCH"):
                await route.continue_()
                return
            try:
                response = await route.fetch()
            except Error:
                await route.abort("connectionfailed")
                return
            body = re.sub(
                rf"(a=candidate:.* {re.escape(self.relay[0])}) {self.relay[1]} ",
                rf"\1 {self.port} ",
                await response.text(),
            )
            await route.fulfill(response=response, body=body)

        await page.route(re.compile(r"/(whip|whep|media)/"), rewritten)


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, hear: Any) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._hear(data, addr)


class _Raw:
    """A connected-less UDP socket read by the loop; opened without waiting, so no datagram is lost meanwhile."""

    def __init__(self, loop: asyncio.AbstractEventLoop, end: socket.socket, hear: Any) -> None:
        self._loop, self._end = loop, end
        loop.add_reader(end.fileno(), self._read, hear)

    def _read(self, hear: Any) -> None:
        while True:
            try:
                data = self._end.recv(2048)
            except (BlockingIOError, ConnectionRefusedError):
                return
            hear(data)

    def sendto(self, data: bytes, address: tuple[str, int]) -> None:
        try:
            self._end.sendto(data, address)
        except (BlockingIOError, ConnectionRefusedError):
            return

    def close(self) -> None:
        self._loop.remove_reader(self._end.fileno())
        self._end.close()
