"""What must hold after every effect of every honest node, whatever happens.

The checks restate the rules on their own records and call no production rule.
"""

from collections.abc import Container
from typing import TYPE_CHECKING

from harness.consensus.keys import City
from harness.consensus.store import GENESIS
from harness.simulator.level import Violation as Violation
from moyai.consensus.effects import Broadcast, Effect, EvidenceFound, Finalized, Halt, Persist, Send
from moyai.consensus.messages import (
    CertificateMessage,
    ConsensusMessage,
    Proposal,
    VoteMessage,
)
from moyai.consensus.records import VoteRecord
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import NetworkKey
from moyai.primitives.vote import Vote, VoteKind

if TYPE_CHECKING:
    from harness.consensus.shell import Node
    from moyai.primitives.ids import Digest


class Invariants:
    """A judge who sees everything and forgets nothing."""

    def __init__(self, city: City, traitors: Container[NetworkKey]) -> None:
        self._city = city
        self._traitors = traitors
        self.final: dict[int, Digest] = {0: header_digest(GENESIS)}
        self.notarized: dict[tuple[int, int], Digest] = {}
        self.nullified: set[tuple[int, int]] = set()
        self.finalized: dict[tuple[int, int], Digest] = {}
        self._signed: dict[tuple[NetworkKey, int, int, VoteKind], Digest] = {}

    def check(self, node: "Node", effect: Effect) -> None:
        match effect:
            case Persist():
                for record in effect.records:
                    if isinstance(record, VoteRecord):
                        self._signs(node, record.vote)
            case Broadcast() | Send():
                self._says(node, effect.message)
            case Finalized():
                self._are_final(effect)
            case EvidenceFound():
                vote = effect.evidence.first
                signer = self._city.at(vote.epoch).network_keys[vote.signer]
                if signer not in self._traitors:
                    raise Violation("evidence names an honest key")
            case Halt():
                raise Violation(f"an honest node stopped: {effect.reason}")
            case _:
                pass

    def _are_final(self, effect: Finalized) -> None:
        for header in effect.headers:
            self._is_final(header)
        if effect.headers[-1].epoch_end is None and effect.fillers:
            raise Violation("fillers above a block that ends no epoch")

    def _signs(self, node: "Node", vote: Vote) -> None:
        key = (node.key, vote.epoch, vote.view, vote.kind)
        known = self._signed.setdefault(key, vote.digest)
        if known != vote.digest:
            raise Violation(f"two votes of one kind in view {vote.view}")
        both = (VoteKind.NULLIFY, VoteKind.FINALIZE)
        if all((node.key, vote.epoch, vote.view, kind) in self._signed for kind in both):
            raise Violation(f"nullify and finalize in view {vote.view}")

    def _says(self, node: "Node", message: ConsensusMessage) -> None:
        match message:
            case VoteMessage():
                self._would_remember(node, message.vote)
            case Proposal():
                self._would_remember(node, message.vote)
                if header_digest(message.header) not in node.journal.blocks:
                    raise Violation("a proposal whose body a crash would lose")
            case CertificateMessage():
                self._certified(message.certificate)
            case _:
                pass

    def _would_remember(self, node: "Node", vote: Vote) -> None:
        if vote.signer != node.index:
            return
        record = node.journal.votes.get((vote.epoch, vote.view, vote.kind))
        if record is None or record.vote != vote:
            raise Violation(f"a {vote.kind.name} on the wire that a crash would lose")

    def _certified(self, certificate: Certificate) -> None:
        view, known = (certificate.epoch, certificate.view), certificate.digest
        match certificate.kind:
            case VoteKind.NOTARIZE:
                known = self.notarized.setdefault(view, certificate.digest)
            case VoteKind.NULLIFY:
                self.nullified.add(view)
            case VoteKind.FINALIZE:
                known = self.finalized.setdefault(view, certificate.digest)
        if known != certificate.digest:
            raise Violation(f"two certificates of one kind in view {view}")
        if view in self.nullified and view in self.finalized:
            raise Violation(f"view {view} is finalized and nullified")

    def _is_final(self, header: Header) -> None:
        digest = header_digest(header)
        if self.final.setdefault(header.height, digest) != digest:
            raise Violation(f"two final blocks at height {header.height}")
        if self.final.get(header.height - 1) != header.parent:
            raise Violation(f"the parent of height {header.height} is not final")
        for view in range(header.parent_view + 1, header.view):
            if (header.epoch, view) not in self.nullified:
                raise Violation(f"view {view} was skipped and not nullified")
