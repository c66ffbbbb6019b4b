"""The acts every rule shares: may this vote leave at all, and how long is Δ."""

from harness.consensus.playbook import Stage
from moyai.consensus.core import Core
from moyai.consensus.effects import Halt
from moyai.primitives.ids import View
from moyai.primitives.parameters import Parameters


def core(**options: object) -> Core:
    return Core(Stage(**options).config)  # type: ignore[arg-type]


def test_a_new_core_is_in_view_one_above_the_tip() -> None:
    fresh = core()
    assert (fresh.floor, fresh.view) == (0, 1)
    assert fresh.may_vote(View(1))
    assert not fresh.may_vote(View(0))


def test_observers_listeners_silent_and_halted_nodes_do_not_vote() -> None:
    assert not core(me=None).may_vote(View(1))
    listening, silent, halted = core(), core(), core()
    listening.listening = True
    silent.abstention.begin()
    halted.halt("a reason")
    assert not any(each.may_vote(View(1)) for each in (listening, silent, halted))
    assert halted.effects == [Halt("a reason", ())]


def test_a_view_known_to_be_final_gets_no_vote_even_before_its_blocks_are_here() -> None:
    behind, stage = core(), Stage()
    behind.certificates.add(stage.finalization(stage.make(7)).certificate)
    assert behind.floor == 0
    assert not behind.may_vote(View(7))
    assert behind.may_vote(View(8))


def test_delta_is_never_below_its_start_even_when_the_maximum_is() -> None:
    slow = core(parameters=Parameters(delta_ms=2_000, delta_max_ms=1_000))
    assert slow.delta_ms == 2_000
    slow.delta_streak = 9
    assert slow.delta_ms == 2_000
