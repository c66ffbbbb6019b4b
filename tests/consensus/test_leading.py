"""R2 as conversations: on which parent, on what ground, and when a leader proposes."""

import msgspec

from harness.consensus.playbook import FINALIZE, Made, Stage
from moyai.consensus.config import ExecutedBlock, FinalTip
from moyai.consensus.effects import Broadcast, BuildBlock, Persist
from moyai.consensus.inputs import BlockBuilt, Timer
from moyai.consensus.limits import HELP_ABSTAINING_MS
from moyai.consensus.messages import BlockRequest, CertificateRequest, Proposal, Status
from moyai.consensus.records import BlockRecord, ProposalRecord, VoteRecord
from moyai.primitives.ids import Epoch, Height, TransactionId, View
from moyai.primitives.merkle import EMPTY_ROOT, Frontier, merkle_root
from moyai.primitives.parameters import Parameters

IDS = (TransactionId(b"\x01" * 32), TransactionId(b"\x02" * 32))


def leading(view: int, **options: object) -> Stage:
    """A stage whose machine leads `view`; the views before it are the others'."""
    stage = Stage(me=Stage().leader(view), **options)  # type: ignore[arg-type]
    stage.start()
    return stage


def build(stage: Stage) -> list[Proposal]:
    """Answer a request for a block with two transactions; return the proposals made."""
    asked = [effect for effect in stage.effects if isinstance(effect, BuildBlock)]
    proposals = []
    for each in asked:
        answer = BlockBuilt(each.view, each.parent, IDS, merkle_root(IDS), 400)
        proposals += [m for m in stage.said(stage.act(answer)) if isinstance(m, Proposal)]
    return proposals


def made_of(proposals: list[Proposal]) -> Proposal:
    assert len(proposals) == 1
    return proposals[0]


def final_block(stage: Stage, view: int) -> Made:
    """Let a block of `view` become final, with the body held here."""
    block = stage.make(view, ids=1)
    stage.propose(block)
    stage.hear(stage.others[0], stage.finalization(block))
    return block


def test_work_after_rest_is_proposed_at_once_and_durably_first() -> None:
    stage = leading(1)
    assert stage.said() != []
    stage.work()
    proposal = made_of(build(stage))
    assert proposal.header.height == 1
    assert proposal.header.parent == stage.genesis.digest
    assert proposal.transaction_ids == IDS
    kinds = [type(e) for e in stage.effects if isinstance(e, Persist | Broadcast)]
    assert kinds[:2] == [Persist, Broadcast]
    records = [type(record) for record in stage.records()]
    assert records == [BlockRecord, ProposalRecord, VoteRecord]


def test_it_proposes_once() -> None:
    stage = leading(1)
    stage.work()
    assert build(stage)
    stage.work(full=True)
    assert not stage.of(BuildBlock)


def test_without_ground_it_rests() -> None:
    stage = leading(1)
    stage.wait(5_000)
    stage.work(pending=False)
    assert not [m for m in stage.said(stage.all_effects) if isinstance(m, Proposal)]
    assert stage.machine.status().reason == ""


def test_an_empty_build_is_not_asked_for_again_before_new_work() -> None:
    stage = leading(1)
    stage.work()
    asked = stage.of(BuildBlock)
    assert len(asked) == 1
    stage.act(BlockBuilt(View(1), stage.genesis.digest, (), EMPTY_ROOT, 0))
    assert not stage.of(BuildBlock)
    stage.work()
    assert len(stage.of(BuildBlock)) == 1


def test_under_load_it_waits_for_the_interval_unless_a_block_is_full() -> None:
    stage = leading(2)
    block = stage.make(1, ids=1)
    stage.propose(block)
    stage.work()
    stage.hear(stage.others[0], stage.notarization(block))
    assert not stage.of(BuildBlock)
    assert "propose" in stage.machine.status().timers_ms
    stage.work(full=True)
    assert len(stage.of(BuildBlock)) == 1


def test_the_timer_brings_the_block_when_the_interval_is_over() -> None:
    stage = leading(2)
    block = stage.make(1, ids=1)
    stage.propose(block)
    stage.work()
    stage.hear(stage.others[0], stage.notarization(block))
    stage.fire(Timer.PROPOSE)
    assert made_of(build(stage)).header.parent == block.digest


def test_a_helper_block_makes_a_stuck_tail_final_no_sooner_than_delta() -> None:
    stage = leading(2)
    block = stage.make(1)
    stage.propose(block)
    stage.hear(stage.others[0], stage.notarization(block))
    left = stage.machine.status().timers_ms["propose"]
    assert left == stage.parameters.delta_ms
    stage.fire(Timer.PROPOSE)
    helper = next(m for m in stage.said() if isinstance(m, Proposal))
    assert helper.transaction_ids == ()
    assert helper.header.parent == block.digest


