"""What a subscription tells, page by page; over a socket it is tested with `sessions`."""

import asyncio
import json
from pathlib import Path

from harness.rpc_city import RpcCity, turns_until
from moyai.rpc.cursors import BlockCursor
from moyai.rpc.event_pages import wanted_by
from moyai.rpc.schema_events import EventFilter
from moyai.rpc.settings import RpcConfig
from moyai.rpc.subscriptions import Subscription


async def test_a_reader_that_takes_its_time_gets_everything_at_its_own_pace(tmp_path: Path) -> None:
    city = RpcCity(tmp_path / "chain", RpcConfig())
    told: list[int] = []
    may_take = asyncio.Semaphore(0)

    async def send(body: bytes) -> None:
        await may_take.acquire()
        told.extend(item["height"] for item in json.loads(body)["params"]["items"])

    subscription = Subscription(1, BlockCursor(1), wanted_by(EventFilter()))
    task = asyncio.get_running_loop().create_task(subscription.run(city.server._waiting, send))
    for _ in range(4):
        city.commit()
        await asyncio.sleep(0)
    assert told == []
    may_take.release()
    may_take.release()
    await turns_until(lambda: len(told) == 4)
    city.commit()
    may_take.release()
    await turns_until(lambda: len(told) == 5)
    task.cancel()
    await asyncio.wait([task])
    assert told == [1, 2, 3, 4, 5]
    assert subscription.cursor == BlockCursor(6)
    city.city.close()
