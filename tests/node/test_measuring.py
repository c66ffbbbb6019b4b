"""Scenarios of the numbers an operator graphs: commits, refusals, finality, blocks."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from harness.stored_chain import ChainBuilder
from moyai.consensus.records import JournalRecord, Recovered
from moyai.ledger.codes import Code
from moyai.node.ingest import NodeBusyError, Submitted
from moyai.node.measuring import SAMPLES_MAX, BlockMetrics, MeasuredJournal, MeasuredWrites
from moyai.primitives.ids import Digest, TransactionId
from moyai.rpc.metrics import Metrics
from moyai.rpc.ports import SubmitOutcome, Writes


class Pool(Writes):
    """Answers with the outcomes it was given."""

    def __init__(self, *outcomes: Submitted) -> None:
        self.outcomes = outcomes

    async def submit(self, raws: Sequence[bytes]) -> Sequence[SubmitOutcome]:
        return self.outcomes[: len(raws)]

    def is_pending(self, transaction: TransactionId) -> bool:
        return any(outcome.id == transaction for outcome in self.outcomes)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def city(tmp_path: Path) -> Iterator[ChainBuilder]:
    builder = ChainBuilder(tmp_path / "chain")
    yield builder
    builder.store.close()


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"moyai_{name}", labels)


def taken(number: int) -> Submitted:
    return Submitted(TransactionId(number.to_bytes(32, "big")), None)


def test_every_commit_of_the_journal_is_timed() -> None:
    class Disk:
        def __init__(self) -> None:
            self.commits: list[tuple[Sequence[JournalRecord], object]] = []

        def commit(self, records: Sequence[JournalRecord], bodies: object) -> None:
            self.commits.append((records, bodies))

        def load(self) -> Recovered:
            raise AssertionError

        def prune(self, floor_view: int, epoch: int, keep: object) -> None:
            raise AssertionError

    disk, took = Disk(), list[float]()
    bodies = {Digest(bytes(32)): (b"raw",)}
    MeasuredJournal(disk, took.append).commit((), bodies)
    assert disk.commits == [((), bodies)]
    assert len(took) == 1


async def test_a_refusal_is_counted_by_its_code(metrics: Metrics) -> None:
    refused = Submitted(None, NodeBusyError("too much at once"))
    await MeasuredWrites(Pool(taken(1), refused, refused), metrics).submit([b"1", b"2", b"3"])
    assert sample(metrics, "transactions_dropped_total", reason="busy") == 2


async def test_the_first_transaction_of_a_request_tells_the_time_to_finality(
    metrics: Metrics,
) -> None:
    first, second = taken(1), taken(2)
    writes = MeasuredWrites(Pool(first, second), metrics)
    await writes.submit([b"1", b"2"])
    assert first.id is not None
    assert second.id is not None
    assert writes.is_pending(first.id)
    writes.final([second.id])
    assert sample(metrics, "finality_seconds_count") == 0
    writes.final([first.id])
    writes.final([first.id])
    assert sample(metrics, "finality_seconds_count") == 1


async def test_what_was_known_before_tells_nothing_about_finality(metrics: Metrics) -> None:
    known = msgspec.structs.replace(taken(1), known=True)
    writes = MeasuredWrites(Pool(known), metrics)
    await writes.submit([b"1"])
    assert known.id is not None
    writes.final([known.id])
    assert sample(metrics, "finality_seconds_count") == 0


async def test_samples_are_bounded_and_the_oldest_gives_way(metrics: Metrics) -> None:
    pool = Pool()
    writes = MeasuredWrites(pool, metrics)
    for number in range(SAMPLES_MAX + 1):
        pool.outcomes = (taken(number),)
        await writes.submit([b"1"])
    ids = [one for number in range(SAMPLES_MAX + 1) if (one := taken(number).id) is not None]
    writes.final(ids)
    assert sample(metrics, "finality_seconds_count") == SAMPLES_MAX


def test_blocks_are_counted_once_they_are_on_disk(metrics: Metrics, city: ChainBuilder) -> None:
    city.add({}, count=2)
    final = list[TransactionId]()
    blocks = BlockMetrics(city.store, metrics, final.extend)
    block = city.block({}, count=2)
    good, bad = block.outcome.receipts
    bad = msgspec.structs.replace(bad, code=Code.ROLE_MISSING)
    outcome = msgspec.structs.replace(block.outcome, receipts=(good, bad))
    city.store.append(msgspec.structs.replace(block, outcome=outcome))
    city.write()
    blocks.committed(city.store.committed_height)
    blocks.committed(city.store.committed_height)
    assert final == [one.id for one in block.transactions]
    assert sample(metrics, "transactions_final_total") == 2
    assert sample(metrics, "transactions_refused_total", code="role_missing") == 1
    assert sample(metrics, "block_interval_seconds_count") == 1
