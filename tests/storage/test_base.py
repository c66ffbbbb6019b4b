"""The base says what is here, and refuses the rest with words that help."""

import pytest

from harness.stored_chain import ChainBuilder
from moyai.primitives.errors import PrunedError
from moyai.primitives.ids import Height
from moyai.storage.base import Base, read_base, write_base


def test_a_new_store_has_everything(chain: ChainBuilder) -> None:
    with chain.store.environment.read() as read:
        assert read_base(chain.store.environment, read.raw) == Base()
    Base().require(0, "block 0")
    Base().require_state(0, "state")


def test_blocks_below_and_states_two_below_are_refused() -> None:
    base = Base(height=Height(10))
    base.require(10, "block 10")
    base.require_state(9, "state of height 9")
    with pytest.raises(PrunedError, match="block 9: this node has blocks from height 10 on"):
        base.require(9, "block 9")
    with pytest.raises(PrunedError, match="archive"):
        base.require_state(8, "state of height 8")


def test_it_is_read_as_it_was_written(chain: ChainBuilder) -> None:
    environment = chain.store.environment
    written = Base(Height(7), Height(3), Height(5), 40, Height(6), b"acursor")
    with environment.write() as txn:
        write_base(environment, txn, written)
    with environment.read() as read:
        assert read_base(environment, read.raw) == written
    assert chain.store.base == 7
