"""The end of an epoch: which block ends it, how it becomes final, and that nothing follows it."""

import pytest

from harness.consensus.playbook import NOTARIZE, NULLIFY, Made, Stage
from moyai.consensus.effects import DropBlock, EpochEnded, Finalized, ProveEpochEnd
from moyai.consensus.inputs import Executed, Timer
from moyai.consensus.messages import BlockMessage, Proposal, Status
from moyai.primitives.ids import Digest, Epoch, Height, View

NEXT = Digest(b"\x0e" * 32)
OTHER = Digest(b"\x0f" * 32)


def decide(stage: Stage, made: Made, pending: Digest | None = NEXT) -> None:
    """Execute a block that leaves a pending set."""
    roots = stage.roots(made.header.height)
    stage.act(Executed(roots.height, roots.state_root, roots.receipts_root, pending))


def decided(*views: int) -> tuple[Stage, Made]:
    """Return a machine that leads none of these views, after a block that leaves a pending set."""
    stage = Stage.following(1, *views)
    change = stage.make(1, ids=1)
    stage.propose(change)
    stage.hear(stage.others[0], stage.finalization(change))
    decide(stage, change)
    return stage, change


def last_of(stage: Stage, view: int, parent: Made, **fields: object) -> Made:
    named = {"executed": stage.roots(parent.header.height), "epoch_end": NEXT}
    return stage.make(view, parent, **(named | fields))


def filler(stage: Stage, view: int, parent: Made, **fields: object) -> Made:
    last = parent.header.filler_of or parent.digest
    log_root = parent.header.log_root
    return stage.make(view, parent, **({"filler_of": last, "log_root": log_root} | fields))


def test_the_first_block_that_carries_the_pending_state_names_the_next_set() -> None:
    stage, change = decided(2)
    last = last_of(stage, 2, change)
    stage.propose(last)
    assert (NOTARIZE, 2) in stage.votes()


@pytest.mark.parametrize("named", [None, OTHER])
def test_a_block_that_hides_or_changes_the_next_set_is_refused(named: Digest | None) -> None:
    stage, change = decided(2)
    stage.propose(last_of(stage, 2, change, epoch_end=named))
    assert (NULLIFY, 2) in stage.votes()


def test_a_block_that_ends_an_epoch_for_no_reason_is_refused() -> None:
    stage = Stage.following(1)
    stage.propose(stage.make(1, epoch_end=NEXT))
    assert (NULLIFY, 1) in stage.votes()


def test_a_set_that_becomes_pending_later_waits_for_a_block_that_carries_it() -> None:
    stage, change = decided(2)
    stage.propose(stage.make(2, change))
    assert (NOTARIZE, 2) in stage.votes()


def test_a_leader_ends_the_epoch_and_then_only_fills() -> None:
    me = Stage().leader(2)
    stage = Stage(me=me)
    stage.start()
    change = stage.make(1, ids=1)
    stage.propose(change)
    stage.hear(stage.others[0], stage.finalization(change))
    decide(stage, change)
    stage.fire(Timer.PROPOSE)
    (proposal,) = (said for said in stage.said() if isinstance(said, Proposal))
    assert proposal.header.epoch_end == NEXT
    assert proposal.header.executed == stage.roots(1)


def test_when_its_last_block_is_final_the_epoch_is_over() -> None:
    stage, change = decided(2)
    last = last_of(stage, 2, change)
    stage.propose(last)
    certificate = stage.finalization(last)
    stage.hear(stage.others[0], certificate)
    (final,) = stage.of(Finalized)
    assert final == Finalized((last.header,), certificate.certificate)
    assert stage.effects[-1] == EpochEnded(certificate.certificate, (last.header,), NEXT)
    assert stage.work() == []
    assert stage.hear(stage.others[0], stage.notarization(stage.make(3, last))) == []


def test_a_filler_makes_the_last_block_final_and_is_no_block_of_the_chain() -> None:
    stage, change = decided(2, 3)
    last = last_of(stage, 2, change)
    stage.propose(last)
    stage.hear(stage.others[0], stage.notarization(last))
    fill = filler(stage, 3, last)
    stage.propose(fill)
    assert (NOTARIZE, 3) in stage.votes()
    certificate = stage.finalization(fill)
    stage.hear(stage.others[0], certificate)
    (final,) = stage.of(Finalized)
    assert final == Finalized((last.header,), certificate.certificate, (fill.header,))
    assert DropBlock(fill.digest) in stage.effects
    ended = EpochEnded(certificate.certificate, (fill.header, last.header), NEXT)
    assert stage.effects[-1] == ended


