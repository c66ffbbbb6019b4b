"""A firing counts only when it is still meant."""

from moyai.consensus.effects import ClearTimer, Effect, SetTimer
from moyai.consensus.inputs import Timer
from moyai.consensus.timers import Timers


def test_setting_the_same_deadline_again_says_nothing() -> None:
    effects: list[Effect] = []
    timers = Timers(effects.append)
    timers.set(Timer.VIEW, 100, 50)
    timers.set(Timer.VIEW, 120, 30)
    timers.ensure(Timer.VIEW, 130, 500)
    assert effects == [SetTimer(Timer.VIEW, 50)]


def test_a_firing_of_a_cleared_timer_is_ignored() -> None:
    effects: list[Effect] = []
    timers = Timers(effects.append)
    timers.set(Timer.VIEW, 100, 50)
    timers.clear(Timer.VIEW)
    timers.clear(Timer.VIEW)
    assert effects == [SetTimer(Timer.VIEW, 50), ClearTimer(Timer.VIEW)]
    assert not timers.fired(Timer.VIEW, 150)


def test_a_firing_that_comes_early_is_set_again() -> None:
    effects: list[Effect] = []
    timers = Timers(effects.append)
    timers.set(Timer.LEADER, 100, 50)
    assert not timers.fired(Timer.LEADER, 149)
    assert effects[-1] == SetTimer(Timer.LEADER, 1)
    assert timers.fired(Timer.LEADER, 150)
    assert not timers.fired(Timer.LEADER, 151)


def test_hastening_only_makes_a_running_timer_sooner() -> None:
    effects: list[Effect] = []
    timers = Timers(effects.append)
    timers.hasten(Timer.VIEW, 0, 10)
    assert effects == []
    timers.set(Timer.VIEW, 0, 100)
    timers.hasten(Timer.VIEW, 20, 80)
    timers.hasten(Timer.VIEW, 20, 90)
    timers.hasten(Timer.VIEW, 20, 50)
    assert effects == [SetTimer(Timer.VIEW, 100), SetTimer(Timer.VIEW, 50)]


def test_what_is_left_is_shown_in_order() -> None:
    effects: list[Effect] = []
    timers = Timers(effects.append)
    timers.set(Timer.STATUS, 0, 90)
    timers.set(Timer.LEADER, 0, 30)
    assert timers.remaining_ms(40) == {"leader": 0, "status": 50}
