"""Speaks in the names of others: votes in their slots, proposals in their turns, their words."""

import msgspec

from harness.consensus.byzantine import proposal
from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import Evidence, Proposal, VoteMessage
from moyai.primitives.ids import NetworkKey, ValidatorIndex, View


class Impersonator:
    """The victim of each message is the next validator; true votes of others are passed on too."""

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        if not isinstance(message, VoteMessage | Proposal):
            return [message]
        vote = message.vote
        victim = ValidatorIndex((vote.signer + 1) % len(world.city.at(node.chain.epoch).validators))
        forged = msgspec.structs.replace(vote, signer=victim)
        said: list[WireMessage] = [VoteMessage(forged), Evidence(vote, forged)]
        if isinstance(message, Proposal):
            turn = View(message.header.view + 1)
            header = msgspec.structs.replace(message.header, view=turn, proposer=victim)
            stolen = proposal(world, node, header, message.transaction_ids)
            said += [stolen, msgspec.structs.replace(stolen, vote=forged)]
        overheard = world.nodes[victim].journal.votes.values()
        said += [VoteMessage(record.vote) for record in list(overheard)[:2]]
        return [*said, message]
