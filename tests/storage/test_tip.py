"""The tip: it moves with each batch, and a damaged one is not believed."""

import pytest

from harness.stored_chain import ChainBuilder
from moyai.storage.errors import CorruptedError
from moyai.storage.keys import ChainTable
from moyai.storage.tip import TIP, read_tip


def test_the_tip_follows_the_batches(chain: ChainBuilder) -> None:
    environment = chain.store.environment
    for height in (1, 2, 3):
        chain.add({b"key": b"%d" % height})
        with environment.read() as read:
            tip = read_tip(environment, read.raw)
        assert (tip.height, tip.state_root) == (height, chain.executed[height].state_root)


def test_a_missing_tip_is_noticed(chain: ChainBuilder) -> None:
    environment = chain.store.environment
    with environment.write() as txn:
        environment.table(ChainTable.META).delete(txn, TIP)
    with environment.read() as read, pytest.raises(CorruptedError, match="missing"):
        read_tip(environment, read.raw)
