"""One message of every type, with fixed contents: the source of the pinned wire vectors."""

from moyai.consensus.messages import (
    BlockMessage,
    BlockRequest,
    CertificateMessage,
    CertificateRequest,
    Evidence,
    Proposal,
    Status,
    VoteMessage,
)
from moyai.p2p.messages import (
    BelowBase,
    BodiesAnswer,
    BodiesRequest,
    HeadersAnswer,
    HeadersRequest,
    TargetAnswer,
    TargetRequest,
    TransactionAnswer,
    TransactionBatch,
    TransactionRequest,
    WireMessage,
)
from moyai.p2p.snapshot_messages import (
    EpochEndAnswer,
    EpochEndRequest,
    RecentAnswer,
    RecentBlock,
    RecentRequest,
    SnapshotAnswer,
    SnapshotOffer,
    SnapshotPartAnswer,
    SnapshotPartRequest,
    SnapshotRequest,
)
from moyai.primitives.block import Executed, Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.epoch_end import EpochEnd
from moyai.primitives.ids import (
    ZERO_DIGEST,
    Digest,
    Epoch,
    Height,
    PublicKey,
    TimeMs,
    TransactionId,
    ValidatorIndex,
    View,
)
from moyai.primitives.merkle import EMPTY_ROOT
from moyai.primitives.state_snapshot import SnapshotDescription, SnapshotLeaf
from moyai.primitives.vote import Vote, VoteKind


def digest(number: int) -> Digest:
    return Digest(bytes([number]) * 32)


def vote(view: int = 300, kind: VoteKind = VoteKind.NOTARIZE, signer: int = 2) -> Vote:
    subject = ZERO_DIGEST if kind is VoteKind.NULLIFY else digest(1)
    return Vote(Epoch(0), View(view), kind, subject, ValidatorIndex(signer), b"\xa5" * 64)


def header(height: int = 70_000) -> Header:
    return Header(
        chain_id="test-city",
        epoch=Epoch(0),
        view=View(70_003),
        height=Height(height),
        parent=digest(2),
        parent_view=View(70_001),
        time_ms=TimeMs(1_800_000_000_000),
        proposer=ValidatorIndex(1),
        tx_root=EMPTY_ROOT,
        tx_count=0,
        tx_bytes=0,
        executed=Executed(Height(height - 1), digest(3), digest(4)),
        epoch_end=None,
        filler_of=None,
        log_root=digest(5),
    )


IDS = (TransactionId(bytes(digest(6))), TransactionId(bytes(digest(7))))
CERTIFICATE = Certificate(
    Epoch(0), View(300), VoteKind.FINALIZE, digest(1), b"\x0b", (b"\xa5" * 64,) * 3
)
DESCRIPTION = SnapshotDescription(
    header=header(70_000),
    attesting=header(70_001),
    path=(digest(8),),
    log_frontier=(digest(9), digest(10)),
    receipts_frontier=(digest(11), digest(12)),
    depth=1,
    parts=b"\x02" + digest(13) + b"\x00" + bytes(32),
)
LEAVES = (
    SnapshotLeaf(b"held", b"value", 12, 1, Digest(bytes(32))),
    SnapshotLeaf(b"deleted", None, 69_000, 3, digest(14)),
)
RAW = (b"\x92first", b"\x92second")

EXAMPLES: dict[str, WireMessage] = {
    "vote": VoteMessage(vote()),
    "vote_to_nullify": VoteMessage(vote(kind=VoteKind.NULLIFY)),
    "certificate": CertificateMessage(CERTIFICATE),
    "proposal": Proposal(header(), vote(), IDS),
    "status": Status(
        Epoch(0),
        View(300),
        View(297),
        Height(250),
        View(299),
        View(300),
        abstaining=False,
        vote_of_yours=vote(),
    ),
    "certificate_request": CertificateRequest(Epoch(0), View(290), View(299)),
    "block_request": BlockRequest(digest(1)),
    "block": BlockMessage(header(), IDS),
    "evidence": Evidence(vote(), vote(kind=VoteKind.FINALIZE)),
    "transaction_batch": TransactionBatch(RAW),
    "transaction_request": TransactionRequest(IDS),
    "transaction_answer": TransactionAnswer(RAW),
    "target_request": TargetRequest(digest(1)),
    "target_answer": TargetAnswer(digest(1), (header(),)),
    "headers_request": HeadersRequest(Height(70_000), Height(1), 256),
    "headers_answer": HeadersAnswer(
        Height(70_000), Height(1), (header(1),), (digest(8), digest(9))
    ),
    "bodies_request": BodiesRequest(Height(1), 0, 200),
    "bodies_answer": BodiesAnswer(Height(1), 0, (RAW, (), RAW)),
    "epoch_end_request": EpochEndRequest(Epoch(3)),
    "epoch_end_answer": EpochEndAnswer(
        Epoch(3), EpochEnd(header(), (header(70_001),), CERTIFICATE, (PublicKey(digest(15)),))
    ),
    "snapshot_request": SnapshotRequest(None),
    "snapshot_answer": SnapshotAnswer(
        None, SnapshotOffer(DESCRIPTION, CERTIFICATE, (header(70_002),), (digest(16),))
    ),
    "snapshot_part_request": SnapshotPartRequest(Height(70_000), 1, 0),
    "snapshot_part_answer": SnapshotPartAnswer(Height(70_000), 0, 0, LEAVES, more=True),
    "recent_request": RecentRequest(Height(70_000), 256),
    "recent_answer": RecentAnswer(Height(70_000), (RecentBlock(header(), b"".join(IDS)),)),
    "below_base": BelowBase(Height(1), Height(60_001)),
}
