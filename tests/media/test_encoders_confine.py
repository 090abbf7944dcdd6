"""What the process that reads a stream cannot do, whatever the stream makes of it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys

import pytest
from waiting import PATIENCE

PROGRAM = """
import json, resource, socket, sys, threading
from media.encoders.confine import confine, connect_only_to
confine()
held = connect_only_to(int(sys.argv[1]))
tried = []
def connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
        tried.append("open")
    except OSError as error:
        tried.append(type(error).__name__)
for port in sys.argv[1:]:
    thread = threading.Thread(target=connect, args=(int(port),))
    thread.start()
    thread.join()
limits = [resource.getrlimit(each)[1] for each in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)]
print(json.dumps([held, tried, limits]))
"""


async def test_it_reaches_its_encoder_and_nothing_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as encoder, socket.create_server(("127.0.0.1", 0)) as database:
        ports = [str(each.getsockname()[1]) for each in (encoder, database)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, *ports, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    held, tried, limits = json.loads(told)
    assert limits == [2 << 30, 64, 0]
    if not held:
        pytest.skip("this kernel has no Landlock rules for the network (Linux 6.7)")
    assert tried == ["open", "PermissionError"]