def test_what_is_not_final_is_left_behind() -> None:
    stage, change = decided(2)
    last, rival = last_of(stage, 2, change), last_of(stage, 2, change, ids=1)
    stage.propose(rival)
    stage.hear(stage.others[0], stage.finalization(last))
    stage.hear(stage.others[1], BlockMessage(last.header, last.ids))
    assert DropBlock(rival.digest) in stage.effects
    assert isinstance(stage.effects[-1], EpochEnded)


@pytest.mark.parametrize(
    "fields",
    [
        {"ids": 1},
        {"epoch_end": NEXT},
        {"filler_of": OTHER},
        {"filler_of": None},
        {"log_root": OTHER},
    ],
)
def test_nothing_but_a_filler_may_follow_the_last_block(fields: dict[str, object]) -> None:
    stage, change = decided(2, 3)
    last = last_of(stage, 2, change)
    stage.propose(last)
    stage.hear(stage.others[0], stage.notarization(last))
    stage.propose(filler(stage, 3, last, **fields))
    assert (NULLIFY, 3) in stage.voted_durably()


def test_a_leader_fills_although_transactions_wait() -> None:
    me = Stage().leader(3)
    stage = Stage(me=me)
    stage.start()
    change = stage.make(1, ids=1)
    stage.propose(change)
    stage.hear(stage.others[0], stage.finalization(change))
    decide(stage, change)
    last = last_of(stage, 2, change)
    stage.propose(last)
    stage.hear(stage.others[0], stage.notarization(last))
    stage.work()
    stage.fire(Timer.PROPOSE)
    (proposal,) = (said for said in stage.said() if isinstance(said, Proposal))
    header = proposal.header
    assert (header.filler_of, header.tx_count, header.epoch_end) == (last.digest, 0, None)
    assert (header.executed, header.log_root) == (last.header.executed, last.header.log_root)


def test_a_filler_of_nothing_is_refused() -> None:
    stage = Stage.following(1)
    stage.propose(stage.make(1, filler_of=OTHER))
    assert (NULLIFY, 1) in stage.votes()


def status(epoch: int) -> Status:
    return Status(
        Epoch(epoch),
        View(9),
        View(9),
        Height(9),
        View(9),
        View(9),
        abstaining=False,
        vote_of_yours=None,
    )


def test_a_peer_in_a_later_epoch_is_asked_for_the_proof() -> None:
    stage = Stage.following(1)
    stage.hear(stage.others[0], status(2))
    assert [said.epoch for said in stage.said() if isinstance(said, Status)] == [0]


def test_a_restart_after_the_end_takes_nothing_over_from_the_old_epoch() -> None:
    """X8: views begin at 1 again, and the old votes say nothing in the new epoch."""
    stage, change = decided(2)
    last = last_of(stage, 2, change)
    stage.propose(last)
    recovered = stage.journal().recovered()
    tip = stage.tip_after(last)
    again = Stage(me=stage.me, recovered=recovered, tip=tip, epoch=1)
    again.start()
    shown = again.machine.status()
    assert (shown.epoch, shown.view, shown.final_view) == (1, 1, 0)
    assert again.votes(again.all_effects) == []
    again.hear(again.others[0], status(0))
    assert again.of(ProveEpochEnd) == [
        ProveEpochEnd(again.city.network_keys[again.others[0]], Epoch(0))
    ]


def test_the_first_block_of_an_epoch_attests_the_end_of_the_one_before() -> None:
    before, change = decided(2)
    last = last_of(before, 2, change)
    tip = before.tip_after(last)
    stage = Stage.following(1, tip=tip, epoch=1)
    first = stage.make(1, last, executed=stage.roots(last.header.height), parent_view=View(0))
    early = stage.make(1, last, parent_view=View(0))
    stage.propose(first)
    assert (NOTARIZE, 1) in stage.votes()
    other = Stage.following(1, tip=tip, epoch=1)
    other.propose(early)
    assert (NULLIFY, 1) in other.votes()


def test_who_still_votes_in_an_older_epoch_is_shown_its_end_once_a_period() -> None:
    before, change = decided(2)
    last = last_of(before, 2, change)
    stage = Stage.following(1, tip=before.tip_after(last), epoch=1)
    stale = before.vote(NULLIFY, 3, 1)
    peer = stage.others[0]
    proof = ProveEpochEnd(stage.city.network_keys[peer], Epoch(0))
    stage.hear(peer, stale, stale)
    assert stage.of(ProveEpochEnd) == [proof]
    stage.hear(peer, stale)
    assert stage.of(ProveEpochEnd) == []
    stage.fire(Timer.STATUS)
    stage.hear(peer, stale)
    assert stage.of(ProveEpochEnd) == [proof]
