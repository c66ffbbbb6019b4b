"""Asking again and elsewhere, and answering within bounds."""

import msgspec

from harness.consensus.playbook import Stage
from moyai.consensus.effects import Misbehaved, Send
from moyai.consensus.inputs import Timer
from moyai.consensus.limits import (
    ANSWERS_PER_STATUS_MAX,
    GAP_CERTIFICATES_MAX,
    VIEWS_AHEAD_MAX,
)
from moyai.consensus.messages import (
    BlockMessage,
    BlockRequest,
    CertificateMessage,
    CertificateRequest,
)
from moyai.primitives.ids import Epoch, Height, View


def test_each_try_asks_another_source() -> None:
    stage = Stage(me=None)
    stage.start()
    block = stage.make(1)
    stage.hear(0, stage.notarization(block))
    asked = [e.to for e in stage.effects if isinstance(e, Send)]
    for _ in range(3):
        asked += [e.to for e in stage.fire(Timer.FETCH) if isinstance(e, Send)]
    assert asked[0] == stage.city.network_keys[stage.leader(1)]
    assert len(set(asked)) == 4
    stage.hear(0, BlockMessage(block.header, ()))
    assert "fetch" not in stage.machine.status().timers_ms or not stage.fire(Timer.FETCH)


def test_only_what_was_asked_for_is_taken() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    stage.hear(stage.others[0], BlockMessage(block.header, block.ids))
    assert any("not asked for" in line for line in stage.lines)
    stage.hear(stage.others[0], stage.notarization(block))
    wrong = msgspec.structs.replace(BlockMessage(block.header, block.ids), transaction_ids=())
    stage.hear(stage.others[0], wrong)
    assert stage.of(Misbehaved)


def test_blocks_of_the_tree_and_lately_final_ones_are_served() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    stage.propose(block)
    asking = stage.others[1]
    stage.hear(asking, BlockRequest(block.digest))
    assert stage.said() == [BlockMessage(block.header, block.ids)]
    stage.hear(stage.others[0], stage.finalization(block))
    stage.hear(asking, BlockRequest(block.digest))
    assert stage.said() == [BlockMessage(block.header, block.ids)]
    stage.hear(asking, BlockRequest(stage.make(9).digest))
    assert stage.said() == []


def test_certificates_of_both_kinds_are_served_and_a_finalization_for_what_is_below() -> None:
    stage = Stage.following(1)
    one, three = stage.make(1), stage.make(3)
    stage.hear(0 if stage.me else 1, stage.finalization(one), stage.nullification(2))
    stage.hear(0 if stage.me else 1, stage.notarization(three), stage.nullification(3))
    stage.hear(stage.others[1], CertificateRequest(Epoch(0), View(0), View(9)))
    given = [m.certificate for m in stage.said() if isinstance(m, CertificateMessage)]
    assert given == [
        stage.finalization(one).certificate,
        stage.nullification(2).certificate,
        stage.notarization(three).certificate,
        stage.nullification(3).certificate,
    ]


def test_answers_are_bounded_until_the_next_status_tick() -> None:
    stage = Stage.following(1)
    for view in range(1, GAP_CERTIFICATES_MAX + 9):
        stage.hear(stage.others[0], stage.nullification(view))
    asking = stage.others[1]
    answers = []
    for _ in range(ANSWERS_PER_STATUS_MAX // GAP_CERTIFICATES_MAX + 2):
        stage.hear(asking, CertificateRequest(Epoch(0), View(0), View(2**40)))
        answers.append(len(stage.said()))
    assert answers[0] == GAP_CERTIFICATES_MAX
    assert sum(answers) <= ANSWERS_PER_STATUS_MAX
    assert answers[-1] == 0
    stage.fire(Timer.STATUS)
    stage.hear(asking, CertificateRequest(Epoch(0), View(0), View(2**40)))
    assert len(stage.said()) == GAP_CERTIFICATES_MAX


def test_ancestors_that_a_liar_invents_come_to_an_end() -> None:
    stage = Stage.following(1)
    invented = [stage.make(1, ids=9)]
    for height in range(2, 40):
        claim = {"height": Height(height), "parent_view": View(2 - height % 2)}
        invented.append(stage.make(2, invented[-1], **claim))
    proposed = invented[-1]
    stage.hear(stage.leader(2), stage.proposal(proposed))
    taken = 0
    for block in reversed(invented[:-1]):
        if BlockRequest(block.digest) not in stage.said():
            break
        stage.hear(stage.leader(2), BlockMessage(block.header, block.ids))
        taken += 1
    assert taken < VIEWS_AHEAD_MAX


def test_a_block_beyond_the_window_is_not_taken_though_it_was_asked_for() -> None:
    stage = Stage.following(1)
    far = stage.make(2 + VIEWS_AHEAD_MAX)
    orphan = stage.make(2, parent=far, parent_view=View(1))
    stage.hear(stage.leader(2), stage.proposal(orphan))
    assert BlockRequest(far.digest) in stage.said()
    stage.hear(stage.leader(2), BlockMessage(far.header, far.ids))
    assert any("outside the window" in line for line in stage.lines)
