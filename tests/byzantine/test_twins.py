"""Twins: a member with two lives, against every cut of the first three views into two groups.

Every case of three views is lived here; `scripts/twins --all 4` lives those of four, and
`scripts/twins` draws wider ones.
"""

from collections.abc import Callable, Iterable

import pytest

from harness.consensus.invariants import Violation
from harness.twins import Case, count_of, cuts, drawn_case, every_case, live, swapped
from moyai.consensus.ballots import Ballots
from moyai.consensus.tally import Tally

VIEWS = 3
BROKEN_STRIDE = 11
DRAWN = 60


def test_cuts_are_the_set_partitions() -> None:
    assert [len(cuts(processes, 5)) for processes in range(1, 6)] == [1, 2, 5, 15, 52]
    assert len(cuts(5, 2)) == 16


def test_no_case_is_another_with_the_twins_swapped() -> None:
    cases = set(every_case(2))
    assert len(cases) == count_of(2)
    for case in cases:
        other = tuple(swapped(cut, case.twins[0]) for cut in case.groups)
        assert other == case.groups or Case(4, case.twins, other) not in cases


@pytest.mark.parametrize("twin", range(4))
def test_twins_under_enumerated_cuts(twin: int) -> None:
    cases = [case for case in every_case(VIEWS) if case.twins == (twin,)]
    assert 4 * len(cases) == count_of(VIEWS) == 9_216
    nullified = evidence = 0
    for case in cases:
        world = live(case)
        nullified += bool(world.invariants.nullified)
        evidence += any(node.journal.evidence for node in world.honest)
    assert nullified > len(cases) // 2
    assert evidence > len(cases) // 8


def live_all(cases: Iterable[Case]) -> None:
    for case in cases:
        live(case)


def test_twins_under_drawn_cuts() -> None:
    live_all(map(drawn_case, range(DRAWN)))


def test_drawn_cases_hide_messages_of_twins_alone() -> None:
    cases = [drawn_case(seed) for seed in range(DRAWN)]
    assert 0 < sum(bool(case.masks) for case in cases) < DRAWN
    for case in cases:
        lives = {*case.twins, *range(case.count, case.count + len(case.twins))}
        hiding = {place for mask in case.masks for place, bits in enumerate(mask) if bits}
        assert hiding <= lives


def broken_ballots(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ballots, "allows", lambda self, kind, view: not self.has(kind, view))


def broken_quorum(patch: pytest.MonkeyPatch) -> None:
    made = Tally.__init__

    def init(self: Tally, validators: object) -> None:
        made(self, validators)
        self._quorum = 2

    patch.setattr(Tally, "__init__", init)
    patch.setattr("moyai.primitives.validators.quorum", lambda _: 2)


@pytest.mark.parametrize("fault", [broken_ballots, broken_quorum])
def test_a_broken_rule_does_not_survive_the_twins(
    fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    with pytest.raises(Violation):
        live_all(list(every_case(VIEWS))[::BROKEN_STRIDE])
