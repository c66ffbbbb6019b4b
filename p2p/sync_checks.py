"""What an answer of catch-up must satisfy before anything of it is used. Pure.

Everything follows from one certified header, the target: its digest from the certificate, the
headers below it from its log root, the bodies from their headers. No claim of a peer decides.
"""

from collections.abc import Sequence

import msgspec

from moyai.p2p.errors import SyncFault
from moyai.p2p.messages import HeadersAnswer, HeadersRequest, TargetAnswer
from moyai.primitives.block import Header, header_digest
from moyai.primitives.errors import CodecError, ProofError, TransactionError
from moyai.primitives.ids import Digest
from moyai.primitives.limits import BLOCK_BYTES_MAX
from moyai.primitives.merkle import merkle_root, verify_inclusion
from moyai.primitives.transaction import Transaction, parse_transaction

BODY_BYTES_MAX = 2 * BLOCK_BYTES_MAX
"""A re-signed copy of a transaction may be longer than the one in the proposal; not endlessly."""


class Target(msgspec.Struct, frozen=True):
    """The certified block of the chain, and the fillers above it when it ends an epoch.

    `fillers` is newest first; the certificate names the first of them, or the header itself.
    """

    header: Header
    digest: Digest
    fillers: tuple[Header, ...]


class SyncedBlock(msgspec.Struct, frozen=True):
    """A final block whose body matches its header; its signatures have not been checked."""

    header: Header
    digest: Digest
    transactions: tuple[Transaction, ...]


def check_target(certified: Digest, answer: TargetAnswer) -> Target:
    """Return the target that `answer` gives for the certified digest.

    Raises `SyncFault`.
    """
    expected = certified
    for header in answer.headers:
        if header_digest(header) != expected:
            raise SyncFault("a header is not the one certified", what=f"height {header.height}")
        expected = header.parent
    *fillers, last = answer.headers
    if last.filler_of is not None or any(header.filler_of is None for header in fillers):
        raise SyncFault("the answer does not end at a block of the chain", what="sync target")
    return Target(last, header_digest(last), tuple(fillers))


def check_headers(
    target: Header, asked: HeadersRequest, answer: HeadersAnswer
) -> list[tuple[Header, Digest]]:
    """Return the headers of `answer` with their digests: one hash chain, in the target's log.

    Raises `SyncFault`.
    """
    what = f"headers from height {asked.first}"
    if (answer.target, answer.first) != (asked.target, asked.first):
        raise SyncFault("the answer is to another question", what=what)
    if len(answer.headers) != asked.count:
        raise SyncFault("the answer has another number of headers than asked for", what=what)
    checked: list[tuple[Header, Digest]] = []
    for offset, header in enumerate(answer.headers):
        if header.height != asked.first + offset or header.filler_of is not None:
            raise SyncFault("a header is of another height", what=what)
        if checked and header.parent != checked[-1][1]:
            raise SyncFault("a header does not follow from the one before", what=what)
        checked.append((header, header_digest(header)))
    last, digest = checked[-1]
    try:
        verify_inclusion(digest, last.height, target.height, answer.path, target.log_root)
    except ProofError:
        raise SyncFault("the headers are not in the log of the target", what=what) from None
    return checked


def check_body(header: Header, digest: Digest, raw: Sequence[bytes]) -> SyncedBlock:
    """Return the block that `raw` completes.

    Raises `SyncFault`.
    """
    what = f"body of height {header.height}"
    try:
        transactions = tuple(parse_transaction(one) for one in raw)
    except (CodecError, TransactionError) as error:
        raise SyncFault(error.reason, what=what) from None
    root = merkle_root([transaction.id for transaction in transactions])
    size = sum(len(transaction.body_bytes) for transaction in transactions)
    if (root, size) != (header.tx_root, header.tx_bytes):
        raise SyncFault("the transactions are not those of the header", what=what)
    return SyncedBlock(header, digest, transactions)
