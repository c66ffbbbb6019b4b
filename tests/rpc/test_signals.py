"""News of a block wakes who listened before it, once."""

from moyai.rpc.signals import BlockSignal


def test_who_listens_is_told_of_the_next_block_alone() -> None:
    signal = BlockSignal()
    first = signal.listen()
    signal.tell()
    second = signal.listen()
    assert first.is_set()
    assert not second.is_set()
    signal.tell()
    assert second.is_set()
