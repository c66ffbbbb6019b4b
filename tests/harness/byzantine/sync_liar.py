"""Says that it is far ahead, and answers who asks with blocks and certificates of other things."""

import msgspec

from harness.consensus.shell import Node, Transactions, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import (
    BlockMessage,
    BlockRequest,
    CertificateMessage,
    CertificateRequest,
    Status,
)
from moyai.primitives.ids import Height, NetworkKey, View

FAR = 1_000


class SyncLiar:
    """Claims what it cannot serve, serves what is not so, and asks for all of it itself."""

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        match message:
            case Status():
                far = View(message.view + FAR)
                claim = msgspec.structs.replace(
                    message,
                    view=far,
                    final_view=far,
                    final_height=Height(message.final_height + FAR),
                    certified_view=far,
                )
                everything = CertificateRequest(message.epoch, View(1), far)
                return [claim, everything, BlockRequest(node.chain.tip.digest)]
            case BlockMessage(header=header, transaction_ids=ids):
                height = Height(header.height + 1)
                other = msgspec.structs.replace(header, height=height)
                return [BlockMessage(other, ids), BlockMessage(header, ids[1:])]
            case CertificateMessage(certificate=certificate):
                view = View(certificate.view + FAR)
                return [CertificateMessage(msgspec.structs.replace(certificate, view=view))]
            case Transactions(ids=ids):
                return [Transactions(ids[1:])]
            case _:
                return [message]
