"""Everything the machine asks for: the closed union of effects, and the caller's duties.

Effects are performed in the order given. A `Persist` must be durable before anything after it is
performed; the records of one turn may share one commit, in order, as long as no message of that
turn leaves before the commit. A commit that raises stops the node. Answers come back as inputs, in
any order and at any time, also never.
"""

from typing import TypeAlias

import msgspec

from moyai.consensus.inputs import Timer
from moyai.consensus.messages import ConsensusMessage, Evidence
from moyai.consensus.records import JournalRecord
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, Epoch, NetworkKey, TimeMs, TransactionId, View
from moyai.primitives.vote import Vote


class Persist(msgspec.Struct, frozen=True):
    """Make the records durable in one commit."""

    records: tuple[JournalRecord, ...]


class Broadcast(msgspec.Struct, frozen=True):
    """Send to every linked peer, validators and full nodes."""

    message: ConsensusMessage


class Send(msgspec.Struct, frozen=True):
    """Send to one peer; nothing happens when there is no link."""

    to: NetworkKey
    message: ConsensusMessage


class SetTimer(msgspec.Struct, frozen=True):
    """Give `TimerFired` after `delay_ms`; replaces the timer of the same name."""

    timer: Timer
    delay_ms: int


class ClearTimer(msgspec.Struct, frozen=True):
    """Forget the timer of this name."""

    timer: Timer


class VerifyVote(msgspec.Struct, frozen=True):
    """Check the signature, answer with `VoteVerified`."""

    vote: Vote
    sender: NetworkKey


class VerifyCertificate(msgspec.Struct, frozen=True):
    """Check the whole certificate against the epoch's set, answer with `CertificateVerified`."""

    certificate: Certificate
    sender: NetworkKey


class VerifyEvidence(msgspec.Struct, frozen=True):
    """Check both signatures, answer with `EvidenceVerified`."""

    evidence: Evidence
    sender: NetworkKey


class BuildBlock(msgspec.Struct, frozen=True):
    """Choose transactions for a block on `parent`, answer with `BlockBuilt` at once.

    `ancestors` are the blocks with transactions from the parent down to the last final one, which
    is left out; what they hold must not be chosen again.
    """

    view: View
    parent: Digest
    ancestors: tuple[Digest, ...]
    time_ms: TimeMs


class CheckBlock(msgspec.Struct, frozen=True):
    """Get the transactions of a proposed block, check the body, answer with `BlockChecked`.

    What is missing is asked from `sources` in order. The ids already match tx_root and tx_count.
    The body is valid when it matches tx_bytes, keeps the block limits, repeats nothing of itself,
    of `ancestors` or of the final chain, and every transaction is admissible at the header's time.
    What cannot be known yet is waited for. Never asked for a block without transactions.
    """

    digest: Digest
    header: Header
    transaction_ids: tuple[TransactionId, ...]
    ancestors: tuple[Digest, ...]
    sources: tuple[NetworkKey, ...]


class DropBlock(msgspec.Struct, frozen=True):
    """A block that can never become final: its transactions go back to the mempool."""

    digest: Digest


class Finalized(msgspec.Struct, frozen=True):
    """These blocks are final, oldest first, the last by `certificate`: execute and store them in
    order.

    `fillers` lead from a last one that ends the epoch to the block that the certificate names,
    oldest first; they are no blocks of the chain and are stored with it as its proof.
    """

    headers: tuple[Header, ...]
    certificate: Certificate
    fillers: tuple[Header, ...] = ()


class EpochEnded(msgspec.Struct, frozen=True):
    """The epoch is over and so is this machine: the last thing it ever asks for.

    `headers` lead from the block that `certificate` finalizes down to the one that ends the epoch.
    Once that is executed and on disk, make the machine of the next epoch, whose validators have the
    digest `next_set`.
    """

    certificate: Certificate
    headers: tuple[Header, ...]
    next_set: Digest


class ProveEpochEnd(msgspec.Struct, frozen=True):
    """Send `to` the finalization that ended `epoch`, which is over here and goes on there."""

    to: NetworkKey
    epoch: Epoch


class CatchUp(msgspec.Struct, frozen=True):
    """A verified finalization lies beyond what is here: fetch up to it, answer with `Synced`."""

    certificate: Certificate
    sources: tuple[NetworkKey, ...]


class ShareTransactions(msgspec.Struct, frozen=True):
    """Send the transactions held and not yet ordered, one batch at most, to `to` or all
    validators.
    """

    to: NetworkKey | None


class EvidenceFound(msgspec.Struct, frozen=True):
    """A validator broke the protocol; already persisted."""

    evidence: Evidence


class Misbehaved(msgspec.Struct, frozen=True):
    """A peer sent what no correct peer sends; score it."""

    peer: NetworkKey
    reason: str


class Count(msgspec.Struct, frozen=True):
    """Something an operator wants to see the number of: a drop, a view change, and why."""

    counter: str
    reason: str


class Halt(msgspec.Struct, frozen=True):
    """Safety is broken or this node disagrees with a finalized root: stop, say why, keep both
    sides.
    """

    reason: str
    certificates: tuple[Certificate, ...]


Effect: TypeAlias = (
    Persist
    | Broadcast
    | Send
    | SetTimer
    | ClearTimer
    | VerifyVote
    | VerifyCertificate
    | VerifyEvidence
    | BuildBlock
    | CheckBlock
    | DropBlock
    | Finalized
    | EpochEnded
    | ProveEpochEnd
    | CatchUp
    | ShareTransactions
    | EvidenceFound
    | Misbehaved
    | Count
    | Halt
)
