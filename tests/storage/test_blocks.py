"""Blocks on disk: the headers that lead to a finalization, and receipts over block boundaries."""

import msgspec

from harness.stored_chain import ChainBuilder
from moyai.primitives.ids import Height
from moyai.storage.blocks import BlockTables, TransactionPlace


def test_headers_up_to_the_one_that_is_finalized_are_kept(chain: ChainBuilder) -> None:
    block = chain.block({})
    filler = msgspec.structs.replace(block.header, filler_of=block.digest)
    chain.store.append(msgspec.structs.replace(block, extra_headers=(filler,)))
    chain.write()
    with chain.store.snapshot() as snapshot:
        assert snapshot.extra_headers(1) == (filler,)


def test_receipts_are_read_on_over_blocks_and_empty_blocks(chain: ChainBuilder) -> None:
    for count in (2, 0, 1):
        chain.add({}, count=count)
    tables = BlockTables(chain.store.environment.table)
    with chain.store.environment.read() as read:
        start = TransactionPlace(Height(1), 1)
        places = [place for place, _ in tables.receipts_from(read.raw, start)]
        assert places == [(1, 1), (3, 0)]
        assert tables.transaction_ids(read.raw, 2) == ()
        assert tables.body(read.raw, 2) == ()
        assert tables.receipts(read.raw, 9) == ()


def test_an_account_touched_twice_by_one_transaction_is_listed_once(chain: ChainBuilder) -> None:
    tables = BlockTables(chain.store.environment.table)
    account = b"c" * 20
    with chain.store.environment.write() as txn:
        tables.write_touched(txn, 5, ((account, account), (account,)))
        before = TransactionPlace(Height(9), 0)
        assert list(tables.touched_by(txn, account, before)) == [(5, 1), (5, 0)]
        tables.clear_touched(txn)
        assert list(tables.touched_by(txn, account, before)) == []


def test_an_id_that_only_begins_like_a_final_one_is_unknown(chain: ChainBuilder) -> None:
    chain.add({}, count=2)
    tables = BlockTables(chain.store.environment.table)
    with chain.store.environment.read() as read:
        ids = tables.transaction_ids(read.raw, 1)
        assert [tables.place(read.raw, one) for one in ids] == [(1, 0), (1, 1)]
        similar = ids[1][:-1] + bytes([ids[1][-1] ^ 1])
        assert tables.indexed_place(read.raw, similar) == (1, 1)
        assert tables.place(read.raw, similar) is None
