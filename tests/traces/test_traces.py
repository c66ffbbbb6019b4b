"""Whole conversations of one machine, line by line, compared with the files beside this one.

After a change that is meant, `MOYAI_UPDATE_TRACES=1` writes them anew; the difference is reviewed.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.consensus.playbook import FINALIZE, NOTARIZE, NULLIFY, Stage
from moyai.consensus.inputs import Timer

FOLDER = Path(__file__).parent


def ordinary_block() -> Stage:
    """A follower sees a block proposed, notarized and final, by votes alone."""
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=2)
    stage.work()
    stage.propose(block)
    voters = [index for index in stage.others if index != stage.leader(1)]
    stage.hear(voters[0], stage.vote(NOTARIZE, 1, voters[0], block))
    for signer in stage.others:
        stage.hear(signer, stage.vote(FINALIZE, 1, signer, block))
    stage.executed(block)
    return stage


def leader_of_the_first_view() -> Stage:
    """The leader makes an empty block when the idle interval is over."""
    stage = Stage(me=Stage().leader(1))
    stage.start()
    stage.fire(Timer.IDLE)
    return stage


def silent_leader() -> Stage:
    """Nobody proposes: the follower asks, gives up, and repeats itself until a nullification."""
    stage = Stage.following(1, 2)
    stage.work()
    stage.fire(Timer.SILENT_LEADER)
    stage.fire(Timer.LEADER)
    stage.fire(Timer.REBROADCAST)
    for signer in stage.others[:2]:
        stage.hear(signer, stage.vote(NULLIFY, 1, signer))
    return stage


def restart_in_the_middle() -> Stage:
    """After a crash the journaled votes are counted and sent again, and bind."""
    before = Stage.following(1)
    block = before.make(1, ids=1)
    before.propose(block)
    journal = before.journal()
    journal.crash(lambda: False)
    stage = Stage(me=before.me, recovered=journal.recovered())
    stage.start()
    stage.hear(stage.others[0], stage.notarization(block))
    stage.hear(stage.others[0], stage.finalization(block))
    return stage


def equivocating_leader() -> Stage:
    """Two blocks of one view: evidence, and no finalize."""
    stage = Stage.following(1)
    one, other = stage.make(1, ids=1), stage.make(1, ids=2)
    stage.propose(one)
    stage.hear(stage.leader(1), stage.proposal(other))
    stage.hear(stage.others[0], stage.notarization(one))
    return stage


SCENARIOS: list[Callable[[], Stage]] = [
    ordinary_block,
    leader_of_the_first_view,
    silent_leader,
    restart_in_the_middle,
    equivocating_leader,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_conversation_is_the_one_on_file(scenario: Callable[[], Stage]) -> None:
    lines = [f"# {(scenario.__doc__ or '').strip()}", *scenario().lines]
    text = "\n".join(lines) + "\n"
    path = FOLDER / f"{scenario.__name__}.txt"
    if os.environ.get("MOYAI_UPDATE_TRACES"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
