"""Snapshots: one height, the past of every key, and proofs that an outsider can check."""

import pytest

from harness.stored_chain import ALICE, BOB, ChainBuilder
from moyai.ledger.context import IndexChange
from moyai.primitives.block import header_digest
from moyai.primitives.errors import ProofError
from moyai.primitives.ids import Height
from moyai.primitives.merkle import verify_inclusion
from moyai.primitives.receipt import block_receipts_root
from moyai.primitives.state_proof import (
    verify_absence,
    verify_history,
    verify_leaf,
    verify_value,
    version_at,
)
from moyai.storage.blocks import TransactionPlace
from moyai.storage.indexes import IndexRange


@pytest.fixture
def grown(chain: ChainBuilder) -> ChainBuilder:
    """Heights 1 to 12; `key` changes at each, is deleted at 7; the last block is not written."""
    for height in range(1, 12):
        value = None if height == 7 else b"%d" % height
        chain.append({b"key": value, b"new%d" % height: b"n"}, count=3, certified=height % 2 == 0)
    chain.write()
    chain.append({b"key": b"unwritten", b"new12": b"n"}, count=3)
    return chain


def test_a_snapshot_is_of_the_written_height_though_the_live_state_is_ahead(
    grown: ChainBuilder,
) -> None:
    with grown.store.snapshot() as snapshot:
        assert snapshot.height == 11
        assert snapshot.state_root == grown.executed[11].state_root
        assert snapshot.state(b"key").value == b"11"
        assert snapshot.state(b"new12") is None
        assert snapshot.attested_height == 10


def test_an_open_snapshot_does_not_see_what_is_written_meanwhile(grown: ChainBuilder) -> None:
    with grown.store.snapshot() as snapshot:
        grown.write()
        assert snapshot.height == 11
        assert snapshot.state(b"key").value == b"11"
        assert snapshot.state(b"new12") is None
    with grown.store.snapshot() as snapshot:
        assert snapshot.state(b"new12").value == b"n"


def test_blocks_and_certificates(grown: ChainBuilder) -> None:
    with grown.store.snapshot() as snapshot:
        for header in grown.headers[:12]:
            assert snapshot.header(header.height) == header
            assert snapshot.header_by_digest(header_digest(header)) == header
            assert snapshot.height_of(header_digest(header)) == header.height
            assert snapshot.executed(header.height) == grown.executed[header.height]
        assert snapshot.header(12) is None
        assert snapshot.header(-1) is None
        assert snapshot.header_by_digest(bytes(32)) is None
        assert snapshot.certificate(3) is None
        assert snapshot.certificate(4).digest == header_digest(grown.headers[4])
        assert snapshot.certificate_above(3) == (4, snapshot.certificate(4))
        assert snapshot.certificate_above(11) is None
        assert snapshot.extra_headers(3) == ()


def test_transactions_receipts_and_their_places(grown: ChainBuilder) -> None:
    with grown.store.snapshot() as snapshot:
        ids = snapshot.transaction_ids(4)
        assert len(ids) == 3
        found = snapshot.transaction(ids[2])
        assert (found.height, found.position, found.raw) == (4, 2, snapshot.body(4)[2])
        assert snapshot.place(ids[2]) == (4, 2)
        assert snapshot.receipt(ids[2]) == snapshot.receipts(4)[2]
        assert snapshot.receipt(ids[2]).transaction == ids[2]
        assert snapshot.transaction(bytes(32)) is None
        assert snapshot.receipt(bytes(32)) is None


def test_the_past_of_a_key(grown: ChainBuilder) -> None:
    with grown.store.snapshot() as snapshot:
        for height in range(12):
            entry = snapshot.state_as_of(b"key", height)
            if height in (0, 7):
                assert entry is None
            else:
                assert (entry.value, entry.height, entry.version) == (
                    b"%d" % height,
                    height,
                    height,
                )
        assert [one.version for one in snapshot.history(b"key")] == list(range(11, 0, -1))
        assert [one.value for one in snapshot.history(b"key")][4] is None
        assert list(snapshot.history(b"never")) == []
        assert snapshot.state_as_of(b"never", 5) is None


