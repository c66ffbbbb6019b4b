"""Methods that wait: for a transaction to end, for a proof to become possible.

They read a snapshot, wait without one, and read again. Woken by committed blocks. How long they may
wait counts from the start of the request, so that the calls of a batch wait side by side.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from moyai.primitives.stages import StageClock
from moyai.rpc.block_trees import TreeKeeper
from moyai.rpc.errors import NotFoundError, NotYetProvableError
from moyai.rpc.handlers_proofs import chain_prove as prove_now
from moyai.rpc.handlers_transactions import transaction_status
from moyai.rpc.ports import NodePorts, Snapshot
from moyai.rpc.reads import Reads
from moyai.rpc.schema_chain import ProofShown, ProveParams
from moyai.rpc.schema_transactions import TransactionStatus, WaitParams
from moyai.rpc.signals import BlockSignal
from moyai.rpc.texts import transaction_id
from moyai.rpc.waiters import FinalityWaiters

T = TypeVar("T")


class Waiting:
    """What a waiting method works with."""

    def __init__(
        self,
        node: NodePorts,
        waiters: FinalityWaiters,
        signal: BlockSignal,
        stages: StageClock | None = None,
    ) -> None:
        self.stages = stages or StageClock()
        self.node = node
        self.waiters = waiters
        self.signal = signal
        self.page_turn = asyncio.Lock()
        self.is_stopping = False
        self._trees = TreeKeeper()

    def stop(self) -> None:
        """Let everyone who waits go on and end."""
        self.is_stopping = True
        self.waiters.wake_all()
        self.signal.tell()

    def read(self, question: Callable[[Reads], T]) -> T:
        """Answer a question from one snapshot."""
        with self.node.snapshot() as snapshot:
            return question(self.reads(snapshot))

    def reads(self, snapshot: Snapshot) -> Reads:
        """Return what reads work with, over a snapshot."""
        return Reads(snapshot, self.node, self.waiters, self._trees)


async def tx_wait(waiting: Waiting, params: WaitParams, started_ms: int) -> TransactionStatus:
    """Wait until a transaction has ended or the time is over, and say how it stands then."""
    wanted = transaction_id(params.id)

    def status(reads: Reads) -> TransactionStatus:
        return transaction_status(reads, wanted)

    with waiting.waiters.wait_for(wanted) as waiter:
        answer = waiting.read(status)
        if answer.status not in {"pending", "unknown"} or waiting.is_stopping:
            return answer
        left_ms = started_ms + params.timeout_ms - waiting.node.mono_ms()
        await _event_or_timeout(waiter.ended, left_ms / 1000)
        return waiting.read(status)


async def chain_prove(waiting: Waiting, params: ProveParams, started_ms: int) -> ProofShown:
    """Proof of a final transaction with its receipt, or of a block, to a certified header."""
    while True:
        told = waiting.signal.listen()
        left_ms = started_ms + params.wait_ms - waiting.node.mono_ms()
        try:
            return waiting.read(lambda reads: prove_now(reads, params))
        except (NotYetProvableError, NotFoundError):
            if left_ms <= 0 or waiting.is_stopping:
                raise
        await _event_or_timeout(told, left_ms / 1000)


async def _event_or_timeout(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
