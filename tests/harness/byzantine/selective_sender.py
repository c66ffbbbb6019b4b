"""Gives each certificate to one peer alone, another for each view."""

from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import CertificateMessage
from moyai.primitives.ids import NetworkKey


class SelectiveSender:
    """The others must help each other."""

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        if not isinstance(message, CertificateMessage):
            return [message]
        chosen = message.certificate.view % len(world.city.at(node.chain.epoch).validators)
        return [message] if world.city.index_of(to, node.chain.epoch) == chosen else []
