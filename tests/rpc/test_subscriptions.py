"""What a subscription tells, page by page; over a socket it is tested with `sessions`."""

import asyncio
import json
from pathlib import Path
from typing import Any

from harness.rpc_city import RpcCity, turns_until
from moyai.rpc.cursors import BlockCursor, EventCursor
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


async def test_all_subscriptions_together_read_one_page_between_two_turns(tmp_path: Path) -> None:
    city = RpcCity(tmp_path / "chain", RpcConfig())
    for _ in range(5):
        city.commit()
    wanting_nothing = wanted_by(EventFilter(kinds=("no_such_kind",)))
    pages: list[int] = []
    waiting = city.server._waiting
    read = waiting.read

    def counted(question: Any) -> Any:
        pages.append(1)
        return read(question)

    waiting.read = counted  # type: ignore[method-assign] # counts, and reads as before
    loop = asyncio.get_running_loop()
    subscriptions = [Subscription(n, EventCursor(1, 0, 0), wanting_nothing) for n in range(40)]
    tasks = [loop.create_task(one.run(waiting, unheard)) for one in subscriptions]
    most = 0
    for _ in range(30):
        before = len(pages)
        await asyncio.sleep(0)
        most = max(most, len(pages) - before)
    assert most == 1
    await turns_until(lambda: len(pages) == len(subscriptions))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    city.city.close()


async def unheard(body: bytes) -> None:
    raise AssertionError(body)
