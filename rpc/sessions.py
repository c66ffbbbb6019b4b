"""One WebSocket: calls answered side by side, and subscriptions told at the reader's pace.

A reader that does not take what it subscribed to is cut; the cursor of the last news it took says
where to go on.
"""

import asyncio

from aiohttp import WSMessage, WSMsgType
from aiohttp.web_ws import WebSocketResponse

from moyai.primitives.errors import PrunedError
from moyai.rpc.desk import Caller, Desk
from moyai.rpc.errors import InvalidRequestError
from moyai.rpc.limits import (
    SOCKET_CALLS_MAX,
    SOCKET_CLOSE_SECONDS_MAX,
    SOCKET_STALLED_SECONDS_MAX,
)
from moyai.rpc.metrics import Metrics
from moyai.rpc.subscriptions import Subscription
from moyai.rpc.waits import Waiting

SLOW_READER_CLOSE = 4008
SLOW_READER_WORDS = b"slow_reader: subscribe again from the cursor of the last news you took"


class Session:
    """The server's side of one WebSocket; it is the `SubscriptionHost` of its calls."""

    def __init__(
        self, socket: WebSocketResponse, *, desk: Desk, waiting: Waiting, metrics: Metrics
    ) -> None:
        self._socket = socket
        self._desk = desk
        self._waiting = waiting
        self._metrics = metrics
        self._running: dict[int, asyncio.Task[None]] = {}
        self._numbers = 0
        self._calls = asyncio.Semaphore(SOCKET_CALLS_MAX)
        self._group: asyncio.TaskGroup | None = None
        self.is_stalled = False

    @property
    def subscription_count(self) -> int:
        """Return how many subscriptions the connection has."""
        return len(self._running)

    def next_number(self) -> int:
        """Return a number that no subscription of the connection had."""
        self._numbers += 1
        return self._numbers

    def begin(self, subscription: Subscription) -> None:
        """Tell what a subscription follows, from now on."""
        assert self._group is not None
        self._metrics.rpc_subscriptions.inc()
        self._running[subscription.number] = self._group.create_task(self._tell(subscription))

    def end(self, number: int) -> bool:
        """End a subscription; return whether there was such a one."""
        task = self._running.pop(number, None)
        if task is None:
            return False
        task.cancel()
        return True

    async def serve(self, caller: Caller) -> None:
        """Answer until the connection ends."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await self._read(group, caller)
                raise _Ended
        except* _Ended:
            await self._close()

    async def _read(self, group: asyncio.TaskGroup, caller: Caller) -> None:
        async for message in self._socket:
            await self._calls.acquire()
            group.create_task(self._answer(message, caller))

    async def _answer(self, message: WSMessage, caller: Caller) -> None:
        try:
            if message.type is WSMsgType.TEXT:
                answered = await self._desk.answer(message.data, caller)
            else:
                answered = self._desk.refusal(
                    InvalidRequestError(
                        "is no text", what="message", next="send JSON in text messages"
                    )
                )
            if answered.body is not None:
                await self._send(answered.body)
        finally:
            self._calls.release()

    async def _tell(self, subscription: Subscription) -> None:
        try:
            await subscription.run(self._waiting, self._send)
        except PrunedError:  # it stood still for so long that its place is gone
            raise _Ended from None
        finally:
            self._running.pop(subscription.number, None)
            self._metrics.rpc_subscriptions.dec()

    async def _send(self, body: bytes) -> None:
        """Send one text; a reader that takes none of it in time is cut."""
        try:
            async with asyncio.timeout(SOCKET_STALLED_SECONDS_MAX):
                await self._socket.send_frame(body, WSMsgType.TEXT)
        except TimeoutError:
            self._metrics.rpc_refused.labels("slow_reader").inc()
            self.is_stalled = True
            raise _Ended from None
        except ConnectionError:
            raise _Ended from None

    async def _close(self) -> None:
        """Say goodbye, as far as the other side still takes anything."""
        try:
            async with asyncio.timeout(SOCKET_CLOSE_SECONDS_MAX):
                if self.is_stalled:
                    await self._socket.close(code=SLOW_READER_CLOSE, message=SLOW_READER_WORDS)
                else:
                    await self._socket.close()
        except (TimeoutError, ConnectionError):
            return


class _Ended(Exception):
    """The connection is over."""
