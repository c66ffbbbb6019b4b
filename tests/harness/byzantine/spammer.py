"""Floods with far votes, forged certificates, unwanted blocks and false evidence."""

import msgspec

from harness.consensus.byzantine import nullify, signed
from harness.consensus.shell import Node, WireMessage
from harness.consensus.store import GENESIS
from harness.consensus.world import World
from moyai.consensus.messages import (
    BlockMessage,
    BlockRequest,
    CertificateMessage,
    CertificateRequest,
    Evidence,
    VoteMessage,
)
from moyai.primitives.ids import Digest, NetworkKey, ValidatorIndex, View
from moyai.primitives.vote import VoteKind


class Spammer:
    """Adds rubbish to every vote it sends."""

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        if not isinstance(message, VoteMessage | CertificateMessage):
            return [message]
        rubbish: list[WireMessage] = [BlockRequest(Digest(b"\x01" * 32)), BlockMessage(GENESIS, ())]
        if isinstance(message, VoteMessage):
            vote = message.vote
            far = View(vote.view + 1_000_000)
            other = signed(world, node, VoteKind.NOTARIZE, vote.view, Digest(b"\x02" * 32))
            count = len(world.city.at(node.chain.epoch).validators)
            victim = ValidatorIndex((vote.signer + 1) % count)
            forged = msgspec.structs.replace(vote, signer=victim)
            rubbish += [nullify(world, node, far), other, VoteMessage(forged)]
            rubbish += [Evidence(forged, other.vote), Evidence(vote, vote)]
            rubbish.append(CertificateRequest(vote.epoch, View(0), far))
        else:
            certificate = message.certificate
            forged_certificate = msgspec.structs.replace(
                certificate, view=View(certificate.view + 3)
            )
            rubbish.append(CertificateMessage(forged_certificate))
        return [*rubbish, message]
