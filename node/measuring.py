"""What the node takes in, writes and makes final, as numbers: the ports of a core with a stopwatch.

Not here: the names of the metrics (`rpc.metrics`), and what is read off each second (`telemetry`).
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from typing_extensions import override

from moyai.consensus.records import JournalRecord, Recovered
from moyai.ledger.codes import Code
from moyai.node.ports import JournalPort
from moyai.primitives.ids import Digest, Epoch, Height, TransactionId, View
from moyai.primitives.receipt import OK
from moyai.rpc.metrics import Metrics
from moyai.rpc.ports import SubmitOutcome, Writes
from moyai.storage.chain import ChainStore

SAMPLES_MAX = 1_024


class MeasuredJournal(JournalPort):
    """A journal whose commits are timed."""

    def __init__(self, journal: JournalPort, took: Callable[[float], None]) -> None:
        self._journal = journal
        self._took = took

    @override
    def commit(
        self, records: Sequence[JournalRecord], bodies: Mapping[Digest, tuple[bytes, ...]]
    ) -> None:
        started = time.monotonic()
        self._journal.commit(records, bodies)
        self._took(time.monotonic() - started)

    @override
    def load(self) -> Recovered:
        return self._journal.load()

    @override
    def prune(self, floor_view: View, epoch: Epoch, keep: Collection[Digest]) -> None:
        self._journal.prune(floor_view, epoch, keep)


class MeasuredWrites(Writes):
    """The way in for applications, counted: what is refused, and how long finality takes.

    The first transaction of each request stands for all of it; the oldest sample gives way.
    """

    def __init__(self, writes: Writes, metrics: Metrics) -> None:
        self._writes = writes
        self._metrics = metrics
        self._samples: dict[TransactionId, float] = {}

    @override
    async def submit(self, raws: Sequence[bytes]) -> Sequence[SubmitOutcome]:
        started = time.monotonic()
        outcomes = await self._writes.submit(raws)
        for outcome in outcomes:
            if outcome.refusal is not None:
                self._metrics.transactions_dropped.labels(outcome.refusal.code).inc()
        first = outcomes[0] if outcomes else None
        if first is not None and first.id is not None and not (first.refusal or first.known):
            self._samples[first.id] = started
            if len(self._samples) > SAMPLES_MAX:
                del self._samples[next(iter(self._samples))]
        return outcomes

    @override
    def is_pending(self, transaction: TransactionId) -> bool:
        return self._writes.is_pending(transaction)

    def final(self, transactions: Sequence[TransactionId]) -> None:
        """Note that these transactions are final and on disk."""
        if not self._samples:
            return
        now = time.monotonic()
        for transaction in transactions:
            started = self._samples.pop(transaction, None)
            if started is not None:
                self._metrics.finality_seconds.observe(now - started)


class BlockMetrics:
    """Counts the blocks that have reached the disk, from the newest one at start on."""

    def __init__(
        self,
        chain: ChainStore,
        metrics: Metrics,
        final: Callable[[Sequence[TransactionId]], None],
    ) -> None:
        self._chain = chain
        self._metrics = metrics
        self._final = final
        self._last = chain.tip_header

    def committed(self, height: Height) -> None:
        """The blocks that the chain store has written last, up to `height`, are on disk."""
        for block in self._chain.last_written:
            if not self._last.height < block.header.height <= height:
                continue
            interval_ms = block.header.time_ms - self._last.time_ms
            self._metrics.block_interval_seconds.observe(interval_ms / 1_000)
            self._last = block.header
            if block.transactions:
                self._final([transaction.id for transaction in block.transactions])
                self._transactions([receipt.code for receipt in block.outcome.receipts])

    def _transactions(self, codes: list[int]) -> None:
        self._metrics.transactions_final.inc(len(codes))
        for code in codes:
            if code != OK:
                self._metrics.transactions_refused.labels(Code(code).name.lower()).inc()
