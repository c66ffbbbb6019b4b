"""Cities in trouble known from other systems (X1-X9), and how fast they get out of it."""

from functools import partial

import pytest

from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.effects import Broadcast, Effect
from moyai.consensus.messages import CertificateMessage, VoteMessage
from moyai.primitives.ids import NetworkKey
from moyai.primitives.vote import VoteKind


def city(count: int = 4, seed: int = 1) -> World:
    world = World(count, seed)
    world.start()
    return world


def final(world: World, count: int = 1, limit_ms: float = 30_000) -> float:
    """Submit, wait until all living nodes have it final; return how long it took."""
    ids = world.submit(count)
    before = world.now_ms
    assert world.run(limit_ms, lambda: world.all_final(ids)), world.heights()
    return world.now_ms - before


class Filter:
    """A fault by hand: says which messages get through."""

    def __init__(self, world: World, keys: list[NetworkKey], allow: object) -> None:
        self._allow = allow
        for key in keys:
            world.byzantine[key] = self

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        return [message] if self._allow(node, to, message) else []  # type: ignore[operator]


@pytest.mark.parametrize("count", [4, 7, 10])
def test_a_quiet_city_finalizes_in_three_delays_and_nullifies_nothing(count: int) -> None:
    world = city(count)
    world.network.delay_ms, world.network.spread_ms = 20.0, 1.0
    assert max(final(world) for _ in range(20)) < 3 * 21 + 30
    assert world.invariants.nullified == set()


def test_after_the_last_work_the_chain_comes_to_rest() -> None:
    world = city()
    final(world)
    world.run(2_000)
    before = world.heights()
    assert before == [2, 2, 2, 2]
    steps = world.steps
    world.run(60_000)
    assert world.heights() == before
    assert world.steps - steps < 600
    assert all(node.machine and node.machine.status().reason == "" for node in world.nodes)


def test_x1_a_quorum_killed_after_journaling_its_nullify_goes_on() -> None:
    world = city()
    world.kill(world.nodes[world.city.validators.leader(1)])  # type: ignore[arg-type]
    living = [node for node in world.nodes if node.alive]
    killed: list[Node] = []

    def kill_after_nullify(node: Node, effect: Effect) -> None:
        is_vote = isinstance(effect, Broadcast) and isinstance(effect.message, VoteMessage)
        if is_vote and node not in killed and effect.message.vote.kind is VoteKind.NULLIFY:  # type: ignore[union-attr]
            killed.append(node)
            node.crash_after = 0

    world.taps.append(kill_after_nullify)
    world.submit(1)
    world.run(3_000)
    world.notice_deaths()
    assert len(killed) == len(living) == 3
    world.start(*living)
    final(world)


def test_x2_groups_that_hold_different_certificates_of_a_view_still_agree() -> None:
    world = city()
    group = {world.nodes[0].key, world.nodes[1].key}

    def allow(node: Node, to: NetworkKey, message: WireMessage) -> bool:
        inside = (node.key in group) == (to in group)
        if isinstance(message, VoteMessage) and message.vote.view <= 4:
            swapped = message.vote.view % 2 == 0
            if message.vote.kind is VoteKind.NOTARIZE:
                return inside != swapped
            return inside == swapped
        return inside or not isinstance(message, CertificateMessage)

    Filter(world, list(world.city.network_keys), allow)
    world.submit(3)
    world.run(10_000)
    world.byzantine.clear()
    final(world)


def test_x3_fast_and_slow_halves_meet_again() -> None:
    world = city()
    slow = {world.nodes[2].key, world.nodes[3].key}
    carry = world.carry

    def carry_slowly(sender: NetworkKey, to: NetworkKey, message: WireMessage) -> None:
        if sender in slow or to in slow:
            world.after(600, lambda: carry(sender, to, message))
        else:
            carry(sender, to, message)

    world.carry = carry_slowly  # type: ignore[method-assign]
    for _ in range(5):
        final(world)


@pytest.mark.parametrize("seed", range(8))
def test_x4_killed_at_every_effect_of_a_block_nothing_is_lost(seed: int) -> None:
    world = city(4, seed)
    final(world)
    victim = world.nodes[seed % 4]
    for effects in range(14):
        victim.crash_after = effects
        ids = world.submit(1)
        world.run(400)
        world.notice_deaths()
        height = victim.chain.tip.header.height
        world.start()
        assert world.run(20_000, partial(world.all_final, ids)), (effects, world.heights())
        assert victim.chain.tip.header.height >= height