def test_an_unattested_root_gets_one_empty_block_when_no_work_comes() -> None:
    stage = leading(2)
    block = final_block(stage, 1)
    stage.executed(block)
    stage.fire(Timer.PROPOSE)
    proposal = next(m for m in stage.said() if isinstance(m, Proposal))
    assert proposal.header.tx_count == 0
    assert proposal.header.executed == stage.roots(1)


def test_the_idle_interval_is_a_ground() -> None:
    stage = leading(1)
    stage.fire(Timer.IDLE)
    proposal = next(m for m in stage.said() if isinstance(m, Proposal))
    assert proposal.header.tx_count == 0


def test_a_bare_vote_is_no_ground() -> None:
    stage = leading(1)
    one = stage.others[0]
    stage.hear(one, stage.vote(FINALIZE, 1, one, stage.make(1)))
    stage.wait(1_000)
    stage.work(pending=False)
    assert not [m for m in stage.said(stage.all_effects) if isinstance(m, Proposal)]


def test_it_builds_on_the_highest_notarized_view_all_later_ones_nullified() -> None:
    stage = leading(3)
    block = stage.make(1)
    stage.propose(block)
    stage.hear(stage.others[0], stage.notarization(block), stage.nullification(2))
    stage.work(full=True)
    proposal = made_of(build(stage))
    assert (proposal.header.parent, proposal.header.parent_view) == (block.digest, 1)


def test_without_evidence_for_a_gap_it_asks_and_waits() -> None:
    stage = leading(3)
    stage.hear(stage.others[0], stage.nullification(2))
    stage.work(full=True)
    assert [m for m in stage.said(stage.all_effects) if isinstance(m, CertificateRequest)]
    assert not stage.of(BuildBlock)
    stage.hear(stage.others[0], stage.nullification(1))
    assert made_of(build(stage)).header.parent == stage.genesis.digest


def test_without_the_body_of_the_parent_it_asks_and_waits() -> None:
    stage = leading(2)
    block = stage.make(1)
    stage.hear(stage.others[0], stage.notarization(block))
    stage.work(full=True)
    requests = [m for m in stage.said(stage.all_effects) if isinstance(m, BlockRequest)]
    assert requests == [BlockRequest(block.digest)]
    assert not stage.of(BuildBlock)


def test_at_the_lag_limit_it_orders_nothing() -> None:
    parameters = Parameters(execution_lag_max=1)
    stage = leading(3, parameters=parameters)
    one = stage.make(1, ids=1)
    two = stage.make(2, one, ids=1)
    stage.propose(one)
    stage.hear(stage.others[0], stage.notarization(one))
    stage.propose(two)
    stage.hear(stage.others[0], stage.notarization(two))
    stage.work(full=True)
    assert not stage.of(BuildBlock)
    stage.hear(stage.others[0], stage.finalization(two))
    stage.executed(one)
    assert len(stage.of(BuildBlock)) == 1


def test_time_is_the_clock_but_always_after_the_parent() -> None:
    genesis = Stage().genesis.header
    tip = FinalTip(None, Frontier(), (ExecutedBlock(genesis, genesis.executed),))
    stage = Stage(me=Stage().leader(1), tip=tip)
    stage.wall_ms = genesis.time_ms - 500
    stage.start()
    stage.work()
    assert made_of(build(stage)).header.time_ms == genesis.time_ms + 1


def test_a_member_that_abstains_is_helped_once_in_a_while() -> None:
    stage = leading(1)
    member = stage.others[0]
    status = Status(Epoch(0), View(1), View(0), Height(0), View(0), View(0), True, None)
    stage.hear(member, status)
    helper = [m for m in stage.said(stage.all_effects) if isinstance(m, Proposal)]
    assert len(helper) == 1
    own = View(1)
    block = Made(helper[0].header, (), stage.genesis.frontier.append(stage.genesis.digest))
    stage.hear(member, stage.finalization(block))
    for view in range(own + 1, stage.view_led_by(stage.me or 0, own)):
        stage.hear(member, stage.nullification(view))
    assert not [m for m in stage.said(stage.effects) if isinstance(m, Proposal)]
    assert stage.machine.status().timers_ms["propose"] <= HELP_ABSTAINING_MS


def test_a_member_that_abstains_again_and_again_gets_no_more_help_by_it() -> None:
    stage = leading(1)
    member = stage.others[0]
    status = Status(Epoch(0), View(1), View(0), Height(0), View(0), View(0), True, None)
    healthy = msgspec.structs.replace(status, abstaining=False)
    stage.hear(member, status)
    (helper,) = [m for m in stage.said(stage.all_effects) if isinstance(m, Proposal)]
    block = Made(helper.header, (), stage.genesis.frontier.append(stage.genesis.digest))
    stage.hear(member, stage.finalization(block))
    for view in range(2, stage.view_led_by(stage.me or 0, 1)):
        stage.hear(member, stage.nullification(view))
    stage.hear(member, healthy, status)
    assert not [m for m in stage.said(stage.effects) if isinstance(m, Proposal)]
    stage.fire(Timer.PROPOSE)
    assert [m for m in stage.said(stage.effects) if isinstance(m, Proposal)]
