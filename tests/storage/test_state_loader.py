"""Loading at start: from sections that are behind, and from none at all."""

import pytest

from harness.stored_chain import ChainBuilder
from moyai.storage import checkpoint as checkpoint_rules
from moyai.storage.errors import CorruptedError
from moyai.storage.keys import ChainTable
from moyai.storage.state_loader import load_state
from moyai.storage.tip import Tip, read_tip


def test_sections_behind_are_brought_up_from_the_versions(chain: ChainBuilder) -> None:
    chain.add({b"key%d" % number: b"0" for number in range(2_000)})
    for height in range(2, 40):
        chain.add({b"key%d" % (height * 37 % 2_000): b"%d" % height})
    with chain.store.environment.read() as read:
        tip = read_tip(chain.store.environment, read.raw)
    assert isinstance(tip, Tip)
    assert tip.replay_from < tip.next_sequence
    states, checkpoint = load_state(chain.store.environment)
    assert states.root == chain.store.states.root
    assert checkpoint.replay_from(tip.next_sequence) == tip.replay_from
    assert states.tree.next_sequence == chain.store.states.tree.next_sequence


def test_a_lost_section_is_noticed(chain: ChainBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_rules, "LEAVES_AT_ONCE", 1)
    chain.add({b"key": b"value"})
    sections = chain.store.environment.table(ChainTable.SECTIONS)
    with chain.store.environment.write() as txn:
        sections.delete(txn, next(sections.scan(txn))[0])
    with pytest.raises(CorruptedError, match="state of height 1"):
        load_state(chain.store.environment)
