"""``sanke bench relay``: the relay with count-only subscribers."""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from media.bench import bench_relay


def relay(
    *,
    subscribers: Annotated[int, Parameter(validator=Number(gte=1, lte=2000))] = 200,
    seconds: Annotated[float, Parameter(validator=Number(gt=0, lte=3600))] = 10.0,
) -> None:
    """Measure the relay with count-only subscribers at about 161 packets a second each. 测量转发服务。

    Parameters
    ----------
    subscribers
        How many subscribers. 听众数。
    seconds
        Seconds to measure. 测量秒数。
    """
    print(json.dumps(bench_relay(subscribers=subscribers, seconds=seconds)))
