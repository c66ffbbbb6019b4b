"""The live state: newest values, whether written or not, remembered or read."""

import pytest

from harness.stored_chain import ChainBuilder
from moyai.storage import states as states_module


def test_values_come_from_pending_blocks_and_from_disk(chain: ChainBuilder) -> None:
    states = chain.store.states
    assert states.get(b"key") is None
    chain.append({b"key": b"1"})
    assert (states.get(b"key").value, states.get(b"key").version) == (b"1", 1)
    chain.add({b"key": b"2"})
    chain.add({b"key": None})
    assert states.get(b"key") is None
    chain.add({b"key": b"4"})
    entry = chain.reopen().states.get(b"key")
    assert (entry.value, entry.version, entry.height) == (b"4", 4, 4)


def test_what_is_written_is_not_kept_twice(chain: ChainBuilder) -> None:
    chain.append({b"a": b"1"})
    chain.append({b"b": b"2"})
    assert len(chain.store.states._pending) >= 2
    chain.write()
    chain.append({b"c": b"3"})
    assert [one.key for one in chain.store.states._pending.values()] == [b"c"]


def test_only_so_much_is_remembered(chain: ChainBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states_module, "VALUES_REMEMBERED_MAX", 5)
    values = {b"%d" % number: b"%d" % number for number in range(20)} | {b"large": bytes(2_000)}
    chain.add(values)
    states = chain.store.states
    for key, value in values.items():
        assert states.get(key).value == value
        assert len(states._remembered) <= 5
    assert b"large" not in states._remembered
    assert states.height == 1
    assert states.root == chain.executed[1].state_root
