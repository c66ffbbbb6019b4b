"""Full verification: every bit of every table counts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stored_chain import MAP_BYTES, ChainBuilder
from moyai.storage import checkpoint
from moyai.storage.chain import ChainStore
from moyai.storage.errors import CorruptedError
from moyai.storage.keys import ChainTable
from moyai.storage.table import SEAL_BYTES
from moyai.storage.verify import verify_chain


@pytest.fixture(autouse=True)
def sections_with_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "LEAVES_AT_ONCE", 1)


def filled(path: Path) -> ChainBuilder:
    chain = ChainBuilder(path)
    for height in range(1, 8):
        chain.add({b"key": b"%d" % height, b"new%d" % height: b"x"}, count=2)
    return chain


@pytest.fixture
def grown(tmp_path: Path) -> Iterator[ChainBuilder]:
    chain = filled(tmp_path / "chain")
    yield chain
    chain.store.close()


def test_a_sound_store_is_counted(grown: ChainBuilder) -> None:
    progress = []
    report = verify_chain(grown.store, lambda done, total: progress.append((done, total)))
    assert (report.blocks, report.transactions) == (8, 14)
    assert report.state_keys == grown.store.states.tree.leaf_count
    assert report.values > 50
    assert progress[-1] == (8, 8)


@pytest.mark.parametrize("table", list(ChainTable))
def test_a_flipped_bit_in_any_value_is_noticed(grown: ChainBuilder, table: ChainTable) -> None:
    environment = grown.store.environment
    rows = environment.table(table)
    with environment.read() as read:
        keys = [key for key, _ in rows.scan(read.raw)]
    sealed = bytearray()
    for number, key in enumerate(keys):
        with environment.write() as txn:
            sealed = bytearray(txn.get(key, db=rows._database))
            place = number * 7 % len(sealed)
            sealed[place] ^= 1 << number % 8
            txn.put(key, bytes(sealed), db=rows._database)
        with pytest.raises(CorruptedError, match=key.hex()):
            environment.verify()
        sealed[place] ^= 1 << number % 8
        with environment.write() as txn:
            txn.put(key, bytes(sealed), db=rows._database)
    assert len(sealed) >= SEAL_BYTES if keys else table in EMPTY_TABLES
    environment.verify()


EMPTY_TABLES = {ChainTable.EXTRA_HEADERS, ChainTable.INDEXES, ChainTable.IMPORTED}


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (ChainTable.HEADERS, "digest"),
        (ChainTable.EXECUTED, "receipts"),
        (ChainTable.BODIES, "transactions"),
        (ChainTable.BLOCK_IDS, "transactions"),
        (ChainTable.RECEIPTS, "other transactions"),
        (ChainTable.LOG, "log"),
        (ChainTable.RECEIPTS_LOG, "log"),
        (ChainTable.HEIGHTS, "digest"),
        (ChainTable.PLACES, "lost"),
        (ChainTable.VERSIONS, "leaf"),
    ],
)
def test_a_well_sealed_lie_is_noticed(grown: ChainBuilder, table: ChainTable, reason: str) -> None:
    """The value of one row stands in another, under a seal that holds."""
    environment = grown.store.environment
    rows = environment.table(table)
    with environment.write() as txn:
        found = [(key, value) for key, value in rows.scan(txn) if value]
        (_, first), (key, _) = found[-2:]
        rows.put(txn, key, first)
    with pytest.raises(CorruptedError, match=reason):
        verify_chain(grown.store)


def test_a_store_cut_off_in_the_middle_does_not_open_as_if_whole(tmp_path: Path) -> None:
    chain = filled(tmp_path / "chain")
    chain.add({b"large%d" % number: bytes(50_000) for number in range(20)})
    chain.store.close()
    data = tmp_path / "chain" / "data.mdb"
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2 // 4096 * 4096])
    with pytest.raises(CorruptedError, match="is cut off"):
        ChainStore.open(chain.path, chain.genesis, map_bytes=MAP_BYTES)
