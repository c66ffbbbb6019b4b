"""R11: who is ahead gives, who is behind asks, and a lost message costs a second."""

from harness.consensus.playbook import NULLIFY, Stage
from moyai.consensus.effects import Broadcast, Send
from moyai.consensus.inputs import LinksChanged, Timer
from moyai.consensus.limits import IDLE_STATUS_MS
from moyai.consensus.messages import (
    CertificateMessage,
    CertificateRequest,
    Proposal,
    Status,
    VoteMessage,
)
from moyai.primitives.ids import Epoch, Height, View
from moyai.primitives.vote import Vote


def status(view: int, final: int, certified: int, vote: Vote | None = None) -> Status:
    voted = View(max(0, view - 1))
    return Status(
        Epoch(0), View(view), View(final), Height(final), View(certified), voted, False, vote
    )


def statuses(stage: Stage) -> list[Status]:
    return [m for m in stage.said() if isinstance(m, Status)]


def test_a_new_link_is_greeted_with_the_newest_vote_of_that_validator() -> None:
    stage = Stage.following(1)
    one = stage.others[0]
    vote = stage.vote(NULLIFY, 3, one)
    stage.hear(one, vote)
    key = stage.city.network_keys[one]
    rest = tuple(sorted(stage.city.network_keys[i] for i in stage.others[1:]))
    stage.act(LinksChanged(rest))
    stage.act(LinksChanged(tuple(sorted((*rest, key)))))
    greetings = [e for e in stage.effects if isinstance(e, Send) and e.to == key]
    assert [m.message.vote_of_yours for m in greetings if isinstance(m.message, Status)] == [
        vote.vote
    ]


def test_a_new_link_gets_what_is_under_way() -> None:
    stage = Stage(me=Stage().leader(1))
    stage.start()
    stage.fire(Timer.IDLE)
    stage.act(LinksChanged(()))
    stage.act(LinksChanged((stage.city.network_keys[stage.others[0]],)))
    assert len([m for m in stage.said() if isinstance(m, Proposal)]) == 1
    follower = Stage.following(1)
    follower.work()
    follower.fire(Timer.LEADER)
    follower.act(LinksChanged(()))
    follower.act(LinksChanged((follower.city.network_keys[follower.others[0]],)))
    assert [m.vote.kind for m in follower.said() if isinstance(m, VoteMessage)] == [NULLIFY]


def test_a_resting_node_repeats_its_status_every_ten_seconds() -> None:
    stage = Stage.following(1)
    spoken = 0
    for _ in range(2 * IDLE_STATUS_MS // 1_000):
        spoken += sum(isinstance(e, Broadcast) for e in stage.fire(Timer.STATUS))
    assert spoken == 2


def test_news_and_unfinished_business_are_said_every_second() -> None:
    stage = Stage.following(1)
    stage.fire(Timer.STATUS)
    stage.hear(stage.others[0], stage.nullification(1))
    stage.fire(Timer.STATUS)
    assert [s.certified_view for s in statuses(stage)] == [1]
    stage.work()
    for _ in range(3):
        stage.fire(Timer.STATUS)
        assert len(statuses(stage)) == 1


def test_who_is_ahead_gives_finalization_furthest_certificate_and_the_gap() -> None:
    stage = Stage.following(1)
    one, five = stage.make(1), stage.make(5)
    stage.propose(one)
    stage.hear(stage.others[0], stage.finalization(one), stage.nullification(2))
    stage.hear(stage.others[0], stage.nullification(3), stage.nullification(4))
    stage.hear(stage.others[0], stage.notarization(five))
    stage.hear(stage.others[1], status(1, 0, 0))
    given = [m.certificate for m in stage.said() if isinstance(m, CertificateMessage)]
    assert [c.view for c in given] == [1, 5, 2, 3, 4]
    stage.hear(stage.others[1], status(6, 1, 5))
    assert stage.said() == []


def test_who_is_behind_asks_for_what_it_lacks() -> None:
    stage = Stage.following(1)
    stage.hear(stage.others[0], status(9, 4, 8))
    asked = [m for m in stage.said() if isinstance(m, CertificateRequest)]
    assert [(m.first_view, m.last_view) for m in asked] == [(1, 8)]


def test_a_status_of_a_later_epoch_is_answered_with_the_own_one() -> None:
    stage = Stage.following(1)
    other = Status(
        Epoch(4),
        View(9),
        View(9),
        Height(9),
        View(9),
        View(9),
        abstaining=False,
        vote_of_yours=None,
    )
    stage.hear(stage.others[0], other)
    assert [(type(said), said.epoch) for said in stage.said()] == [(Status, Epoch(0))]


def test_a_vote_of_mine_that_my_journal_lacks_silences_me() -> None:
    stage = Stage.following(1)
    assert stage.me is not None
    stage.hear(stage.others[0], status(3, 0, 2, stage.vote(NULLIFY, 2, stage.me).vote))
    assert stage.machine.status().abstaining


def test_a_forged_vote_of_mine_does_not() -> None:
    stage = Stage.following(1)
    assert stage.me is not None
    forged = stage.vote(NULLIFY, 2, stage.others[0]).vote
    lie = Vote(forged.epoch, forged.view, forged.kind, forged.digest, stage.me, forged.signature)  # type: ignore[arg-type]
    stage.hear(stage.others[0], status(3, 0, 2, lie))
    assert not stage.machine.status().abstaining


def test_delta_starts_again_when_a_quorum_of_links_is_up() -> None:
    stage = Stage.following(1)
    stage.work()
    stage.fire(Timer.LEADER)
    stage.hear(stage.others[0], stage.nullification(1))
    assert stage.machine.status().delta_ms == 375
    keys = [stage.city.network_keys[i] for i in stage.others]
    stage.act(LinksChanged((keys[0],)))
    assert stage.machine.status().delta_ms == 375
    stage.act(LinksChanged(tuple(sorted(keys[:2]))))
    assert stage.machine.status().delta_ms == 250
