"""Certificates of any kind lead on, and the entry is remembered (R4, R6, R7, R8)."""

import pytest

from harness.consensus.playbook import FINALIZE, NOTARIZE, NULLIFY, Stage
from moyai.consensus.inputs import Timer


@pytest.mark.parametrize("kind", [NOTARIZE, NULLIFY, FINALIZE])
@pytest.mark.parametrize("view", [1, 5, 1_000])
def test_a_certificate_of_any_kind_and_view_moves_on(kind: int, view: int) -> None:
    stage = Stage.following(1)
    block = stage.make(view) if kind != NULLIFY else None
    stage.hear(
        stage.others[0],
        stage.certificate(NULLIFY, view)
        if block is None
        else (stage.notarization(block) if kind == NOTARIZE else stage.finalization(block)),
    )
    assert stage.machine.status().view == view + 1


def test_x3_who_nullified_still_takes_a_late_notarization() -> None:
    stage = Stage.following(1)
    block = stage.make(1)
    stage.propose(block)
    stage.fire(Timer.VIEW)
    stage.hear(stage.others[0], stage.notarization(block))
    assert stage.machine.status().view == 2


def test_an_older_certificate_is_kept_and_moves_nothing() -> None:
    stage = Stage.following(1)
    stage.hear(stage.others[0], stage.nullification(5))
    stage.hear(stage.others[0], stage.nullification(3))
    assert stage.machine.status().view == 6


def test_votes_alone_bring_the_view_to_its_end() -> None:
    stage = Stage.following(1)
    for signer in stage.others:
        stage.hear(signer, stage.vote(NULLIFY, 1, signer))
    assert stage.machine.status().view == 2
    assert [c.view for c in stage.certificates(stage.all_effects)] == [1]


def test_a_view_that_was_not_nullified_here_ends_the_row() -> None:
    stage = Stage.following(1, 2)
    stage.work()
    stage.fire(Timer.LEADER)
    stage.hear(stage.others[0], stage.nullification(1))
    assert stage.machine.status().delta_ms == 375
    stage.hear(stage.others[0], stage.nullification(2))
    assert stage.machine.status().delta_ms == 250
