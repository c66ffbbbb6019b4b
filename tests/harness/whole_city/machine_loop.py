"""The event loop of one simulated process: real tasks and futures, virtual time, no sockets.

Loops of several processes live side by side in one `VirtualTime` and never call each other. A
process can be paused, as by SIGSTOP, and killed between any two callbacks. Work for threads is done
by the loop itself, after a drawn delay. Not here: what connections do (`network`).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from harness.whole_city.virtual_time import MICROSECONDS_PER_S, VirtualTime

if TYPE_CHECKING:
    from harness.whole_city.network import Network

BURIAL_ITERATIONS_MAX = 10_000


class Nature(msgspec.Struct, frozen=True):
    """What a machine is like: how long a round of its loop takes, how long work in a thread does.

    `rate` is how fast its clocks run, 1 for right.
    """

    turn_us: int = 100
    thread_us: int = 2_000
    rate: float = 1.0


class MachineLoop:
    """One process: it runs what is ready round by round, and each round takes time.

    It has of `asyncio.AbstractEventLoop` what a node uses; anything else fails at once.
    """

    def __init__(
        self, time: VirtualTime, network: "Network", address: str, nature: Nature, random: Random
    ) -> None:
        self.address = address
        self.is_dead = False
        self.faults: list[str] = []
        self.signals: dict[int, Callable[[], object]] = {}
        self.main: asyncio.Task[None] | None = None
        self.ended: Callable[[], None] = lambda: None
        self.callbacks_left: int | None = None
        self.killed: Callable[[], None] = lambda: None
        self._time = time
        self._network = network
        self._nature = nature
        self._random = random
        self._began_us = time.now_us
        self._ready: deque[asyncio.Handle] = deque()
        self._is_awake = False
        self._is_running = False
        self._is_buried = False
        self._free_us = 0
        self._paused_until_us = 0
        self._handler: Callable[..., Any] | None = None

    # -- what tasks and futures ask of a loop

    def time(self) -> float:
        elapsed_us = self._time.now_us - self._began_us
        return (self._began_us + elapsed_us * self._nature.rate) / MICROSECONDS_PER_S

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        if not self._is_awake:
            self._wake()
        return handle

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        return self.call_soon(callback, *args, context=context)

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        wait_s = max(0.0, when - self.time()) / self._nature.rate
        # Rounded up: a timer that fires early would see a clock that says it is not due.
        self._time.after(int(wait_s * MICROSECONDS_PER_S) + 1, lambda: self._due(handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Any = None
    ) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def run_in_executor(
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = self.create_future()
        began_us, told_us = self._thread_us(), self._thread_us()
        self._time.after(began_us, lambda: self._work(future, func, args, told_us))
        return future

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        self.signals[sig] = partial(callback, *args)

    def set_exception_handler(self, handler: Any) -> None:
        self._handler = handler

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self.is_dead:
            return
        if self._handler is not None:
            self._handler(self, context)
        else:
            self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._is_running

    def is_closed(self) -> bool:
        return False

    # -- connections: the network makes them

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any
    ) -> Any:
        return self._network.listen(self, protocol_factory, port)

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any
    ) -> Any:
        return await self._network.connect(self, protocol_factory, host, port)

    # -- the life of the process

    def start(self, program: Coroutine[Any, Any, None]) -> None:
        """Begin to run a program; `ended` is called when it is over."""
        self.main = self.create_task(program, name="main")

    def raise_signal(self, number: int) -> None:
        """Send a signal to the process."""
        self.call_soon(self.signals[number])

    def pause(self, until_us: int) -> None:
        """Give the process no time until then."""
        self._paused_until_us = max(self._paused_until_us, until_us)

    def kill_after(self, callbacks: int) -> None:
        """Kill the process before that callback from now."""
        self.callbacks_left = callbacks

    @property
    def unfinished(self) -> list[str]:
        """Return the names of the tasks that have not ended."""
        return sorted(task.get_name() for task in asyncio.all_tasks(self))

    def bury(self) -> None:
        """End what is left of a process that is gone, out of time and without effect outside.

        Its coroutines are unwound here and now: left to the garbage collector, they would run their
        last lines at a moment that no seed decides.
        """
        assert self.is_dead
        self._is_buried = True
        for _ in range(BURIAL_ITERATIONS_MAX):
            left = asyncio.all_tasks(self)
            if not left:
                return
            if not self._ready:
                for task in left:
                    task.cancel()
            self._round()
        raise AssertionError(f"tasks that do not end when cancelled: {self.unfinished}")

    def _wake(self) -> None:
        self._is_awake = True
        self._time.at(max(self._free_us, self._paused_until_us), self._run)

    def _run(self) -> None:
        if self.is_dead:
            return
        if self._time.now_us < self._paused_until_us:
            self._wake()
            return
        self._round()
        if self.main is not None and self.main.done() and not self.is_dead:
            self.ended()
            return
        self._free_us = self._time.now_us + self._nature.turn_us
        self._is_awake = False
        if self._ready:
            self._wake()

    def _round(self) -> None:
        """Run what is ready now; what becomes ready by it is for the next round."""
        batch, self._ready = self._ready, deque()
        self._is_running = True
        asyncio._set_running_loop(self)
        try:
            while batch and (self._is_buried or not self.is_dead):
                if self.callbacks_left is not None and not self.is_dead:
                    self.callbacks_left -= 1
                    if self.callbacks_left < 0:
                        self.killed()
                        return
                handle = batch.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            self._ready.extendleft(reversed(batch))
            self._is_running = False
            asyncio._set_running_loop(None)

    def _due(self, handle: asyncio.TimerHandle) -> None:
        if self.is_dead or handle.cancelled():
            return
        self._ready.append(handle)
        if not self._is_awake:
            self._wake()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing: a cancelled timer is passed over when it is due."""

    def _thread_us(self) -> int:
        return int(self._nature.thread_us * self._random.uniform(0.1, 2.0))

    def _work(
        self, future: asyncio.Future[Any], func: Callable[..., Any], args: Any, told_us: int
    ) -> None:
        """Do a thread's work in one piece; the loop hears of it later."""
        if self.is_dead:
            return
        if self._time.now_us < self._paused_until_us:
            self._time.at(self._paused_until_us, lambda: self._work(future, func, args, told_us))
            return
        token = _AT_WORK.set(self)
        try:
            result, error = func(*args), None
        except Exception as raised:  # noqa: BLE001 - a thread hands over whatever was raised
            result, error = None, raised
        finally:
            _AT_WORK.reset(token)

        def tell() -> None:
            if self.is_dead or future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._time.after(told_us, tell)


_AT_WORK: ContextVar[MachineLoop | None] = ContextVar("at_work", default=None)


def current_machine() -> MachineLoop:
    """Return the process that runs now, be it one of its callbacks or one of its threads."""
    machine = _AT_WORK.get() or asyncio.get_running_loop()
    assert isinstance(machine, MachineLoop)
    return machine
