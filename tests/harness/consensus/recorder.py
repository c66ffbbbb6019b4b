"""Writes a simulation down: one line for each input and effect of every node.

A line says when, who, in which epoch and view, and what; nodes are numbered in the world's order,
signers of votes in that of their epoch. Not here: how a line reads (`moyai.consensus.trace`).
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
        self._tracer = Tracer(tuple(node.key for node in world.nodes))
        world.taps.append(self._effect)
        for node in world.nodes:
            node.taps.append(self._input)

    def _name(self, node: Node) -> str:
        machine = node.machine
        where = "" if machine is None else f"{node.chain.epoch}/{machine.status().view}"
        return f"{self._world.now_ms:10.1f} {self._tracer.peer(node.key)} {where:<7}"

    def _input(self, node: Node, event: Input) -> None:
        self.lines.append(f"{self._name(node)} {self._tracer.input(event)}")

    def _effect(self, node: Node, effect: Effect) -> None:
        self.lines.append(f"{self._name(node)} {self._tracer.effect(effect)}")
