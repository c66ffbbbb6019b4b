"""Scenarios of the overlay: all of a transaction or nothing, and one version a block."""

from harness.ledger_city import MemoryState
from moyai.ledger.state import Overlay, StateEntry, Values
from moyai.primitives.ids import Height


def overlay() -> Overlay:
    return Overlay(MemoryState({b"a": b"old"}), Height(7))


def test_a_rolled_back_transaction_was_never_there() -> None:
    state = overlay()
    state.put(b"a", b"new")
    assert state.value(b"a") == b"new"
    state.rollback()
    assert state.value(b"a") == b"old"
    state.commit()
    assert state.changes() == {}


def test_later_transactions_see_what_earlier_ones_kept() -> None:
    state = overlay()
    state.put(b"b", b"1")
    state.put(b"a", b"2")
    state.commit()
    state.put(b"b", b"3")
    assert state.value(b"b") == b"3"
    state.rollback()
    assert state.value(b"b") == b"1"
    assert list(state.changes().items()) == [(b"b", b"1"), (b"a", b"2")]


def test_several_writes_in_one_block_are_one_version() -> None:
    state = overlay()
    for value in (b"1", b"2"):
        state.put(b"a", value)
        state.commit()
    assert state.get(b"a") == StateEntry(b"2", 2, Height(7))
    assert state.version_before_block(b"a") == 1
    assert state.version_before_block(b"b") == 0


def test_who_wrote_a_key_is_told_by_block_and_transaction() -> None:
    state = overlay()
    state.put(b"a", b"1")
    assert not state.is_written_by_others(b"a")
    state.commit()
    assert state.is_written_by_others(b"a")


def test_an_empty_value_is_a_value() -> None:
    state = overlay()
    state.put(b"a", b"")
    assert state.value(b"a") == b""


def test_a_deleted_key_holds_nothing_until_it_is_written_again() -> None:
    state = overlay()
    state.delete(b"a")
    assert state.get(b"a") is None
    assert state.value(b"a") is None
    state.rollback()
    assert state.value(b"a") == b"old"
    state.delete(b"a")
    state.commit()
    assert state.value(b"a") is None
    assert state.changes() == {b"a": None}
    state.put(b"a", b"new")
    assert state.value(b"a") == b"new"


def test_values_shows_the_values_of_a_reader() -> None:
    values = Values(MemoryState({b"a": b"old"}))
    assert values.value(b"a") == b"old"
    assert values.value(b"b") is None
