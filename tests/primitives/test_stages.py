"""All time of a thread belongs to exactly one stage."""

import pytest

from moyai.primitives.stages import Stage, StageClock


class Time:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_time_belongs_to_the_stage_that_was_entered_last() -> None:
    time = Time()
    stages = StageClock(time)
    time.seconds = 1
    before = stages.enter(Stage.CONSENSUS)
    time.seconds = 3
    with stages.at(Stage.JOURNAL):
        time.seconds = 6
    time.seconds = 7
    assert stages.enter(before) is Stage.CONSENSUS
    time.seconds = 9
    stages.enter(Stage.LOOP)
    assert stages.seconds[Stage.LOOP] == 3
    assert stages.seconds[Stage.CONSENSUS] == 3
    assert stages.seconds[Stage.JOURNAL] == 3
    assert sum(stages.seconds) == time.seconds


def test_an_error_ends_its_stage() -> None:
    time = Time()
    stages = StageClock(time)
    with pytest.raises(ZeroDivisionError), stages.at(Stage.VERIFY):
        raise ZeroDivisionError
    time.seconds = 2
    assert stages.enter(Stage.LOOP) is Stage.LOOP
    assert stages.seconds[Stage.VERIFY] == 0


def test_another_thread_adds_what_it_has_spent() -> None:
    stages = StageClock()
    stages.add(Stage.STORE, 0.5)
    stages.add(Stage.STORE, 0.25)
    assert stages.seconds[Stage.STORE] == 0.75
