"""Scenarios of pruning: what goes and what stays, at the boundary, and after a crash anywhere."""

from pathlib import Path

import pytest

from harness.grown_chain import NAMES, SIZE, grow, lot
from harness.stored_chain import ALICE, ChainBuilder
from moyai.primitives.errors import PrunedError
from moyai.primitives.ids import Height
from moyai.storage import pruning
from moyai.storage.blocks import ID_PREFIX_BYTES, TOUCHED_BYTES, TransactionPlace
from moyai.storage.indexes import IndexRange
from moyai.storage.keys import PLACE_BYTES, ChainTable
from moyai.storage.pruning import BLOCKS_KEPT_MIN, Pruner, retention_base
from moyai.storage.runs import SortedRuns
from moyai.storage.snapshot import ChainSnapshot
from moyai.storage.table import Table
from moyai.storage.verify import verify_chain
from moyai.storage.versions import decode_version

BASE = Height(40)
BLOCKS = 60


def prune(chain: ChainBuilder, height: Height = BASE) -> None:
    pruner = Pruner(chain.store)
    pruner.raise_base(height)
    while pruner.step().more:
        pass


def answers(view: ChainSnapshot) -> list[object]:
    """Return what a node says about everything from the base on."""
    told: list[object] = []
    for height in range(BASE, view.height + 1):
        told += [view.require_header(height), view.body(height), view.receipts(height)]
        told += [view.transaction_ids(height), view.certificate(height)]
        told += [view.prove_log(height - 1, height), view.prove_receipts_root(height, height)]
    for height in range(BASE - 1, view.height + 1):
        told += [view.state_as_of(lot(number), height) for number in range(5)]
        for index in (SIZE, NAMES):
            wanted = IndexRange(index=index, as_of_height=Height(height))
            told.append([(row.value, row.key) for row in view.index_range(wanted, limit=99)])
    told.append(view.events(TransactionPlace(BASE, 0), limit=1_000))
    told.append(view.prove_history(b"pcount", first_version=BASE - 1))
    touched = view.account_transactions(ALICE, limit=1_000)
    return [*told, [place for place in touched if place.height >= BASE]]


def test_all_from_the_base_on_stays_as_it_was(chain: ChainBuilder) -> None:
    grow(chain, BLOCKS)
    with chain.store.snapshot() as view:
        before = answers(view)
    prune(chain)
    with chain.store.snapshot() as view:
        assert answers(view) == before
    grow(chain, 7)
    chain.reopen()
    report = verify_chain(chain.store)
    assert (report.base, report.blocks) == (BASE, BLOCKS + 8)


def test_what_lies_below_is_gone_from_the_disk(chain: ChainBuilder) -> None:
    grow(chain, BLOCKS)
    versions = chain.store.environment.table(ChainTable.VERSIONS)
    kept = (ChainTable.HEADERS, ChainTable.HEIGHTS, ChainTable.EXECUTED, ChainTable.LOG)
    before = {table: count(chain, table) for table in ChainTable}
    prune(chain)
    for table in kept:
        assert count(chain, table) == before[table]
    blocks = BLOCKS - BASE + 1
    transactions = sum(height % 3 for height in range(BASE, BLOCKS + 1))
    for table in (ChainTable.BODIES, ChainTable.RECEIPTS):
        assert count(chain, table) == transactions
    assert entries(chain, ChainTable.PLACES, ID_PREFIX_BYTES + PLACE_BYTES) == transactions
    assert 0 < entries(chain, ChainTable.ACCOUNT_TRANSACTIONS, TOUCHED_BYTES) <= 3 * transactions
    assert count(chain, ChainTable.CERTIFICATES) == count(chain, ChainTable.BLOCK_IDS) == blocks
    assert count(chain, ChainTable.INDEXES) == 5 + 5 + blocks
    # Of each key the version in force below the base, and those made since; genesis has its own.
    with chain.store.environment.read() as read:
        rows = [data for _, data in versions.scan(read.raw)]
    ours = [row.key for row in map(decode_version, rows) if row.key[:1] == b"d" or b"pc" in row.key]
    assert len(ours) == 5 + 1 + 2 * blocks


