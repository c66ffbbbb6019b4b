"""What consensus must not forget: the closed union of journal records, and what a restart reads
back.
"""

from typing import TypeAlias

import msgspec

from moyai.consensus.messages import Evidence, Proposal
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Epoch, TransactionId, View
from moyai.primitives.merkle import Frontier
from moyai.primitives.vote import Vote


class VoteRecord(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """An own vote: the flag that a restart must find."""

    vote: Vote


class CertificateRecord(msgspec.Struct, array_like=True, frozen=True, tag=2):
    """A certificate above the floor. A `lazy` one may be lost by a crash, others are part of their
    commit.
    """

    certificate: Certificate
    lazy: bool


class BlockRecord(msgspec.Struct, array_like=True, frozen=True, tag=3):
    """A block whose body is held; the shell writes the transactions' bytes beside it in the same
    commit.
    """

    header: Header
    transaction_ids: tuple[TransactionId, ...]


class ProposalRecord(msgspec.Struct, array_like=True, frozen=True, tag=4):
    """The own proposal of a view, sent again after a restart."""

    proposal: Proposal


class FloorRecord(msgspec.Struct, array_like=True, frozen=True, tag=5):
    """A new last final block: its finalization, and the headers from it down to the previous final
    block.

    `headers` is newest first and leaves the previous final block out; `frontier` is the log of the
    newest header's ancestors.
    """

    certificate: Certificate
    headers: tuple[Header, ...]
    frontier: Frontier


class EvidenceRecord(msgspec.Struct, array_like=True, frozen=True, tag=6):
    """Proof that a validator broke the protocol."""

    evidence: Evidence


class AbstainRecord(msgspec.Struct, array_like=True, frozen=True, tag=7):
    """Whether this node abstains, and the view above which it may vote again."""

    epoch: Epoch
    abstaining: bool
    vote_above_view: View


JournalRecord: TypeAlias = (
    VoteRecord
    | CertificateRecord
    | BlockRecord
    | ProposalRecord
    | FloorRecord
    | EvidenceRecord
    | AbstainRecord
)


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal holds at start, above the floor unless said otherwise.

    `floor` is none before the first final block; `abstain` none when it was never written. `unused`
    says that the journal was created together with its key and has not voted. `blocks` are all that
    the journal holds, those below the floor too: the chain store may lack them.
    """

    unused: bool
    floor: FloorRecord | None
    abstain: AbstainRecord | None
    votes: tuple[Vote, ...]
    certificates: tuple[Certificate, ...]
    blocks: tuple[BlockRecord, ...]
    proposals: tuple[Proposal, ...]
    evidence: tuple[Evidence, ...]
