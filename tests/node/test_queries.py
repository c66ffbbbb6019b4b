"""The chain store seen through the door's ports: the same facts under other names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stored_chain import ALICE, BOB, ChainBuilder, transaction
from moyai.ledger.context import IndexChange
from moyai.node.queries import CommittedSnapshot
from moyai.primitives.ids import Height
from moyai.rpc.ports import IndexQuery, Place


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[ChainBuilder]:
    builder = ChainBuilder(tmp_path / "chain")
    yield builder
    builder.store.close()


def test_blocks_and_transactions(chain: ChainBuilder) -> None:
    chain.add({b"k": b"1"}, count=2)
    one = transaction(1)
    with chain.store.snapshot() as store:
        snapshot = CommittedSnapshot(store)
        assert snapshot.height == 1
        assert snapshot.transaction_ids(1)[1] == one.id
        assert snapshot.body(1)[1] == one.raw
        assert snapshot.place(one.id) == Place(Height(1), 1)
        found = snapshot.transaction(one.id)
        assert found is not None
        assert found.raw == one.raw
        receipt = snapshot.receipt(one.id)
        assert receipt == snapshot.receipts(1)[1]
        assert snapshot.place(b"x" * 32) is None
        assert snapshot.transaction(b"x" * 32) is None


def test_genesis_has_no_transactions(chain: ChainBuilder) -> None:
    with chain.store.snapshot() as store:
        snapshot = CommittedSnapshot(store)
        assert snapshot.transaction_ids(0) == ()
        assert snapshot.body(0) == ()
        assert snapshot.receipts(0) == ()


def test_state_history_and_proofs(chain: ChainBuilder) -> None:
    chain.add({b"k": b"1"})
    chain.add({b"k": None})
    chain.add({b"k": b"3"})
    with chain.store.snapshot() as store:
        snapshot = CommittedSnapshot(store)
        entry = snapshot.get(b"k")
        assert entry is not None
        assert (entry.value, entry.version) == (b"3", 3)
        assert [version.value for version in snapshot.history(b"k")] == [b"3", None, b"1"]
        proof = snapshot.prove_state(b"k", 1)
        assert proof.leaf is not None
        assert proof.leaf.version == 1
        assert len(snapshot.prove_history(b"k", 2, 1).versions) == 2
        assert len(snapshot.log_path(1, 3)) > 0
        assert snapshot.receipts_log_path(1, 2)


def test_accounts_and_events(chain: ChainBuilder) -> None:
    chain.add({}, count=2)
    chain.add({}, count=1)
    with chain.store.snapshot() as store:
        snapshot = CommittedSnapshot(store)
        places = [Place(Height(2), 0), Place(Height(1), 1), Place(Height(1), 0)]
        assert list(snapshot.account_transactions(ALICE, None, 10)) == places
        assert list(snapshot.account_transactions(ALICE, places[0], 1)) == places[1:2]
        assert list(snapshot.account_transactions(BOB, None, 10)) == places[1:2]
        page = snapshot.events(Place(Height(1), 1), 10)
        assert [one.place for one in page.events] == [places[1], places[0]]
        assert page.next == Place(Height(3), 0)


def test_records_by_an_index(chain: ChainBuilder) -> None:
    rows = [IndexChange(b"i", bytes([n]), b"key%d" % n, added=True) for n in range(4)]
    chain.add({}, indexes=rows)
    query = IndexQuery(index=b"i", as_of=Height(1), low=b"\x01", high=b"\x02")
    with chain.store.snapshot() as store:
        snapshot = CommittedSnapshot(store)
        hits = snapshot.records(query, 10)
        assert [hit.key for hit in hits] == [b"key1", b"key2"]
        later = IndexQuery(index=b"i", as_of=Height(1), low=b"\x01", cursor=hits[0].cursor)
        assert [hit.key for hit in snapshot.records(later, 1)] == [b"key2"]
