"""R3 and R8: whose proposals are kept, and what is said about the rest."""

import msgspec

from harness.consensus.playbook import NOTARIZE, NULLIFY, Stage
from moyai.consensus.effects import EvidenceFound, Misbehaved
from moyai.consensus.limits import VIEWS_AHEAD_MAX
from moyai.primitives.ids import Epoch, TimeMs


def test_the_leader_alone_proposes() -> None:
    stage = Stage.following(1)
    other = next(i for i in stage.others if i != stage.leader(1))
    block = stage.make(1, ids=1)
    stage.hear(other, stage.proposal(block))
    assert stage.of(Misbehaved)
    assert stage.machine.status().waits_for == "work"


def test_a_second_block_of_one_view_is_evidence_and_gets_no_vote() -> None:
    stage = Stage.following(1)
    one, other = stage.make(1, ids=1), stage.make(1, ids=2)
    stage.propose(one)
    stage.hear(stage.leader(1), stage.proposal(other))
    found = [effect for effect in stage.effects if isinstance(effect, EvidenceFound)]
    assert [each.evidence.first.signer for each in found] == [stage.leader(1)]
    assert stage.voted_durably() == [(NOTARIZE, 1)]


def test_a_bad_signature_leaves_room_for_the_true_proposal() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    good = stage.proposal(block)
    bad = msgspec.structs.replace(
        good, vote=msgspec.structs.replace(good.vote, signature=b"\x00" * 64)
    )
    stage.hear(stage.leader(1), bad)
    assert stage.of(Misbehaved)
    stage.propose(block)
    assert (NOTARIZE, 1) in stage.voted_durably()


def test_x11_what_the_leader_did_not_sign_is_not_read() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    proposal = stage.proposal(block)
    for fields in ({"time_ms": TimeMs(block.header.time_ms + 1)}, {"tx_bytes": 0}):
        header = msgspec.structs.replace(block.header, **fields)
        stage.hear(stage.leader(1), msgspec.structs.replace(proposal, header=header))
        assert stage.of(Misbehaved)
    assert stage.machine.status().waits_for == "work"
    stage.propose(block)
    assert stage.voted_durably() == [(NOTARIZE, 1)]


def test_ids_must_be_those_of_the_header() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=2)
    proposal = stage.proposal(block)
    for ids in (block.ids[:1], block.ids[::-1], (block.ids[0], block.ids[0])):
        stage.hear(stage.leader(1), msgspec.structs.replace(proposal, transaction_ids=ids))
        assert stage.of(Misbehaved)
    stage.propose(block)
    assert (NOTARIZE, 1) in stage.voted_durably()


def test_proposals_of_the_next_views_are_kept_and_no_further() -> None:
    stage = Stage.following(1, 2)
    near, far = stage.make(2, ids=1), stage.make(2 + VIEWS_AHEAD_MAX, ids=1)
    stage.hear(stage.leader(2), stage.proposal(near))
    stage.body(near)
    assert stage.voted_durably() == []
    stage.hear(stage.leader(far.view), stage.proposal(far))
    stage.hear(stage.others[0], stage.nullification(1))
    assert (NOTARIZE, 2) in stage.voted_durably()
    assert any("proposal outside the window" in line for line in stage.lines)


def test_another_epoch_or_chain_is_dropped() -> None:
    stage = Stage.following(1)
    for fields in ({"epoch": Epoch(1)}, {"chain_id": "elsewhere"}):
        stage.hear(stage.leader(1), stage.proposal(stage.make(1, ids=1, **fields)))
    assert stage.voted_durably() == []
    assert stage.machine.status().waits_for == "work"


def test_a_time_ahead_of_the_clock_gets_no_vote_but_is_followed_when_certified() -> None:
    stage = Stage.following(1)
    ahead = stage.make(1, ids=1, time_ms=TimeMs(stage.wall_ms + 2_001))
    effects = stage.propose(ahead)
    assert stage.votes(effects) == [(NULLIFY, 1)]
    stage.hear(stage.others[0], stage.finalization(ahead))
    assert stage.machine.status().final_height == 1


def test_a_time_within_the_tolerance_is_voted_for() -> None:
    stage = Stage.following(1)
    near = stage.make(1, ids=1, time_ms=TimeMs(stage.wall_ms + 2_000))
    assert stage.votes(stage.propose(near)) == [(NOTARIZE, 1)]
