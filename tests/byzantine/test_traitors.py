"""One traitor among the fewest that can bear it: nothing forks, and work goes on becoming final."""

from functools import partial

import pytest

from harness.byzantine import TRAITORS
from harness.consensus.world import World
from moyai.primitives.vote import VoteKind

VIEWS_MS = 60_000


def city(behaviour: str, count: int, seed: int) -> World:
    world = World(count, seed)
    traitor = world.nodes[seed % count]
    world.byzantine[traitor.key] = TRAITORS[behaviour]()
    world.start()
    return world


@pytest.mark.parametrize("behaviour", sorted(TRAITORS))
@pytest.mark.parametrize(("count", "seed"), [(4, 0), (4, 1), (4, 2), (4, 3), (7, 5)])
def test_one_traitor_stops_nothing(behaviour: str, count: int, seed: int) -> None:
    world = city(behaviour, count, seed)
    for _ in range(12):
        ids = world.submit(2, world.honest[0])
        assert world.run(VIEWS_MS, partial(world.all_final, ids)), world.heights()


@pytest.mark.parametrize(
    ("behaviour", "pair"),
    [
        ("conflicter", {VoteKind.NOTARIZE}),
        ("equivocator", {VoteKind.NOTARIZE}),
        ("nuller", {VoteKind.NULLIFY, VoteKind.FINALIZE}),
        ("spammer", {VoteKind.NOTARIZE}),
    ],
)
def test_double_votes_are_found_by_everyone(behaviour: str, pair: set[VoteKind]) -> None:
    world = city(behaviour, 4, 1)
    for _ in range(8):
        world.submit(1, world.honest[0])
        world.run(1_000)
    for node in world.honest:
        found = [record.evidence for record in node.journal.evidence]
        assert any({e.first.kind, e.second.kind} == pair for e in found)
        assert {e.first.signer for e in found} == {1}


def test_a_liar_about_roots_gets_no_vote_and_an_alarm() -> None:
    world = city("wrong_root", 4, 1)
    for _ in range(8):
        world.submit(1, world.honest[0])
        world.run(2_000)
    alarms = [key for node in world.honest for key in node.counters if key[0] == "alarm"]
    assert alarms
    assert all(not node.halted for node in world.honest)


def test_memory_stays_bounded_under_spam() -> None:
    world = city("spammer", 4, 1)
    for _ in range(30):
        world.submit(1, world.honest[0])
        world.run(500)
    for node in world.honest:
        assert node.machine is not None
        core = node.machine._core
        assert len(core.verifying) <= 64
        assert len(core.tally._views) <= 16
        assert len(core.tree) <= 16
        assert len(core.evidence.all()) <= 16


def test_nobody_is_convicted_by_what_an_impersonator_says() -> None:
    world = city("impersonator", 4, 1)
    for _ in range(8):
        world.submit(1, world.honest[0])
        world.run(1_000)
    assert all(not node.journal.evidence for node in world.honest)
    assert all(not node.machine.status().abstaining for node in world.honest)


def test_x13_claims_of_heights_that_nobody_has_keep_nobody_from_catching_up() -> None:
    world = city("sync_liar", 4, 1)
    late = world.honest[0]
    for _ in range(6):
        world.kill(late)
        ids = world.submit(2, world.honest[1])
        world.run(2_000)
        world.start(late)
        assert world.run(10_000, partial(world.all_final, ids)), world.heights()
        assert late.machine is not None
        assert late.machine.status().view < 1_000
