"""Answers with votes and certificates of an epoch that is not this one, signed by its own key."""

import msgspec

from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import CertificateMessage, Status, VoteMessage
from moyai.primitives.ids import Epoch, NetworkKey


class StaleVoter:
    """Each message comes a second time with another epoch."""

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        stale: WireMessage
        match message:
            case VoteMessage(vote=vote):
                stale = VoteMessage(world.city.vote(msgspec.structs.replace(vote, epoch=Epoch(7))))
            case CertificateMessage(certificate=certificate):
                stale = CertificateMessage(msgspec.structs.replace(certificate, epoch=Epoch(7)))
            case Status():
                stale = msgspec.structs.replace(message, epoch=Epoch(7))
            case _:
                return [message]
        return [stale, message]
