"""Answers requests: parses the body, charges the client, runs the calls, writes the answer.

A request runs in turns: all its submits as one list, then its reads from one snapshot, then the
calls that wait. A read that has held the loop long enough lets others run and goes on from a newer
snapshot; every answer says its height. Not here: HTTP and WebSocket.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from msgspec import UNSET

from moyai.primitives.errors import MoyaiError
from moyai.primitives.stages import Stage
from moyai.rpc.budget import Budget, Client
from moyai.rpc.calls import (
    Call,
    call_id,
    convert_params,
    error_bytes,
    http_status,
    parse_call,
    result_bytes,
)
from moyai.rpc.errors import (
    AnswerTooLargeError,
    DeadlineError,
    InternalFaultError,
    InvalidRequestError,
    MethodNotFoundError,
)
from moyai.rpc.limits import (
    ANSWER_BYTES_MAX,
    BATCH_CALLS_MAX,
    BODY_BYTES_PER_COST,
    COSTS_PER_MS,
    OVERRUN_MS_FREE,
    READ_SLICE_MS,
    REQUEST_SECONDS_MAX,
)
from moyai.rpc.methods import Method, Turn
from moyai.rpc.metrics import Metrics
from moyai.rpc.reads import Reads
from moyai.rpc.routes import ADMIN_METHODS, METHODS
from moyai.rpc.schema_types import Params
from moyai.rpc.strict_json import parse_strict
from moyai.rpc.submits import not_a_writer, submit_all
from moyai.rpc.subscriptions import SubscriptionHost
from moyai.rpc.waits import Waiting

_log = structlog.get_logger(__name__)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: the client its costs go to, and what it may do."""

    client: Client
    is_writer: bool = True
    is_admin: bool = False
    host: SubscriptionHost | None = None


class Answered(msgspec.Struct, frozen=True):
    """The body of an answer, none when all calls were notifications; and its HTTP status."""

    body: bytes | None
    status: int = 200


class _Task(msgspec.Struct):
    """One call of a request on its way to its answer."""

    call: Call
    method: Method
    params: Params
    answer: bytes | None = None


