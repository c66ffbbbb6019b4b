"""Shows its proposals, blocks and transactions to a bare quorum, and never answers the rest."""

from harness.consensus.shell import Node, Transactions, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import BlockMessage, Proposal
from moyai.primitives.ids import NetworkKey


class Withholder:
    """The validators above the quorum, counted from its own place, get nothing."""

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        validators = world.city.at(node.chain.epoch).validators
        place = world.city.index_of(to, node.chain.epoch)
        assert node.index is not None
        if place is None or (place - node.index) % len(validators) < validators.quorum:
            return [message]
        return [] if isinstance(message, Proposal | BlockMessage | Transactions) else [message]
