"""Random histories of whole cores on real stores. More of them: `scripts/simulate --level 2`."""

import pytest

from harness.simulator.level import Violation
from harness.simulator.node_level import MARKS, NodeLevel
from harness.simulator.plan import Crash, Plan, Submit
from harness.simulator.signatures import fast_signatures
from moyai.primitives.keys import SigningKey, signature_is_valid
from moyai.storage.journal import Journal

SEEDS = 16
DIES_ASKING_ANOTHER = 20_781_000_308
"""A peer goes, the node asks another for what that one owed, and dies of sending it."""
SELDOM = {
    "abstained and came back",
    "a full disk stopped a node",
    "nothing went wrong",
    "an epoch ended",
    "a commit was torn",
    "a disk was lost",
    "a backup was restored",
    "all were dead at once",
    "a quorum went on alone",
}
"""What only a longer run is asked to reach; some of it has a scenario of its own here."""


def test_histories_of_many_faults_reach_what_is_not_seldom() -> None:
    level = NodeLevel()
    outcomes = [level.history(level.plan(seed)).run() for seed in range(SEEDS)]
    seen = {mark for outcome in outcomes for mark in outcome.marks}
    assert seen >= set(MARKS) - SELDOM, f"never reached: {set(MARKS) - SELDOM - seen}"


def test_a_node_may_die_while_it_hears_that_another_is_gone() -> None:
    level = NodeLevel()
    level.history(level.plan(DIES_ASKING_ANOTHER)).run()


def test_a_torn_commit_is_as_if_it_had_not_been() -> None:
    work = [Submit(200 * number + 100, number % 4, 2) for number in range(30)]
    crashes = [Crash(400 * number + 150, number % 4, number % 7, 300) for number in range(14)]
    events = tuple(sorted([*work, *crashes], key=lambda event: event.at_ms))
    outcome = NodeLevel().history(Plan(seed=5, events=events, torn=True)).run()
    assert "a commit was torn" in outcome.marks


def test_the_stand_in_for_signatures_tells_keys_and_messages_apart() -> None:
    real = SigningKey(b"\x01" * 32).public
    with fast_signatures():
        mine, other = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)
        signature = mine.sign(b"message")
        assert signature_is_valid(mine.public, b"message", signature)
        assert not signature_is_valid(other.public, b"message", signature)
        assert not signature_is_valid(mine.public, b"another", signature)
        assert not signature_is_valid(mine.public, b"message", b"\x00" + signature[1:])
        assert mine.public != real
    assert SigningKey(b"\x01" * 32).public == real


def test_a_node_that_forgets_to_commit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "commit", lambda *_: None)
    work = tuple(Submit(100 * number, number % 4, 2) for number in range(1, 9))
    crashes = tuple(Crash(450, number, 0, 200) for number in range(4))
    history = NodeLevel().history(Plan(seed=1, events=(*work, *crashes)))
    with pytest.raises(Violation):
        history.run()
