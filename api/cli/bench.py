"""``sanke bench …``: measures parts of the product on this machine and prints the figures as JSON."""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from media.bench import bench_relay

app = App(name="bench", help="在本机测量性能，输出 JSON / measure on this machine, print JSON")


@app.command
def relay(
    *,
    subscribers: Annotated[int, Parameter(validator=Number(gte=1, lte=2000))] = 200,
    seconds: Annotated[float, Parameter(validator=Number(gt=0, lte=3600))] = 10.0,
) -> None:
    """转发服务：每路约 161 包/秒的只计数听众 / the relay, with count-only subscribers at about 161 packets a second each.

    Parameters
    ----------
    subscribers
        听众数 / how many subscribers.
    seconds
        测量秒数 / seconds to measure.
    """
    print(json.dumps(bench_relay(subscribers=subscribers, seconds=seconds)))
