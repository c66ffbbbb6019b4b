"""Index rows made from a state answer as those that the blocks made."""

from harness.grown_chain import RECORDS, SIZE, grow
from harness.stored_chain import ChainBuilder
from moyai.ledger.state import Values
from moyai.primitives.ids import Height
from moyai.storage.indexes import IndexRange
from moyai.storage.keys import ChainTable
from moyai.storage.reindex import StateBefore
from moyai.storage.state_indexes import write_state_rows


def test_rows_from_the_state_are_those_of_the_blocks(chain: ChainBuilder) -> None:
    grow(chain, 12)
    wanted = IndexRange(index=SIZE, as_of_height=Height(12))
    table = chain.store.environment.table(ChainTable.INDEXES)
    with chain.store.snapshot() as view:
        before = [(row.value, row.key) for row in view.index_range(wanted, limit=50)]
    for _ in range(2):
        with chain.store.environment.write() as txn:
            state = StateBefore(chain.store, txn, 13)
            table.clear(txn)
            write_state_rows(txn, table, Values(chain.store.states), state.all())
    with chain.store.snapshot() as view:
        assert [(row.value, row.key) for row in view.index_range(wanted, limit=50)] == before
    assert len(before) == RECORDS
