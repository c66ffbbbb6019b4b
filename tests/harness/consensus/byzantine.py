"""What the traitors of the simulator share: real keys of the city, used for anything.

Not here: the behaviours, one file each in tests/byzantine.
"""

from harness.consensus.shell import Node
from harness.consensus.world import World
from moyai.consensus.messages import Proposal, VoteMessage
from moyai.primitives.block import Header, header_digest
from moyai.primitives.ids import ZERO_DIGEST, Digest, Epoch, TransactionId, View
from moyai.primitives.vote import Vote, VoteKind


def signed(world: World, node: Node, kind: VoteKind, view: View, digest: Digest) -> VoteMessage:
    """Return a vote under the traitor's key."""
    assert node.index is not None
    epoch = Epoch(node.chain.epoch)
    return VoteMessage(world.city.vote(Vote(epoch, view, kind, digest, node.index, b"")))


def nullify(world: World, node: Node, view: View) -> VoteMessage:
    return signed(world, node, VoteKind.NULLIFY, view, ZERO_DIGEST)


def proposal(world: World, node: Node, header: Header, ids: tuple[TransactionId, ...]) -> Proposal:
    """Return a proposal of `header` under the traitor's key."""
    vote = signed(world, node, VoteKind.NOTARIZE, header.view, header_digest(header)).vote
    return Proposal(header, vote, ids)
