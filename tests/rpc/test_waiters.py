"""Waiting for transactions, and what is remembered of those that expired."""

import pytest

from moyai.primitives.ids import TransactionId
from moyai.rpc import waiters
from moyai.rpc.errors import BusyError
from moyai.rpc.waiters import FinalityWaiters

ONE, OTHER = TransactionId(b"1" * 32), TransactionId(b"2" * 32)


def test_all_who_wait_for_a_transaction_are_woken_and_no_other() -> None:
    all_of_them = FinalityWaiters()
    with (
        all_of_them.wait_for(ONE) as first,
        all_of_them.wait_for(ONE) as second,
        all_of_them.wait_for(OTHER) as third,
    ):
        assert len(all_of_them) == 3
        all_of_them.wake([ONE])
        assert first.ended.is_set()
        assert second.ended.is_set()
        assert not third.ended.is_set()
    assert len(all_of_them) == 0
    assert not all_of_them._waiting


def test_who_leaves_unwoken_leaves_nothing_behind() -> None:
    all_of_them = FinalityWaiters()
    with all_of_them.wait_for(ONE):
        with all_of_them.wait_for(ONE):
            pass
        assert len(all_of_them) == 1
    assert not all_of_them._waiting
    all_of_them.wake([ONE])


def test_too_many_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiters, "WAITERS_MAX", 1)
    all_of_them = FinalityWaiters()
    with all_of_them.wait_for(ONE):
        with pytest.raises(BusyError), all_of_them.wait_for(OTHER):
            pass
        assert len(all_of_them) == 1


def test_an_expired_transaction_wakes_and_is_remembered() -> None:
    all_of_them = FinalityWaiters()
    with all_of_them.wait_for(ONE) as waiter:
        all_of_them.expire([ONE])
        assert waiter.ended.is_set()
    assert all_of_them.has_expired(ONE)
    assert not all_of_them.has_expired(OTHER)


def test_the_memory_of_expired_ones_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiters, "EXPIRED_REMEMBERED_MAX", 2)
    all_of_them = FinalityWaiters()
    ids = [TransactionId(bytes([number]) * 32) for number in range(3)]
    all_of_them.expire(ids)
    assert [all_of_them.has_expired(one) for one in ids] == [False, True, True]
