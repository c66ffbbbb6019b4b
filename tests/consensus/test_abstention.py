"""R12: how long silence lasts, and that leaving it is written before the first vote."""

from harness.consensus.playbook import NOTARIZE, Stage, empty_journal
from moyai.consensus.abstention import Abstention
from moyai.consensus.messages import Status
from moyai.consensus.records import AbstainRecord
from moyai.primitives.ids import Epoch, Height, ValidatorIndex, View


def silent(quorum: int = 3) -> Abstention:
    abstention = Abstention(Epoch(0), quorum)
    abstention.begin()
    return abstention


def report(abstention: Abstention, *views: int) -> None:
    for validator, view in enumerate(views):
        abstention.report(ValidatorIndex(validator), View(view))


def test_q_others_must_report_before_any_finalization_counts() -> None:
    abstention = silent()
    report(abstention, 5, 6)
    assert abstention.finalized(View(1_000)) is None
    assert abstention.active


def test_it_ends_two_views_above_the_highest_report() -> None:
    abstention = silent()
    report(abstention, 5, 9, 6)
    assert abstention.finalized(View(10)) is None
    left = abstention.finalized(View(11))
    assert left == AbstainRecord(Epoch(0), abstaining=False, vote_above_view=View(11))
    assert not abstention.allows(View(11))
    assert abstention.allows(View(12))


def test_later_reports_do_not_move_the_goal() -> None:
    abstention = silent()
    report(abstention, 5, 5, 5)
    report(abstention, 50, 50, 50)
    assert abstention.finalized(View(7)) is not None


def test_in_a_later_epoch_q_others_must_report_of_that_one() -> None:
    abstention = Abstention(Epoch(3), 3)
    abstention.restore(AbstainRecord(Epoch(0), abstaining=True, vote_above_view=View(90)))
    assert abstention.finalized(View(1_000)) is None
    report(abstention, 5, 9, 6)
    assert abstention.finalized(View(10)) is None
    left = abstention.finalized(View(11))
    assert left == AbstainRecord(Epoch(3), abstaining=False, vote_above_view=View(11))


def test_the_view_it_votes_above_survives_a_restart() -> None:
    abstention = Abstention(Epoch(0), 3)
    abstention.restore(AbstainRecord(Epoch(0), abstaining=False, vote_above_view=View(11)))
    assert not abstention.allows(View(11))
    assert abstention.allows(View(12))


def test_a_key_without_its_own_journal_follows_and_does_not_vote() -> None:
    stage = Stage(me=0, recovered=empty_journal(unused=False))
    stage.start()
    first = stage.records(stage.all_effects)
    assert [type(record) for record in first] == [AbstainRecord]
    stage.propose(stage.make(stage.view_led_by(1), ids=1))
    assert stage.voted_durably() == []
    assert stage.machine.status().abstaining


def test_it_votes_again_after_the_city_went_on() -> None:
    stage = Stage(me=0, recovered=empty_journal(unused=False))
    stage.start()
    for other in stage.others:
        status = Status(Epoch(0), View(3), View(0), Height(0), View(2), View(2), False, None)
        stage.hear(other, status)
    block = stage.make(4)
    stage.hear(stage.others[0], stage.finalization(block))
    effects = stage.hear(stage.leader(4), stage.proposal(block)) if stage.leader(4) else []
    assert stage.machine.status().final_view == 4
    left = [r for r in stage.records(effects) if isinstance(r, AbstainRecord)]
    assert left == [AbstainRecord(Epoch(0), abstaining=False, vote_above_view=View(4))]
    following = stage.view_led_by(stage.others[0], 4)
    for view in range(5, following):
        stage.hear(stage.others[0], stage.nullification(view))
    stage.propose(stage.make(following, block))
    assert stage.voted_durably() == [(NOTARIZE, following)]