class Desk:
    """Where all requests of a node are answered."""

    def __init__(
        self, waiting: Waiting, budget: Budget, metrics: Metrics, discovery: dict[str, Any]
    ) -> None:
        self._waiting = waiting
        self._stages = waiting.stages
        self._budget = budget
        self._metrics = metrics
        self._discovery = msgspec.Raw(msgspec.json.encode(discovery))
        self._calls = {name: metrics.rpc_calls.labels(name) for name in (*METHODS, *ADMIN_METHODS)}

    async def answer(self, body: bytes, caller: Caller) -> Answered:
        """Answer one request, within the time that a request may take."""
        started_ms = self._waiting.node.mono_ms()
        try:
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                return await self._answer(body, caller)
        except TimeoutError:
            return self.refusal(
                DeadlineError(
                    f"took longer than {REQUEST_SECONDS_MAX:.0f} s",
                    what="request",
                    next="ask for less in one request",
                )
            )
        except MoyaiError as error:
            return self.refusal(error)
        finally:
            taken_ms = self._waiting.node.mono_ms() - started_ms
            self._metrics.rpc_seconds.observe(taken_ms / 1000)

    def refusal(self, error: MoyaiError) -> Answered:
        """Return the answer to a request that is refused as a whole."""
        return Answered(self._error(None, error), http_status(error))

    async def _answer(self, body: bytes, caller: Caller) -> Answered:
        with self._stages.at(Stage.RPC):
            self._charge(caller, 1 + len(body) // BODY_BYTES_PER_COST)
            value = parse_strict(body)
        if type(value) is list:
            return await self._answer_batch(value, caller)
        slots, tasks = self._prepare([value], caller)
        await self._run(tasks, caller)
        first = slots[0]
        if isinstance(first, _Task):
            return Answered(None if first.call.id is UNSET else first.answer)
        return Answered(first)

    async def _answer_batch(self, values: list[Any], caller: Caller) -> Answered:
        if not 1 <= len(values) <= BATCH_CALLS_MAX:
            raise InvalidRequestError(
                f"holds {len(values)} calls, from 1 to {BATCH_CALLS_MAX} are allowed",
                what="batch",
                next="send several smaller batches",
            )
        slots, tasks = self._prepare(values, caller)
        await self._run(tasks, caller)
        with self._stages.at(Stage.RPC):
            return self._joined(slots)

    def _joined(self, slots: Sequence["_Task | bytes"]) -> Answered:
        answers: list[bytes] = []
        left = ANSWER_BYTES_MAX
        for slot in slots:
            if isinstance(slot, _Task):
                if slot.call.id is UNSET or slot.answer is None:
                    continue
                answer = slot.answer
                if len(answer) > left:
                    answer = self._error(slot.call.id, _too_large())
            else:
                answer = slot
            left -= len(answer)
            answers.append(answer)
        return Answered(b"[" + b",".join(answers) + b"]" if answers else None)

    def _prepare(
        self, values: Sequence[Any], caller: Caller
    ) -> tuple[list[_Task | bytes], list[_Task]]:
        """Return, for each value, the task it asks for or the answer that it gets at once.

        The client is charged for all of them.
        """
        with self._stages.at(Stage.RPC):
            slots = self._sorted(values, caller)
            tasks = [slot for slot in slots if isinstance(slot, _Task)]
            self._charge(caller, sum(task.method.cost_of(task.params) for task in tasks))
            return slots, tasks

    def _sorted(self, values: Sequence[Any], caller: Caller) -> list[_Task | bytes]:
        slots: list[_Task | bytes] = []
        for value in values:
            try:
                call = parse_call(value)
            except InvalidRequestError as error:
                slots.append(self._error(call_id(value), error))
                continue
            try:
                method = self._method(call.method, caller)
                task = _Task(call, method, convert_params(call.params, method.params))
            except MoyaiError as error:
                if call.id is not UNSET:
                    slots.append(self._error(call.id, error))
                continue
            self._calls[call.method].inc()
            slots.append(task)
        return slots

    def _method(self, name: str, caller: Caller) -> Method:
        method = METHODS.get(name)
        if method is None and caller.is_admin:
            method = ADMIN_METHODS.get(name)
        if method is None:
            raise MethodNotFoundError(
                "no such method here", what=name, next="list the methods with rpc.discover"
            )
        if method.turn is Turn.SOCKET and caller.host is None:
            raise MethodNotFoundError(
                "is served over WebSocket only", what=name, next="connect to /ws"
            )
        if method.turn is Turn.SUBMIT and not caller.is_writer:
            raise not_a_writer()
        return method

    async def _run(self, tasks: list[_Task], caller: Caller) -> None:
        started_ms = self._waiting.node.mono_ms()
        submits = [task for task in tasks if task.method.turn is Turn.SUBMIT]
        if submits:
            await self._submit(submits)
        if len(submits) == len(tasks):
            return
        await self._read(deque(task for task in tasks if task.method.turn in _READ_TURNS), caller)
        for task in tasks:
            if task.method.turn is Turn.WAIT:
                await self._wait(task, started_ms)

    async def _submit(self, tasks: list[_Task]) -> None:
        params: list[Any] = [task.params for task in tasks]
        try:
            outcomes = await submit_all(self._waiting, params)
        except Exception as fault:  # noqa: BLE001 - the door answers whatever happens behind it
            for task in tasks:
                task.answer = self._fault(task.call, fault)
            return
        with self._stages.at(Stage.RPC):
            for task, outcome in zip(tasks, outcomes, strict=True):
                if isinstance(outcome, MoyaiError):
                    task.answer = self._error(task.call.id, outcome)
                else:
                    task.answer = self._result(task.call, outcome)

    async def _read(self, tasks: deque[_Task], caller: Caller) -> None:
        node = self._waiting.node
        while tasks:
            until_ms = node.mono_ms() + READ_SLICE_MS
            with self._stages.at(Stage.RPC), node.snapshot() as snapshot:
                reads = self._waiting.reads(snapshot)
                while tasks:
                    task = tasks.popleft()
                    begun_ms = node.mono_ms()
                    if self._do(task, reads, caller):
                        self._charge_overrun(task, caller, node.mono_ms() - begun_ms)
                    if node.mono_ms() >= until_ms:
                        break
            if tasks:
                await asyncio.sleep(0)

    def _call(self, task: _Task, reads: Reads, caller: Caller) -> Any:
        match task.method.turn:
            case Turn.SOCKET:
                return task.method.handler(caller.host, reads, task.params)
            case Turn.ADMIN:
                return task.method.handler(self._waiting.node, task.params)
            case Turn.DISCOVER:
                return self._discovery
            case _:
                return task.method.handler(reads, task.params)

    def _do(self, task: _Task, reads: Reads, caller: Caller) -> bool:
        """Answer one read; return whether the client pays for its time, not so for our faults."""
        try:
            task.answer = self._result(task.call, self._call(task, reads, caller))
        except MoyaiError as error:
            task.answer = self._error(task.call.id, error)
        except Exception as fault:  # noqa: BLE001 - the door answers whatever happens behind it
            task.answer = self._fault(task.call, fault)
            return False
        return True

    async def _wait(self, task: _Task, started_ms: int) -> None:
        try:
            result = await task.method.handler(self._waiting, task.params, started_ms)
        except MoyaiError as error:
            task.answer = self._error(task.call.id, error)
        except Exception as fault:  # noqa: BLE001 - the door answers whatever happens behind it
            task.answer = self._fault(task.call, fault)
        else:
            task.answer = self._result(task.call, result)

    def _charge(self, caller: Caller, cost: int) -> None:
        if not caller.is_admin:
            self._budget.spend(caller.client, cost, self._waiting.node.mono_ms())

    def _charge_overrun(self, task: _Task, caller: Caller, taken_ms: int) -> None:
        """Charge a read for its true time when that is far above its price."""
        over = (taken_ms - OVERRUN_MS_FREE) * COSTS_PER_MS - task.method.cost_of(task.params)
        if over > 0 and not caller.is_admin:
            self._budget.owe(caller.client, over, self._waiting.node.mono_ms())

    def _result(self, call: Call, result: Any) -> bytes:
        try:
            return result_bytes(_plain_id(call.id), result)
        except ValueError:
            return self._error(call.id, _too_large())

    def _fault(self, call: Call, fault: Exception) -> bytes:
        reference = secrets.token_hex(4)
        _log.error("rpc_fault", reference=reference, method=call.method, exc_info=fault)
        error = InternalFaultError(
            "a fault of this node", what=f"reference {reference}", next="tell its operator"
        )
        return self._error(call.id, error)

    def _error(self, call: Any, error: MoyaiError) -> bytes:
        self._metrics.rpc_errors.labels(error.code).inc()
        return error_bytes(_plain_id(call), error)


_READ_TURNS = frozenset({Turn.READ, Turn.SOCKET, Turn.ADMIN, Turn.DISCOVER})


def _plain_id(call: Any) -> Any:
    return None if call is UNSET else call


def _too_large() -> AnswerTooLargeError:
    return AnswerTooLargeError(
        f"the answer would be larger than {ANSWER_BYTES_MAX} bytes",
        what="answer",
        next="ask for less: a smaller limit, fewer parts, fewer calls in a batch",
    )
