"""Every state of the abstract protocol is safe, and no rule of its safety can be left out."""

import pytest

from harness.model import Explorer, Report, Rules

VIEWS = 3
MARKS = {"notarization", "nullification", "finalization", "both certificates"}


def explored(*, traitor_leads: int, rules: Rules, members: int = 4, views: int = VIEWS) -> Report:
    return Explorer(members, views, traitor_leads=traitor_leads, rules=rules).explore()


@pytest.mark.parametrize("traitor_leads", range(VIEWS + 1))
def test_four_members_three_views_one_traitor(traitor_leads: int) -> None:
    report = explored(traitor_leads=traitor_leads, rules=Rules())
    assert not report.violation
    assert set(report.marks) == MARKS
    assert report.states > 500


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (Rules(exclusion=False), "view 1 is finalized and nullified"),
        (Rules(notarize_once=False), "two notarizations of view 1"),
        (Rules(skips_proven=False), "leaves its final block out"),
        (Rules(missing_from_quorum=1), "view 1"),
    ],
    ids=["exclusion", "notarize once", "proof of skipped views", "quorum"],
)
def test_each_rule_that_is_left_out_breaks_safety(rules: Rules, said: str) -> None:
    assert said in explored(traitor_leads=1, rules=rules).violation


def test_seven_members_two_traitors_two_views() -> None:
    assert not explored(members=7, views=2, traitor_leads=1, rules=Rules()).violation
