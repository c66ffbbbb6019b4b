"""Reindexing gives the derived tables that were there, from nothing but the blocks."""

import pytest

from harness.grown_chain import NAMES, SIZE, grow
from harness.stored_chain import ChainBuilder
from moyai.ledger.apply import BlockOutcome
from moyai.ledger.context import IndexChange
from moyai.ledger.state import StateReader
from moyai.primitives.block import Header
from moyai.primitives.ids import Height
from moyai.storage.blocks import FinalBlock
from moyai.storage.errors import CorruptedError
from moyai.storage.indexes import IndexRange
from moyai.storage.keys import ChainTable
from moyai.storage.pruning import Pruner
from moyai.storage.reindex import reindex

DERIVED = (ChainTable.INDEXES, ChainTable.ACCOUNT_TRANSACTIONS)


def rows(chain: ChainBuilder) -> list[list[tuple[bytes, bytes]]]:
    with chain.store.environment.read() as read:
        return [list(chain.store.environment.table(table).scan(read.raw)) for table in DERIVED]


def grown(chain: ChainBuilder) -> list[FinalBlock]:
    blocks = []
    for height in range(1, 6):
        changes = [IndexChange(b"i", b"%d" % height, b"record", added=True)]
        if height > 1:
            changes.insert(0, IndexChange(b"i", b"%d" % (height - 1), b"record", added=False))
        blocks.append(chain.add({b"key": b"%d" % height}, count=2, indexes=changes))
    return blocks


def test_derived_tables_come_back_from_the_blocks(chain: ChainBuilder) -> None:
    blocks = grown(chain)
    before = rows(chain)
    with chain.store.environment.write() as txn:
        for table in DERIVED:
            chain.store.environment.table(table).clear(txn)

    def execute(state: StateReader, header: Header, body: tuple[bytes, ...]) -> BlockOutcome:
        entry = state.get(b"key")
        assert (0 if entry is None else int(entry.value)) == header.height - 1
        assert state.get(b"never") is None
        block = blocks[header.height - 1]
        assert body == tuple(transaction.raw for transaction in block.transactions)
        return block.outcome

    progress = []
    reindex(chain.store, execute, lambda done, total: progress.append((done, total)))
    assert rows(chain) == before
    assert progress[-1] == (5, 5)


def test_a_block_that_executes_differently_leaves_the_tables_as_they_were(
    chain: ChainBuilder,
) -> None:
    blocks = grown(chain)
    before = rows(chain)

    def execute(state: StateReader, header: Header, body: tuple[bytes, ...]) -> BlockOutcome:
        return blocks[0].outcome

    with pytest.raises(CorruptedError, match="block 2: executed again"):
        reindex(chain.store, execute)
    assert rows(chain) == before


def test_what_pruned_blocks_have_left_comes_from_the_state(chain: ChainBuilder) -> None:
    outcomes = {}
    add = chain.store.append

    def remember(block: FinalBlock) -> object:
        outcomes[block.header.height] = block.outcome
        return add(block)

    chain.store.append = remember  # type: ignore[method-assign,assignment]
    grow(chain, 30)
    pruner = Pruner(chain.store)
    pruner.raise_base(Height(20))
    while pruner.step().more:
        pass
    before = [found(chain, height) for height in range(19, 31)]
    reindex(chain.store, lambda _state, header, _body: outcomes[header.height])
    assert [found(chain, height) for height in range(19, 31)] == before
    assert all(len(rows) == 10 for rows in before)


def found(chain: ChainBuilder, height: int) -> list[tuple[bytes, bytes]]:
    with chain.store.snapshot() as view:
        return [
            (row.value, row.key)
            for index in (SIZE, NAMES)
            for row in view.index_range(
                IndexRange(index=index, as_of_height=Height(height)), limit=99
            )
        ]