def test_state_proofs_lead_to_the_root_that_the_tip_header_carries(grown: ChainBuilder) -> None:
    with grown.store.snapshot() as snapshot:
        root = snapshot.require_header(11).executed.state_root
        proof, height = snapshot.prove_state(b"key")
        assert height == 10
        assert verify_value(root, b"key", b"10", proof).version == 10
        absent, _ = snapshot.prove_state(b"new11")
        verify_absence(root, b"new11", absent)
        deleted, _ = snapshot.prove_state(b"key", 7)
        verify_absence(grown.executed[7].state_root, b"key", deleted)
        newest, _ = snapshot.prove_state(b"key", 11)
        assert verify_leaf(grown.executed[11].state_root, b"key", newest).height == 11
        for beyond in (12, -1):
            with pytest.raises(ProofError, match="no such block is written"):
                snapshot.prove_state(b"key", beyond)


def test_history_proofs_say_what_was_in_force_when(grown: ChainBuilder) -> None:
    with grown.store.snapshot() as snapshot:
        root = snapshot.require_header(11).executed.state_root
        proof, _ = snapshot.prove_history(b"key")
        leaves = verify_history(root, b"key", proof)
        assert len(leaves) == 10
        assert version_at(leaves, 7).is_deleted
        assert version_at(leaves, 6).height == 6
        late, _ = snapshot.prove_history(b"key", first_version=9)
        assert [leaf.version for leaf in verify_history(root, b"key", late)] == [9, 10]
        at_seven, _ = snapshot.prove_history(b"key", height=7)
        assert len(verify_history(grown.executed[7].state_root, b"key", at_seven)) == 7
        for key, first in ((b"never", 1), (b"key", 11), (b"key", 0)):
            with pytest.raises(ProofError):
                snapshot.prove_history(key, first_version=first)


def test_log_proofs_bind_every_block_to_a_later_header(grown: ChainBuilder) -> None:
    with grown.store.snapshot() as snapshot:
        top = snapshot.require_header(11)
        for height in range(11):
            path = snapshot.prove_log(height, 11)
            digest = header_digest(snapshot.require_header(height))
            verify_inclusion(digest, height, 11, path, top.log_root)
        assert snapshot.log_frontier(11).root == top.log_root
        with pytest.raises(ProofError):
            snapshot.prove_log(11, 11)
        with pytest.raises(ProofError, match="no such block"):
            snapshot.prove_log(3, 12)


def test_transactions_and_receipts_roots_are_proven(grown: ChainBuilder) -> None:
    with grown.store.snapshot() as snapshot:
        ids = snapshot.transaction_ids(5)
        path = snapshot.prove_transaction(5, 1)
        verify_inclusion(ids[1], 1, 3, path, snapshot.require_header(5).tx_root)
        attested = snapshot.require_header(11).executed
        assert attested.height == 10
        path = snapshot.prove_receipts_root(5, 10)
        block_root = block_receipts_root(snapshot.receipts(5))
        verify_inclusion(block_root, 4, 10, path, attested.receipts_root)


def test_the_transactions_of_an_account_newest_first_in_pages(grown: ChainBuilder) -> None:
    with grown.store.snapshot() as snapshot:
        every = snapshot.account_transactions(ALICE, limit=100)
        assert every[:2] == [(11, 2), (11, 1)]
        assert len(every) == 33
        assert len(snapshot.account_transactions(BOB, limit=100)) == 11
        pages, before = [], None
        while page := snapshot.account_transactions(ALICE, before=before, limit=4):
            pages += page
            before = page[-1]
        assert pages == every


def test_events_page_by_page_without_loss_or_repetition(grown: ChainBuilder) -> None:
    with grown.store.snapshot() as snapshot:
        seen: list[object] = []
        start = TransactionPlace(Height(0), 0)
        while start.height <= snapshot.height:
            page = snapshot.events(start, limit=5)
            seen += page.rows
            start = page.next
        assert [row.place for row in seen] == [(h, i) for h in range(1, 12) for i in range(3)]
        assert seen[3].event.fields == (("height", 2),)
        assert snapshot.events(start, limit=5).rows == ()
    grown.write()
    with grown.store.snapshot() as snapshot:
        assert [row.place for row in snapshot.events(start, limit=5).rows] == [
            (12, 0),
            (12, 1),
            (12, 2),
        ]


def test_an_index_as_of_a_height(chain: ChainBuilder) -> None:
    chain.add({}, indexes=[IndexChange(b"i", b"red", b"car", added=True)])
    moved = [
        IndexChange(b"i", b"red", b"car", added=False),
        IndexChange(b"i", b"blue", b"car", added=True),
    ]
    chain.add({}, indexes=moved)
    with chain.store.snapshot() as snapshot:
        for height, expected in ((0, []), (1, [b"red"]), (2, [b"blue"])):
            wanted = IndexRange(index=b"i", as_of_height=Height(height))
            rows = snapshot.index_range(wanted, limit=10)
            assert [row.value for row in rows] == expected
