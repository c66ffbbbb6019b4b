"""A node's disk in the simulator: a journal that can lose lazy records, a chain store that lags
behind.

Not here: LMDB (`storage`).
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import NamedTuple

from harness.consensus.keys import CHAIN_ID, City
from moyai.consensus.config import ExecutedBlock, FinalTip
from moyai.consensus.records import (
    AbstainRecord,
    BlockRecord,
    CertificateRecord,
    EvidenceRecord,
    FloorRecord,
    JournalRecord,
    ProposalRecord,
    Recovered,
    VoteRecord,
)
from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import (
    ZERO_DIGEST,
    Digest,
    Epoch,
    Height,
    TimeMs,
    TransactionId,
    ValidatorIndex,
    View,
)
from moyai.primitives.merkle import EMPTY_ROOT, Frontier

GENESIS = Header(
    chain_id=CHAIN_ID,
    epoch=Epoch(0),
    view=View(0),
    height=Height(0),
    parent=ZERO_DIGEST,
    parent_view=View(0),
    time_ms=TimeMs(1_000_000),
    proposer=ValidatorIndex(0),
    tx_root=EMPTY_ROOT,
    tx_count=0,
    tx_bytes=0,
    executed=Executed(Height(0), EMPTY_ROOT, EMPTY_ROOT),
    epoch_end=None,
    filler_of=None,
    log_root=EMPTY_ROOT,
)


def execute(before: Executed, header: Header, ids: tuple[TransactionId, ...]) -> Executed:
    """The reference ledger: a hash chain over all transactions in order."""
    end = header.epoch_end or b""
    root = Digest(sha256(before.state_root + b"".join(ids) + end).digest())
    return Executed(header.height, root, root)


class Journal:
    """Records as a journal keeps them: what is synced stays, what is lazy is lost by a crash."""

    def __init__(self) -> None:
        self.floor: FloorRecord | None = None
        self.abstain: AbstainRecord | None = None
        self.votes: dict[tuple[int, int, int], VoteRecord] = {}
        self.certificates: dict[tuple[int, int, int], CertificateRecord] = {}
        self.blocks: dict[Digest, BlockRecord] = {}
        self.proposals: dict[tuple[int, int], ProposalRecord] = {}
        self.evidence: list[EvidenceRecord] = []
        self.unused = True

    def commit(self, records: tuple[JournalRecord, ...]) -> None:
        for record in records:
            match record:
                case VoteRecord():
                    vote = record.vote
                    self.votes[vote.epoch, vote.view, vote.kind] = record
                    self.unused = False
                case CertificateRecord():
                    certificate = record.certificate
                    key = (certificate.epoch, certificate.view, certificate.kind)
                    known = self.certificates.get(key)
                    if known is None or known.lazy:
                        self.certificates[key] = record
                case BlockRecord():
                    self.blocks[header_digest(record.header)] = record
                case ProposalRecord():
                    header = record.proposal.header
                    self.proposals[header.epoch, header.view] = record
                case FloorRecord():
                    self.floor = record
                case EvidenceRecord():
                    self.evidence.append(record)
                case AbstainRecord():
                    self.abstain = record

    def prune(self, durable_height: Height) -> None:
        """Drop what lies below the floor, blocks once the chain store has them for good."""
        if self.floor is None:
            return
        floor = (self.floor.certificate.epoch, self.floor.certificate.view)
        self._forget(floor)
        height = min(durable_height, self.floor.headers[0].height)
        self.blocks = {
            digest: record
            for digest, record in self.blocks.items()
            if record.header.height > height
        }

    def begin_epoch(self, epoch: int) -> None:
        """Drop all that belongs to the epochs before, whose blocks the chain store has."""
        self._forget((epoch, 0))
        self.blocks = {
            digest: record for digest, record in self.blocks.items() if record.header.epoch >= epoch
        }

    def _forget(self, floor: tuple[int, int]) -> None:
        self.votes = {key: each for key, each in self.votes.items() if key[:2] > floor}
        self.certificates = {k: each for k, each in self.certificates.items() if k[:2] > floor}
        self.proposals = {key: each for key, each in self.proposals.items() if key > floor}

    def crash(self, keep: Callable[[], bool]) -> None:
        """Lose every lazy record, but those that happened to be written."""
        self.certificates = {
            key: each for key, each in self.certificates.items() if not each.lazy or keep()
        }

    def copy(self) -> "Journal":
        """Return a copy that knows that it is one: who goes on from it abstains (R12)."""
        copied = Journal()
        copied.floor, copied.unused = self.floor, False
        copied.votes, copied.certificates = dict(self.votes), dict(self.certificates)
        copied.blocks, copied.proposals = dict(self.blocks), dict(self.proposals)
        copied.evidence = list(self.evidence)
        epoch = self.floor.certificate.epoch if self.floor is not None else Epoch(0)
        copied.abstain = AbstainRecord(epoch, abstaining=True, vote_above_view=View(0))
        return copied

    def recovered(self) -> Recovered:
        return Recovered(
            unused=self.unused,
            floor=self.floor,
            abstain=self.abstain,
            votes=tuple(record.vote for record in self.votes.values()),
            certificates=tuple(record.certificate for record in self.certificates.values()),
            blocks=tuple(self.blocks.values()),
            proposals=tuple(record.proposal for record in self.proposals.values()),
            evidence=tuple(record.evidence for record in self.evidence),
        )


class Proof(NamedTuple):
    """How a block became final: by a later one, by its own certificate, or by that of a filler."""

    certificate: Certificate | None = None
    fillers: tuple[Header, ...] = ()


class StoredBlock:
    """A final block with its ids, the roots after it, and its certificate if it has one."""

    def __init__(
        self,
        header: Header,
        ids: tuple[TransactionId, ...],
        executed: Executed,
        pending: Digest | None,
        proof: Proof,
    ) -> None:
        self.header = header
        self.digest = header_digest(header)
        self.ids = ids
        self.executed = executed
        self.pending = pending
        self.proof = proof

    @property
    def certified(self) -> tuple[Digest, ...]:
        """Return the digests by whose finalization this block is final at once."""
        return (self.digest, *(header_digest(filler) for filler in self.proof.fillers))

    def fillers_to(self, digest: Digest) -> tuple[Header, ...]:
        """Return the fillers up to the one with this digest; none when it is the block's own."""
        return (
            self.proof.fillers[: self.certified.index(digest)] if digest in self.certified else ()
        )

    @property
    def certificate(self) -> Certificate | None:
        """Return the certificate of this very block."""
        return None if self.proof.fillers else self.proof.certificate