def test_a_node_that_was_away_catches_up() -> None:
    world = city()
    away = world.nodes[2]
    world.kill(away)
    for _ in range(60):
        final(world)
    world.start(away)
    target = max(world.heights())
    assert world.run(5_000, lambda: away.chain.tip.header.height >= target)
    final(world)


def test_two_of_four_are_not_enough_and_the_third_brings_it_back() -> None:
    world = city()
    final(world)
    world.kill(world.nodes[0], world.nodes[1])
    ids = world.submit(1)
    assert not world.run(20_000, lambda: world.all_final(ids))
    world.start(world.nodes[0])
    before = world.now_ms
    assert world.run(5_000, lambda: world.all_final(ids)), world.heights()
    assert world.now_ms - before <= 5_000


def test_a_healed_partition_finalizes_soon() -> None:
    times = []
    for seed in range(25):
        world = city(4, seed)
        final(world)
        world.partition(world.nodes[:2], world.nodes[2:])
        ids = world.submit(1)
        world.run(3_000 + 137 * seed)
        world.heal()
        before = world.now_ms
        assert world.run(20_000, partial(world.all_final, ids))
        times.append(world.now_ms - before)
    assert max(times) <= 3_000, times


def test_one_dead_member_costs_a_vote_round_and_no_timeout() -> None:
    world = city()
    world.kill(world.nodes[3])
    for _ in range(16):
        final(world)
    slow = [each for each in (final(world) for _ in range(40)) if each > 100]
    assert slow == []


def test_a_member_that_comes_back_leads_again() -> None:
    world = city()
    world.kill(world.nodes[3])
    for _ in range(20):
        final(world)
    world.start(world.nodes[3])
    proposers = []
    for _ in range(16):
        final(world)
        proposers.append(world.nodes[0].chain.tip.header.proposer)
    assert 3 in proposers


def test_certificates_are_forwarded_and_not_left_to_anti_entropy() -> None:
    world = city()
    alone = world.nodes[3]

    def allow(node: Node, to: NetworkKey, message: WireMessage) -> bool:
        return to != alone.key or not isinstance(message, VoteMessage)

    Filter(world, list(world.city.network_keys), allow)
    assert max(final(world) for _ in range(10)) < 100


@pytest.mark.parametrize("seed", range(6))
def test_new_finalizations_come_within_f_plus_four_views_of_quiet(seed: int) -> None:
    world = city(7, seed)
    world.network.loss = 0.4
    world.submit(5)
    world.run(4_000)
    world.heal()
    world.run(2_000)
    views = max(node.machine.status().view for node in world.nodes if node.machine)
    final(world)
    after = min(node.machine.status().final_view for node in world.nodes if node.machine)
    assert after - views <= 2 + 4


def test_a_wiped_member_abstains_and_votes_again_on_a_resting_chain() -> None:
    world = city()
    for _ in range(6):
        final(world)
    wiped = world.nodes[1]
    world.kill(wiped)
    wiped.wipe()
    world.start(wiped)
    assert wiped.machine is not None
    assert wiped.machine.status().abstaining
    assert world.run(90_000, lambda: not wiped.machine.status().abstaining)  # type: ignore[union-attr]
    final(world)
    assert wiped.machine.status().voted_view > 0


def test_observers_follow() -> None:
    world = World(4, 3, observers=2)
    world.start()
    for _ in range(10):
        final(world)
    assert len(set(world.heights())) == 1


def in_epoch(world: World, epoch: int) -> bool:
    return all(node.chain.epoch == epoch for node in world.nodes if node.alive)


def test_members_join_and_leave_while_the_city_works() -> None:
    world = World(4, 1, joining=2)
    world.start()
    for epoch, people in enumerate(((0, 1, 2, 3, 4), (0, 1, 2, 4, 5), (1, 2, 4, 5)), start=1):
        final(world)
        world.change_members(*people)
        assert world.run(20_000, partial(in_epoch, world, epoch)), world.heights()
        final(world)
    votes = [node.machine.status().epoch for node in world.nodes if node.machine]
    assert votes == [3] * 6
    assert sum(node.index is None for node in world.nodes) == 2


def test_x8_who_slept_through_an_epoch_is_led_through_its_end() -> None:
    world = World(4, 1, joining=1)
    world.start()
    world.kill(world.nodes[3])
    for epoch, people in enumerate(((0, 1, 2, 3, 4), (0, 1, 2, 3)), start=1):
        world.change_members(*people)
        assert world.run(20_000, partial(in_epoch, world, epoch))
    final(world)
    world.start(world.nodes[3])
    assert world.run(20_000, partial(in_epoch, world, 2))
    final(world)
