"""Proposes blocks that claim another state than their transactions lead to."""

import msgspec

from harness.consensus.byzantine import proposal
from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import Proposal
from moyai.primitives.block import Executed
from moyai.primitives.ids import Digest, NetworkKey


class WrongRoot:
    """Every proposal of a new root is wrong."""

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        if not isinstance(message, Proposal) or not message.header.executed.height:
            return [message]
        wrong = Executed(message.header.executed.height, Digest(b"\x66" * 32), Digest(b"\x66" * 32))
        header = msgspec.structs.replace(message.header, executed=wrong)
        return [proposal(world, node, header, message.transaction_ids)]