class Chain:
    """Final blocks in order; a crash loses those above `durable_height`.

    A transaction of `changes` decides who votes in the next epoch.
    """

    def __init__(self, city: City, changes: Mapping[TransactionId, tuple[int, ...]]) -> None:
        self._city = city
        self._changes = changes
        self.blocks = [StoredBlock(GENESIS, (), GENESIS.executed, None, Proof())]
        self.durable_height = Height(0)
        self.final_ids: dict[TransactionId, Height] = {}

    @property
    def tip(self) -> StoredBlock:
        return self.blocks[-1]

    def append(self, header: Header, ids: tuple[TransactionId, ...], proof: Proof) -> StoredBlock:
        assert header.parent == self.tip.digest
        executed = execute(self.tip.executed, header, ids)
        pending = self._pending_after(header, ids)
        stored = StoredBlock(header, ids, executed, pending, proof)
        self.blocks.append(stored)
        for each in ids:
            assert each not in self.final_ids, "a transaction became final twice"
            self.final_ids[each] = header.height
        return stored

    def _pending_after(self, header: Header, ids: tuple[TransactionId, ...]) -> Digest | None:
        """A change under way shuts out another until its epoch has ended."""
        pending = self.tip.pending
        for each in ids:
            if pending is None and each in self._changes:
                pending = self._city.plan(header.epoch + 1, self._changes[each])
        return None if header.epoch_end is not None else pending

    @property
    def epoch(self) -> int:
        """Return the epoch of the next block."""
        header = self.tip.header
        return header.epoch + (header.epoch_end is not None)

    def end_of(self, epoch: int) -> StoredBlock | None:
        """Return the block that ended an epoch."""
        for block in self.blocks:
            if block.header.epoch == epoch and block.header.epoch_end is not None:
                return block
        return None

    def sync(self) -> None:
        self.durable_height = self.tip.header.height

    def copy(self) -> "Chain":
        copied = Chain(self._city, self._changes)
        copied.blocks, copied.final_ids = list(self.blocks), dict(self.final_ids)
        copied.sync()
        return copied

    def crash(self, keep: Callable[[], bool]) -> None:
        if keep():
            self.sync()
        lost = self.blocks[self.durable_height + 1 :]
        del self.blocks[self.durable_height + 1 :]
        for block in lost:
            for each in block.ids:
                del self.final_ids[each]

    def final_tip(self) -> FinalTip:
        frontier = Frontier()
        for block in self.blocks[:-1]:
            frontier = frontier.append(block.digest)
        first = min(self.tip.header.executed.height + 1, self.tip.header.height)
        recent = tuple(
            ExecutedBlock(block.header, block.executed, block.pending)
            for block in self.blocks[first:]
        )
        return FinalTip(self.tip.certificate, frontier, recent)
