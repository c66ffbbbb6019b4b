"""Blocks on their way: a child waits for its parent, a proposal for its evidence (R3)."""

from harness.consensus.playbook import NOTARIZE, NULLIFY, Stage
from moyai.consensus.effects import CheckBlock
from moyai.consensus.inputs import BodyVerdict
from moyai.consensus.messages import BlockMessage, BlockRequest, CertificateRequest


def checks(stage: Stage) -> list[CheckBlock]:
    return [effect for effect in stage.effects if isinstance(effect, CheckBlock)]


def test_a_child_is_checked_after_its_parent_with_its_loaded_ancestors() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1, ids=1)
    two = stage.make(2, one, ids=1)
    stage.hear(stage.leader(1), stage.proposal(one))
    stage.hear(stage.leader(2), stage.proposal(two))
    assert checks(stage) == []
    stage.body(one)
    assert [(c.digest, c.ancestors) for c in checks(stage)] == [(two.digest, (one.digest,))]


def test_empty_blocks_need_no_check_and_are_no_ancestors_to_look_into() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1)
    two = stage.make(2, one, ids=1)
    stage.hear(stage.leader(1), stage.proposal(one))
    assert checks(stage) == []
    stage.hear(stage.leader(2), stage.proposal(two))
    assert [c.ancestors for c in checks(stage)] == [()]


def test_a_child_of_an_invalid_block_is_invalid() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1, ids=1)
    two = stage.make(2, one)
    stage.hear(stage.leader(1), stage.proposal(one))
    stage.body(one, BodyVerdict.INVALID)
    stage.hear(stage.others[0], stage.nullification(1))
    stage.hear(stage.leader(2), stage.proposal(two))
    assert stage.voted_durably()[-1] == (NULLIFY, 2)


def test_a_proposal_on_an_unknown_parent_waits_for_it() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1)
    two = stage.make(2, one)
    stage.hear(stage.others[0], stage.notarization(one))
    effects = stage.hear(stage.leader(2), stage.proposal(two))
    assert stage.votes(effects) == []
    assert BlockRequest(one.digest) in stage.said(stage.all_effects)
    stage.hear(stage.others[0], BlockMessage(one.header, one.ids))
    assert (NOTARIZE, 2) in stage.voted_durably()


def test_x2_the_notarization_that_only_others_hold_is_fetched_for_the_proposal() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1)
    two = stage.make(2, one)
    stage.propose(one)
    stage.hear(stage.others[0], stage.nullification(1))
    effects = stage.hear(stage.leader(2), stage.proposal(two))
    asked = [m for m in stage.said(effects) if isinstance(m, CertificateRequest)]
    assert [(m.first_view, m.last_view) for m in asked] == [(1, 1)]
    stage.hear(stage.leader(2), stage.notarization(one))
    assert (NOTARIZE, 2) in stage.voted_durably()


def test_x2_the_nullification_that_only_others_hold_is_fetched_for_the_proposal() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1)
    two = stage.make(2)
    stage.propose(one)
    stage.hear(stage.others[0], stage.notarization(one))
    effects = stage.hear(stage.leader(2), stage.proposal(two))
    asked = [m for m in stage.said(effects) if isinstance(m, CertificateRequest)]
    assert [(m.first_view, m.last_view) for m in asked] == [(1, 1)]
    stage.hear(stage.leader(2), stage.nullification(1))
    assert (NOTARIZE, 2) in stage.voted_durably()


def test_a_parent_below_the_last_final_block_is_invalid() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1)
    stage.propose(one)
    stage.hear(stage.others[0], stage.finalization(one))
    stage.propose(stage.make(2))
    assert stage.voted_durably()[-1] == (NULLIFY, 2)
