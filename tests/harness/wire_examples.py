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
from moyai.primitives.block import Executed, Header
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
from moyai.primitives.merkle import EMPTY_ROOT
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
RAW = (b"\x92first", b"\x92second")

EXAMPLES: dict[str, WireMessage] = {
    "vote": VoteMessage(vote()),
    "vote_to_nullify": VoteMessage(vote(kind=VoteKind.NULLIFY)),
    "certificate": CertificateMessage(
        Certificate(Epoch(0), View(300), VoteKind.FINALIZE, digest(1), b"\x0b", (b"\xa5" * 64,) * 3)
    ),
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
}
