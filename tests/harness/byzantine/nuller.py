"""Nullifies every view that it also notarizes and finalizes."""

from harness.consensus.byzantine import nullify
from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import VoteMessage
from moyai.primitives.ids import NetworkKey


class Nuller:
    """Sends a nullify with each vote."""

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        if isinstance(message, VoteMessage):
            return [nullify(world, node, message.vote.view), message]
        return [message]
