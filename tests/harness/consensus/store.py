"""A node's disk in the simulator: a journal that can lose lazy records, a chain store that lags
behind.

Not here: LMDB (`storage`).
"""

from hashlib import sha256

from harness.consensus.keys import CHAIN_ID
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
    root = Digest(sha256(before.state_root + b"".join(ids)).digest())
    return Executed(header.height, root, root)


class Journal:
    """Records as a journal keeps them: what is synced stays, what is lazy is lost by a crash."""

    def __init__(self) -> None:
        self.floor: FloorRecord | None = None
        self.abstain: AbstainRecord | None = None
        self.votes: dict[tuple[int, int], VoteRecord] = {}
        self.certificates: dict[tuple[int, int], CertificateRecord] = {}
        self.blocks: dict[Digest, BlockRecord] = {}
        self.proposals: dict[View, ProposalRecord] = {}
        self.evidence: list[EvidenceRecord] = []
        self.unused = True

    def commit(self, records: tuple[JournalRecord, ...]) -> None:
        for record in records:
            match record:
                case VoteRecord():
                    self.votes[record.vote.view, record.vote.kind] = record
                    self.unused = False
                case CertificateRecord():
                    key = (record.certificate.view, record.certificate.kind)
                    known = self.certificates.get(key)
                    if known is None or known.lazy:
                        self.certificates[key] = record
                case BlockRecord():
                    self.blocks[header_digest(record.header)] = record
                case ProposalRecord():
                    self.proposals[record.proposal.header.view] = record
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
        view = self.floor.certificate.view
        self.votes = {key: record for key, record in self.votes.items() if key[0] > view}
        self.certificates = {k: record for k, record in self.certificates.items() if k[0] > view}
        self.proposals = {key: each for key, each in self.proposals.items() if key > view}
        height = min(durable_height, self.floor.headers[0].height)
        self.blocks = {
            digest: record
            for digest, record in self.blocks.items()
            if record.header.height > height
        }

    def crash(self) -> None:
        """Lose every lazy record."""
        self.certificates = {key: each for key, each in self.certificates.items() if not each.lazy}

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


class StoredBlock:
    """A final block with its ids, the roots after it, and its certificate if it has one."""

    def __init__(
        self,
        header: Header,
        ids: tuple[TransactionId, ...],
        executed: Executed,
        certificate: Certificate | None,
    ) -> None:
        self.header = header
        self.digest = header_digest(header)
        self.ids = ids
        self.executed = executed
        self.certificate = certificate


class Chain:
    """Final blocks in order; a crash loses those above `durable_height`."""

    def __init__(self) -> None:
        self.blocks = [StoredBlock(GENESIS, (), GENESIS.executed, None)]
        self.durable_height = Height(0)
        self.final_ids: dict[TransactionId, Height] = {}

    @property
    def tip(self) -> StoredBlock:
        return self.blocks[-1]

    def append(
        self, header: Header, ids: tuple[TransactionId, ...], certificate: Certificate | None
    ) -> StoredBlock:
        assert header.parent == self.tip.digest
        stored = StoredBlock(header, ids, execute(self.tip.executed, header, ids), certificate)
        self.blocks.append(stored)
        for each in ids:
            assert each not in self.final_ids, "a transaction became final twice"
            self.final_ids[each] = header.height
        return stored

    def sync(self) -> None:
        self.durable_height = self.tip.header.height

    def crash(self) -> None:
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
        recent = tuple(ExecutedBlock(block.header, block.executed) for block in self.blocks[first:])
        return FinalTip(self.tip.certificate, frontier, recent)
