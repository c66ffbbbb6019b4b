"""Proposes one block to half of the city and another to the rest, and votes for both."""

import msgspec

from harness.consensus.byzantine import proposal, signed
from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import Proposal, VoteMessage
from moyai.primitives.ids import NetworkKey, TimeMs
from moyai.primitives.vote import VoteKind


class Equivocator:
    """The second half of the keys gets the other block."""

    def __init__(self) -> None:
        self._others: dict[int, Proposal] = {}

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        second = world.city.index_of(to, node.chain.epoch)
        other_half = second is not None and second % 2 == 1
        match message:
            case Proposal() if other_half:
                header = msgspec.structs.replace(
                    message.header, time_ms=TimeMs(message.header.time_ms + 1)
                )
                other = proposal(world, node, header, message.transaction_ids)
                self._others[header.view] = other
                return [other]
            case VoteMessage(vote=vote) if vote.kind is VoteKind.FINALIZE:
                twin = self._others.get(vote.view)
                if twin is not None and other_half:
                    digest = twin.vote.digest
                    return [signed(world, node, VoteKind.FINALIZE, vote.view, digest), message]
                return [message]
            case _:
                return [message]
