"""Builds beside the last final block instead of on it, and votes for what nobody else votes for."""

import msgspec

from harness.consensus.byzantine import proposal, signed
from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import Proposal, VoteMessage
from moyai.primitives.block import Header
from moyai.primitives.ids import Digest, NetworkKey
from moyai.primitives.merkle import Frontier
from moyai.primitives.vote import VoteKind


class Conflicter:
    """Each proposal is a sibling of a final block; each vote comes with one for another block."""

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        match message:
            case Proposal() if len(node.chain.blocks) > 1:
                header = sibling(node, message.header)
                return [proposal(world, node, header, message.transaction_ids)]
            case VoteMessage(vote=vote) if vote.kind is not VoteKind.NULLIFY:
                other = Digest(bytes(byte ^ 1 for byte in vote.digest))
                return [message, signed(world, node, vote.kind, vote.view, other)]
            case _:
                return [message]


def sibling(node: Node, header: Header) -> Header:
    """Return a well-formed header at the height of this node's last final block."""
    *before, parent, final = node.chain.blocks
    frontier = Frontier()
    for block in (*before, parent):
        frontier = frontier.append(block.digest)
    return msgspec.structs.replace(
        header,
        height=final.header.height,
        parent=parent.digest,
        parent_view=parent.header.view,
        executed=parent.header.executed,
        log_root=frontier.root,
    )