def count(chain: ChainBuilder, table: ChainTable) -> int:
    with chain.store.environment.read() as read:
        return chain.store.environment.table(table).count(read.raw)


def entries(chain: ChainBuilder, table: ChainTable, entry_bytes: int) -> int:
    runs = SortedRuns(chain.store.environment.table(table), entry_bytes)
    with chain.store.environment.read() as read:
        return len(list(runs.scan_back(read.raw, b"\xff" * entry_bytes, start=b"")))


def test_what_lies_below_is_refused(chain: ChainBuilder) -> None:
    grow(chain, BLOCKS)
    with chain.store.snapshot() as view:
        old = view.transaction_ids(BASE - 2)[0]
    pruner = Pruner(chain.store)
    pruner.raise_base(BASE)
    with chain.store.snapshot() as view:
        for read in (view.transaction, view.place, view.receipt):
            with pytest.raises(PrunedError, match=f"from height {BASE} on"):
                read(old)
        with pytest.raises(PrunedError):
            view.events(TransactionPlace(Height(1), 0), limit=1)
    while pruner.step().more:
        pass
    with chain.store.snapshot() as view:
        with pytest.raises(PrunedError, match="before version"):
            view.prove_history(b"pcount", first_version=1)
        assert view.transaction(old) is None
        assert view.require_header(3).height == 3
        assert next(iter(view.account_transactions(ALICE, limit=99)[::-1])).height >= BASE
        oldest = list(view.history(b"pcount"))[-1]
        assert oldest.version == BASE - 1


class Crash(Exception):
    """The process ends here."""


@pytest.mark.parametrize("survived", [0, 12, 40, 61, 90, 118])
def test_a_crash_at_any_write_loses_nothing_but_time(
    chain: ChainBuilder, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    monkeypatch.setattr(pruning, "ROWS_A_STEP_MAX", 9)
    grow(chain, BLOCKS)
    with chain.store.snapshot() as view:
        before = answers(view)
    left = survived
    erase = Table.delete

    def delete(table: Table, *arguments: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Crash
        erase(table, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Table, "delete", delete)
        with pytest.raises(Crash):
            prune(chain)
    chain.reopen()
    with chain.store.snapshot() as view:
        assert answers(view) == before
    verify_chain(chain.store)
    prune(chain)
    with chain.store.snapshot() as view:
        assert answers(view) == before
    assert count(chain, ChainTable.INDEXES) == 5 + 5 + BLOCKS - BASE + 1


def test_pruning_again_and_again_comes_to_the_same(chain: ChainBuilder, tmp_path: Path) -> None:
    grow(chain, BLOCKS)
    other = ChainBuilder(tmp_path / "other")
    grow(other, BLOCKS)
    for height in range(3, BASE + 1, 9):
        prune(other, Height(height))
    prune(other)
    prune(chain)
    for table in ChainTable:
        assert count(chain, table) == count(other, table), table
    with chain.store.snapshot() as view, other.store.snapshot() as twin:
        assert answers(view) == answers(twin)
    other.store.close()


def test_the_base_follows_from_age_and_from_the_newest_snapshot(chain: ChainBuilder) -> None:
    for _ in range(BLOCKS_KEPT_MIN + 40):
        chain.append({})
    chain.write()
    newest = BLOCKS_KEPT_MIN + 40
    with chain.store.snapshot() as view:
        assert retention_base(view, 270, newest) == newest - 270
        assert retention_base(view, 10, newest) == 41
        assert retention_base(view, 10, 20) == 10
        assert retention_base(view, 10_000, newest) <= 1
    prune(chain, Height(30))
    with chain.store.snapshot() as view:
        assert retention_base(view, 10_000, newest) == 30
        assert retention_base(view, 10, 20) == 30
