"""Migrations: a step for each format below the present one, and none beyond (see also
test_environment, which runs steps)."""

from harness.stored_chain import ChainBuilder
from moyai.primitives.ids import ACCOUNT_BYTES, AccountId, Digest, Height, TransactionId
from moyai.storage.blocks import BlockTables, TransactionPlace
from moyai.storage.keys import ChainTable, place_key
from moyai.storage.migrate import CHAIN_MIGRATIONS, FORMAT, MIGRATIONS


def test_there_is_a_step_from_every_released_format() -> None:
    assert sorted(MIGRATIONS) == sorted(CHAIN_MIGRATIONS) == list(range(1, FORMAT))


def test_rows_at_random_places_become_runs(chain: ChainBuilder) -> None:
    environment = chain.store.environment
    rows = environment.table(ChainTable.ACCOUNT_TRANSACTIONS)
    account, other = AccountId(b"a" * ACCOUNT_BYTES), AccountId(b"b" * ACCOUNT_BYTES)
    with environment.write() as txn:
        for height, index, touched in ((1, 0, account), (2, 1, other), (2, 1, account)):
            rows.put(txn, touched + place_key(height, index), b"")
        ids = [TransactionId(Digest(bytes([number]) * 32)) for number in (7, 3)]
        for index, one in enumerate(ids):
            environment.table(ChainTable.PLACES).put(txn, one, place_key(5, index))
        CHAIN_MIGRATIONS[1](txn, environment.table)
        tables = BlockTables(environment.table)
        assert [tables.place(txn, one) for one in ids] == [(5, 0), (5, 1)]
        assert tables.place(txn, b"x" * 32) is None
        tables.write_touched(txn, 3, ((account,),))
        before = TransactionPlace(Height(9), 0)
        assert list(tables.touched_by(txn, account, before)) == [(3, 0), (2, 1), (1, 0)]
        assert list(tables.touched_by(txn, other, before)) == [(2, 1)]
