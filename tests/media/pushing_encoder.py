"""A recording room's encoder that pushes: FFmpeg's own RTMP client at the speed of time, again and again as such devices do.

A program of its own, because PyAV holds the interpreter while it connects: ``python pushing_encoder.py URL OPTIONS``. It
prints a line each time it was turned away.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from typing import Any

import av
import av.error
from recording_room import FPS, HEIGHT, WIDTH, picture, tone


def push(url: str, options: dict[str, str]) -> None:
    with av.open(url, "w", format="flv", timeout=5.0) as container:
        video: Any = container.add_stream("libx264", rate=FPS, options=options)
        video.width, video.height, video.pix_fmt, video.gop_size = WIDTH, HEIGHT, "yuv420p", FPS
        sound: Any = container.add_stream("aac", rate=48_000, layout="mono")
        began = time.monotonic()
        for number in itertools.count():
            time.sleep(max(0.0, began + number / FPS - time.monotonic()))
            container.mux(video.encode(picture(number)))
            container.mux(sound.encode(tone(number * 48_000 // FPS, 48_000 // FPS, 48_000)))


if __name__ == "__main__":
    usual = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
    while True:
        with contextlib.suppress(OSError, av.error.FFmpegError):
            push(sys.argv[1], usual | json.loads(sys.argv[2]))
        print("turned away", flush=True)
        time.sleep(0.05)
