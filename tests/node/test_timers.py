"""Scenarios of timers on a loop whose clock can jump, as after a suspension."""

import asyncio
from collections.abc import Awaitable, Callable

from moyai.consensus.inputs import Timer
from moyai.node.timers import LoopTimers


class JumpingLoop(asyncio.SelectorEventLoop):
    """A real loop whose time a test can put forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class Scene:
    """Timers, and a way to wait for the next that fires."""

    def __init__(self, loop: JumpingLoop) -> None:
        self.loop = loop
        self.fired: list[Timer] = []
        self._news = asyncio.Event()
        self.timers = LoopTimers(loop, self._fire)

    def _fire(self, timer: Timer) -> None:
        self.fired.append(timer)
        self._news.set()

    async def next(self) -> None:
        async with asyncio.timeout(5):
            await self._news.wait()
        self._news.clear()


def run(scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        await scenario(Scene(loop))

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(main())


def test_timers_fire_once_in_the_order_in_which_they_are_due() -> None:
    async def scenario(scene: Scene) -> None:
        scene.timers.set(Timer.VIEW, 2)
        scene.timers.set(Timer.LEADER, 1)
        await scene.next()
        await scene.next() if len(scene.fired) < 2 else None
        assert scene.fired == [Timer.LEADER, Timer.VIEW]
        assert scene.timers._handles == {}

    run(scenario)


def test_setting_again_replaces_and_clearing_forgets() -> None:
    async def scenario(scene: Scene) -> None:
        scene.timers.set(Timer.VIEW, 1)
        scene.timers.set(Timer.VIEW, 60_000)
        scene.timers.set(Timer.IDLE, 1)
        scene.timers.clear(Timer.IDLE)
        scene.timers.clear(Timer.FETCH)
        scene.timers.set(Timer.STATUS, 3)
        await scene.next()
        assert scene.fired == [Timer.STATUS]
        assert list(scene.timers._handles) == [Timer.VIEW]

    run(scenario)


def test_a_timer_may_be_set_again_while_it_fires() -> None:
    async def scenario(scene: Scene) -> None:
        again = LoopTimers(scene.loop, lambda timer: again.set(timer, 60_000))
        again.set(Timer.STATUS, 0)
        scene.timers.set(Timer.VIEW, 2)
        await scene.next()
        assert list(again._handles) == [Timer.STATUS]
        again.close()

    run(scenario)


def test_closing_forgets_all() -> None:
    async def scenario(scene: Scene) -> None:
        scene.timers.set(Timer.VIEW, 1)
        scene.timers.set(Timer.LEADER, 1)
        scene.timers.close()
        other = Scene(scene.loop)
        other.timers.set(Timer.STATUS, 3)
        await other.next()
        assert scene.fired == []

    run(scenario)


def test_after_a_suspension_what_lies_in_the_sockets_is_read_before_a_timer_acts() -> None:
    async def scenario(scene: Scene) -> None:
        reader, writer = asyncio.StreamReader(), asyncio.Event()
        scene.timers.set(Timer.VIEW, 10)
        scene.timers.set(Timer.LEADER, 10)
        scene.loop.ahead += 3_600
        reader.feed_data(b"the proposal")
        await reader.readexactly(12)
        scene.loop.call_soon(scene.timers.clear, Timer.VIEW)
        scene.loop.call_soon(writer.set)
        await writer.wait()
        assert scene.fired == []
        await scene.next()
        assert scene.fired == [Timer.LEADER]

    run(scenario)
