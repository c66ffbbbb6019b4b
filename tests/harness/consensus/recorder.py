"""Writes a simulation down: one line for each input and effect of every node.

Not here: how a line reads (`moyai.consensus.trace`).
"""

from harness.consensus.shell import Node
from harness.consensus.world import World
from moyai.consensus.effects import Effect
from moyai.consensus.inputs import Input
from moyai.consensus.trace import Tracer


class Recorder:
    """The lines of one world, from now on."""

    def __init__(self, world: World) -> None:
        self.lines: list[str] = []
        self._world = world
        self._tracer = Tracer(world.city.network_keys)
        world.taps.append(self._effect)
        for node in world.nodes:
            node.tap = self._input

    def _name(self, node: Node) -> str:
        return f"{self._world.now_ms:10.1f} {self._tracer.peer(node.key)}"

    def _input(self, node: Node, event: Input) -> None:
        self.lines.append(f"{self._name(node)} {self._tracer.input(event)}")

    def _effect(self, node: Node, effect: Effect) -> None:
        self.lines.append(f"{self._name(node)} {self._tracer.effect(effect)}")
