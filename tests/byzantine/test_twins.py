"""Twins: a member with two lives, against every cut of the first three views into two groups.

The quick suite lives each eleventh case in the order of `every_case`; `scripts/twins --all` lives
all of them, and `scripts/twins` draws wider ones.
"""

from collections.abc import Callable, Iterable

import pytest

from harness.consensus.invariants import Violation
from harness.twins import Case, cuts, drawn_case, every_case, live, swapped
from moyai.consensus.ballots import Ballots
from moyai.consensus.tally import Tally

VIEWS = 3
QUICK_STRIDE = 11
DRAWN = 60


def test_cuts_are_the_set_partitions() -> None:
    assert [len(cuts(processes, 5)) for processes in range(1, 6)] == [1, 2, 5, 15, 52]
    assert len(cuts(5, 2)) == 16


def test_no_case_is_another_with_the_twins_swapped() -> None:
    cases = set(every_case(2))
    assert len(cases) == 4 * (16**2 + 8**2) // 2  # Burnside: 8 cuts do not tell the twins apart
    for case in cases:
        other = tuple(swapped(cut, case.twins[0]) for cut in case.groups)
        assert other == case.groups or Case(4, case.twins, other) not in cases


@pytest.mark.parametrize("twin", range(4))
def test_twins_under_enumerated_cuts(twin: int) -> None:
    cases = list(every_case(VIEWS))[::QUICK_STRIDE]
    worlds = [live(case) for case in cases if case.twins == (twin,)]
    assert len(worlds) > 200
    assert any(world.invariants.nullified for world in worlds)
    assert any(node.journal.evidence for world in worlds for node in world.honest)


def live_all(cases: Iterable[Case]) -> None:
    for case in cases:
        live(case)


@pytest.mark.nightly
@pytest.mark.parametrize("offset", range(1, QUICK_STRIDE))
def test_twins_under_the_other_cuts(offset: int) -> None:
    live_all(list(every_case(VIEWS))[offset::QUICK_STRIDE])


def test_twins_under_drawn_cuts() -> None:
    live_all(map(drawn_case, range(DRAWN)))


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
        live_all(list(every_case(VIEWS))[::QUICK_STRIDE])
