"""Keeps its votes and certificates back until the others have given up, then reveals them."""

from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import CertificateMessage, VoteMessage
from moyai.primitives.ids import NetworkKey


class LateRevealer:
    """Every vote and certificate leaves after more than a view's timers, to one half; the rest at
    once.
    """

    def __init__(self, delay_ms: float = 1_100) -> None:
        self._delay_ms = delay_ms

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        place = world.city.index_of(to, node.chain.epoch) or 0
        if place % 2 or not isinstance(message, VoteMessage | CertificateMessage):
            return [message]
        world.after(self._delay_ms, lambda: world.carry(node.key, to, message))
        return []
