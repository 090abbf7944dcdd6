"""Janus (meetecho.com) as the baseline: its streaming plugin, in the configuration in which it is fastest.

Its API is spoken over a Unix socket, so that neither a web server nor a port is needed.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from media.benching.load import Load
from media.benching.machine import on_cores
from media.clients.counting import CountOnlySubscriber
from media.clients.peer import PAYLOAD_TYPES

PATIENCE = 10.0
MOST_STARTS = 20
"""Janus 1.1.2 often gives up: the thread of its Unix socket looks whether it may run before it has been told so."""
LONGEST_MESSAGE = 1 << 18
_CONFIG = """
general: {{
    configs_folder = "{folder}"
    debug_level = 2
    event_loops = 1
    session_timeout = 0
    server_name = "bench"
}}
nat: {{
    ice_lite = false
}}
media: {{
    ipv6 = false
}}
plugins: {{
    disable = "{plugins}"
}}
transports: {{
    disable = "{transports}"
}}
"""
"""One event loop instead of a thread for every subscriber: by far the fastest."""
_SOCKET = """
general: {{
    enabled = true
    json = "compact"
    path = "{folder}/api"
    type = "SOCK_SEQPACKET"
}}
"""
_OTHER_PLUGINS = "audiobridge duktape echotest lua nosip recordplay sip textroom videocall videoroom voicemail"
_OTHER_TRANSPORTS = "http mqtt nanomsg rabbitmq websockets"


class JanusUnusable(Exception):
    """Janus cannot be measured here; the text says why."""


def _libraries(names: str) -> str:
    return ",".join(f"libjanus_{name}.so" for name in names.split())


def _mountpoint(number: int, ports: tuple[int, int]) -> str:
    return f"""
class-{number}: {{
    type = "rtp"
    id = {number + 1}
    threads = 1
    media = (
        {{ type = "audio", mid = "a", port = {ports[0]}, pt = {PAYLOAD_TYPES["OPUS"]}, codec = "opus" }},
        {{ type = "video", mid = "v", port = {ports[1]}, pt = {PAYLOAD_TYPES["H264"]}, codec = "h264",
           fmtp = "profile-level-id=42e01f;packetization-mode=1" }}
    )
}}
"""


def free_ports(count: int) -> list[int]:
    """UDP ports of the loopback that nobody uses now."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


class _Api:
    """Janus's API over its Unix socket: requests with their replies, and the events that follow."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def _read(self) -> None:
        with suppress(BlockingIOError):
            message = json.loads(self._socket.recv(LONGEST_MESSAGE) or b"{}")
            waiting = self._asked.get(str(message.get("transaction")))
            if waiting is not None and not waiting.done() and message.get("janus") != "ack":
                waiting.set_result(message)

    async def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The reply, or the event that a plugin answers with. Raises JanusUnusable."""
        name = secrets.token_hex(8)
        self._asked[name] = asyncio.get_running_loop().create_future()
        self._socket.send(json.dumps({**request, "transaction": name}).encode())
        try:
            async with asyncio.timeout(PATIENCE):
                reply = await self._asked[name]
        except TimeoutError as error:
            raise JanusUnusable(f"no answer to {request.get('janus')}") from error
        finally:
            del self._asked[name]
        if reply.get("janus") == "error" or "error" in reply.get("plugindata", {}).get("data", {}):
            raise JanusUnusable(json.dumps(reply))
        return reply

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()


class Janus:
    """A Janus process as a `Target`; one mountpoint for each class."""

    def __init__(self, load: Load, cores: set[int]) -> None:
        """Starts it. Raises JanusUnusable where it is not installed."""
        binary = shutil.which("janus")
        if binary is None:
            raise JanusUnusable("janus is not installed (Debian: apt install janus)")
        version = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 # found on the path
        self.version = version.stdout.partition("\n")[0].removeprefix("Janus version: ")
        numbers = free_ports(2 * load.rooms)
        self.ports: Sequence[tuple[int, int]] = tuple(zip(numbers[::2], numbers[1::2], strict=True))
        self._folder = Path(tempfile.mkdtemp(prefix="sanke-janus-"))
        config = _CONFIG.format(
            folder=self._folder, plugins=_libraries(_OTHER_PLUGINS), transports=_libraries(_OTHER_TRANSPORTS)
        )
        (self._folder / "janus.jcfg").write_text(config)
        (self._folder / "janus.transport.pfunix.jcfg").write_text(_SOCKET.format(folder=self._folder))
        mountpoints = "".join(_mountpoint(number, ports) for number, ports in enumerate(self.ports))
        (self._folder / "janus.plugin.streaming.jcfg").write_text(mountpoints)
        self._command = [binary, "--configs-folder", str(self._folder), "--config", str(self._folder / "janus.jcfg")]
        self._cores = cores
        self._process = self._spawn()
        self._api: _Api | None = None
        self._session = 0

    def _spawn(self) -> subprocess.Popen[bytes]:
        with on_cores(self._cores), (self._folder / "log").open("w") as log:
            return subprocess.Popen(  # noqa: S603 # the same
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    async def start(self) -> None:
        """Waits until it answers, and opens a session. Raises JanusUnusable."""
        end, starts = time.monotonic() + PATIENCE, 1
        while self._api is None:
            try:
                self._api = _Api(self._folder / "api")
            except OSError as error:
                if time.monotonic() > end or starts == MOST_STARTS:
                    raise JanusUnusable((self._folder / "log").read_text()[-2000:]) from error
                await asyncio.sleep(0.1)
            if self._api is None and self._process.poll() is not None:
                self._process, starts = self._spawn(), starts + 1
        self._session = int((await self._api.ask({"janus": "create"}))["data"]["id"])

    async def publish(self, room: int, offer: str) -> str:
        """A mountpoint takes plain RTP (`ports`)."""
        raise NotImplementedError

    async def join(self, room: int, number: int, subscriber: CountOnlySubscriber) -> None:
        """Janus offers, the subscriber answers."""
        assert self._api is not None
        attach = {"janus": "attach", "session_id": self._session, "plugin": "janus.plugin.streaming"}
        handle = (await self._api.ask(attach))["data"]["id"]
        message = {"janus": "message", "session_id": self._session, "handle_id": handle}
        offered = await self._api.ask({**message, "body": {"request": "watch", "id": room + 1}})
        offer = offered["jsep"]["sdp"]
        answer = subscriber.answer(offer)
        started = self._api.ask(
            {**message, "body": {"request": "start"}, "jsep": {"type": "answer", "sdp": answer, "trickle": False}}
        )
        await asyncio.gather(started, subscriber.connect(offer))

    async def facts(self) -> Mapping[str, Any]:
        """Its version; it keeps no counters of interest."""
        return {"version": self.version}

    async def close(self) -> None:
        """Ends the process and what it left on the disk."""
        if self._api is not None:
            self._api.close()
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        shutil.rmtree(self._folder, ignore_errors=True)
