"""``sanke bench relay``: the relay with count-only subscribers, and Janus beside it."""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from media.benching.load import Load, Pace
from media.benching.measuring import JANUS_SUBSCRIBERS, bench_relay


def relay(
    *,
    subscribers: Annotated[int, Parameter(validator=Number(gte=1, lte=2000))] = 200,
    seconds: Annotated[float, Parameter(validator=Number(gt=0, lte=3600))] = 10.0,
    rooms: Annotated[int, Parameter(validator=Number(gte=1, lte=200))] = 1,
    publisher: Pace = "browser",
    record: bool = False,
    janus: bool = True,
    janus_subscribers: Annotated[int, Parameter(validator=Number(gte=1, lte=2000))] = JANUS_SUBSCRIBERS,
) -> None:
    """Measure the relay with count-only subscribers at about 161 packets a second each. 测量转发服务。

    Parameters
    ----------
    subscribers
        How many subscribers. 听众数。
    seconds
        Seconds to measure. 测量秒数。
    rooms
        Classes at the same time, which share the subscribers. 同时上课的课堂数。
    publisher
        How a picture's packets are sent: as Chromium does, without a pause, or in steps of 5 ms. 画面分组的发送方式。
    record
        Record every class meanwhile. 同时录制每个课堂。
    janus
        Measure Janus with the same load afterwards, where it is installed. 随后以同样负载测量 Janus（若已安装）。
    janus_subscribers
        Subscribers of Janus, at most as many as of the relay. Janus 的听众数。
    """
    load = Load(subscribers, seconds, min(rooms, subscribers), publisher, record)
    print(json.dumps(bench_relay(load, janus_subscribers=janus_subscribers if janus else None)))
