"""The demuxer's only way to an RTSP encoder: one connection, made by us to an address that was checked, and read along.

FFmpeg follows an RTSP redirect wherever it leads. It therefore talks to this guard on the loopback, and an answer that
redirects ends the connection instead of reaching it. FFmpeg also reads what no standard allows (a status of four digits, lines
that a line feed alone ends), so whatever the two of them might read differently ends the connection, too.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading

from media.encoders.values import EncoderRefused

LARGEST_HEAD, LARGEST_BODY = 16 * 1024, 64 * 1024
CONNECT_SECONDS, QUIET_SECONDS = 5.0, 15.0
READ = 64 * 1024
_STATUS = re.compile(rb"RTSP/1\.[0-9] +([1-6])[0-9]{2}(?: [\t -\xff]*)?")
_FIELD = re.compile(rb"([A-Za-z0-9_-]+):([\t -\xff]*)")
"""Lines of a head (RFC 2326 §7.1, §4.2)."""


class BadSignalling(Exception):
    """What came is not RTSP, or sends us elsewhere."""


class Reader:
    """Follows what an RTSP server says (RFC 2326 §10): gives back what may be passed on."""

    def __init__(self) -> None:
        self._kept = b""

    def take(self, octets: bytes) -> bytes:
        """The complete parts of what has come. Raises BadSignalling."""
        kept = self._kept + octets
        at = 0
        while at < len(kept):
            end = self._end(kept, at)
            if end is None or end > len(kept):
                break
            at = end
        self._kept = kept[at:]
        return kept[:at]

    def _end(self, kept: bytes, at: int) -> int | None:
        """Where the part that begins here ends; None when that is not known yet."""
        if kept[at] == 0x24:  # "$": interleaved data, channel, length
            return at + 4 + int.from_bytes(kept[at + 2 : at + 4], "big") if at + 4 <= len(kept) else None
        blank = kept.find(b"\r\n\r\n", at, at + LARGEST_HEAD)
        if blank < 0:
            if len(kept) - at >= LARGEST_HEAD:
                raise BadSignalling("head too large")
            return None
        first, *fields = kept[at:blank].split(b"\r\n")
        status = _STATUS.fullmatch(first)
        if status is None or status[1] == b"3":
            raise BadSignalling("no status line" if status is None else "redirected")
        size = 0
        for field in fields:
            found = _FIELD.fullmatch(field)
            if found is None:
                raise BadSignalling("no header field")
            if found[1].lower() == b"content-length":
                size = int(found[2]) if found[2].strip().isdigit() else LARGEST_BODY + 1
        if size > LARGEST_BODY:
            raise BadSignalling("body too large")
        return blank + 4 + size


class Guard:
    """Carries one RTSP connection between the demuxer and `address`. Raises EncoderRefused ``unreachable``."""

    def __init__(self, address: str, port: int) -> None:
        try:
            self._far = socket.create_connection((address, port), CONNECT_SECONDS)
        except OSError as error:
            raise EncoderRefused("unreachable", type(error).__name__) from None
        self._far.settimeout(QUIET_SECONDS)
        self._door = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._door.settimeout(CONNECT_SECONDS)
        self.redirected = False
        threading.Thread(target=self._carry, daemon=True).start()

    @property
    def port(self) -> int:
        """Where the demuxer connects to."""
        return int(self._door.getsockname()[1])

    def _carry(self) -> None:
        with self._far, contextlib.suppress(OSError):
            with self._door:
                near, _ = self._door.accept()
            with near:
                threading.Thread(target=self._carry_out, args=(near,), daemon=True).start()
                try:
                    self._carry_in(near)
                finally:  # the other thread waits on it: to close alone would not end the connection
                    near.shutdown(socket.SHUT_RDWR)

    def _carry_out(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := near.recv(READ):
                self._far.sendall(octets)
            self._far.shutdown(socket.SHUT_WR)

    def _carry_in(self, near: socket.socket) -> None:
        reader = Reader()
        while octets := self._far.recv(READ):
            try:
                near.sendall(reader.take(octets))
            except BadSignalling as refused:
                self.redirected = str(refused) == "redirected"
                return
