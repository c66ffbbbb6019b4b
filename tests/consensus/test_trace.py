"""Every input and effect has its line."""

import typing

from harness.consensus.playbook import Stage
from harness.consensus.world import World
from moyai.consensus import effects, inputs
from moyai.consensus.trace import Tracer


def test_every_effect_of_a_lossy_city_can_be_said_in_one_line() -> None:
    world = World(4, 5, observers=1)
    world.network.loss = 0.3
    tracer = Tracer(world.city.network_keys)
    lines: list[str] = []
    kinds: dict[str, None] = {}

    def note(node: object, effect: effects.Effect) -> None:
        lines.append(tracer.effect(effect))
        kinds[type(effect).__name__] = None

    world.taps.append(note)
    world.start()
    for _ in range(10):
        world.submit(1, world.nodes[0])
        world.run(1_000)
    assert all("\n" not in line and line.startswith("  ") for line in lines)
    assert {"Persist", "Broadcast", "Send", "SetTimer", "Finalized", "BuildBlock"} <= set(kinds)


def test_lines_name_validators_views_and_blocks() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    stage.propose(block)
    short = block.digest.hex()[:6]
    assert f"> v{stage.leader(1)}: proposal 1:{short} of view 1 with 1 on view 0" in stage.lines
    assert f"  to all: vote notarize(1 {short}) of v{stage.me}" in stage.lines


def test_the_unions_are_closed() -> None:
    assert len(typing.get_args(inputs.Input)) == 12
    assert len(typing.get_args(effects.Effect)) == 20
