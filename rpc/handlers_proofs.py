"""Proofs that an outsider can check alone: of blocks, transactions, receipts and state.

Every proof ends in a certified header: one with its own finalization certificate.
"""

from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.errors import ProofError, PrunedError
from moyai.rpc.errors import InvalidParamsError, NotFoundError, NotHeldError, NotYetProvableError
from moyai.rpc.limits import HISTORY_VERSIONS_MAX
from moyai.rpc.reads import Reads
from moyai.rpc.schema_chain import (
    CertificateParams,
    CertificateShown,
    Certified,
    Path,
    ProofShown,
    ProveParams,
)
from moyai.rpc.schema_state import StateProofShown, StateProveParams
from moyai.rpc.texts import base64_text, canonical_text, path_texts, transaction_id

CertifiedAt = tuple[Header, Certificate]


def chain_certificate(reads: Reads, params: CertificateParams) -> CertificateShown:
    """A certified header: the newest, or the lowest at or above a height."""
    certified = _newest(reads) if params.height is None else _at_or_above(reads, params.height)
    return CertificateShown(
        certified=_shown(certified), known_path=_known_path(reads, certified, params.known_height)
    )


def chain_prove(reads: Reads, params: ProveParams) -> ProofShown:
    """Proof of a final transaction with its receipt, or of a block, to a certified header."""
    if (params.transaction is None) == (params.height is None):
        raise InvalidParamsError(
            "takes one of the two", what="transaction, height", next="give exactly one"
        )
    if params.transaction is not None:
        return _prove_transaction(reads, params, params.transaction)
    assert params.height is not None
    return _prove_block(reads, params, params.height)


def state_prove(reads: Reads, params: StateProveParams) -> StateProofShown:
    """Proof of what a state key holds, that it holds nothing, or of all its versions."""
    key = bytes.fromhex(params.key)
    certified = _newest(reads)
    height = certified[0].executed.height
    known_path = _known_path(reads, certified, params.known_height)
    try:
        if params.history:
            return _prove_history(reads, params, certified, known_path)
        proof = reads.snapshot.prove_state(key, height)
    except ProofError as error:
        raise NotHeldError(
            error.reason, what=f"state key {params.key[:64]}", next=error.next
        ) from None
    entry = reads.snapshot.state_as_of(key, height)
    return StateProofShown(
        key=params.key,
        height=height,
        certified=_shown(certified),
        known_path=known_path,
        value=None if entry is None else base64_text(entry.value),
        proof=canonical_text(proof),
    )


def _prove_history(
    reads: Reads, params: StateProveParams, certified: CertifiedAt, known_path: Path | None
) -> StateProofShown:
    key = bytes.fromhex(params.key)
    height = certified[0].executed.height
    history = reads.snapshot.prove_history(key, height, params.first_version)
    last = params.first_version + min(len(history.versions), HISTORY_VERSIONS_MAX)
    values = [
        None if version.value is None else base64_text(version.value)
        for version in reads.snapshot.history(key)
        if params.first_version <= version.version < last
    ]
    return StateProofShown(
        key=params.key,
        height=height,
        certified=_shown(certified),
        known_path=known_path,
        history=canonical_text(history),
        values=values[::-1],
    )


def _prove_transaction(reads: Reads, params: ProveParams, text: str) -> ProofShown:
    snapshot = reads.snapshot
    found = snapshot.transaction(transaction_id(text))
    if found is None:
        raise NotFoundError(
            f"{reads.looked_through} holds it",
            what=f"transaction {text}",
            next="ask tx_status whether it is pending, or tx_wait until it is final",
        )
    height, index = found.place
    certified = _newest(reads)
    size = certified[0].executed.height
    if size < height:
        raise NotYetProvableError(
            f"certified headers attest outcomes up to height {size}, it is at {height}",
            what=f"transaction {text}",
            next="ask again in a moment, or give wait_ms",
        )
    trees = reads.trees.of_block(snapshot, height)
    return ProofShown(
        header=canonical_text(reads.header(height)),
        certified=_shown(certified),
        log_path=path_texts(snapshot.log_path(height, certified[0].height)),
        known_path=_known_path(reads, certified, params.known_height),
        transaction=base64_text(found.raw),
        index=index,
        path=path_texts(trees.of_ids.path(index)),
        receipt=base64_text(trees.receipts[index]),
        receipt_path=path_texts(trees.of_receipts.path(index)),
        receipts_log_path=path_texts(snapshot.receipts_log_path(height, size)),
    )


def _prove_block(reads: Reads, params: ProveParams, height: int) -> ProofShown:
    header = reads.header(height)
    certified = _newest(reads) if params.in_height is None else _exactly(reads, params.in_height)
    above = certified[0].height
    if above < height:
        raise NotYetProvableError(
            f"the certified header is at height {above}",
            what=f"block {height}",
            next="ask again in a moment, or for a higher in_height",
        )
    return ProofShown(
        header=canonical_text(header),
        certified=_shown(certified),
        log_path=None if above == height else path_texts(reads.snapshot.log_path(height, above)),
        known_path=_known_path(reads, certified, params.known_height),
    )


def _newest(reads: Reads) -> CertifiedAt:
    found = reads.newest_certified()
    if found is None:
        raise NotYetProvableError(
            "this chain has no certified header yet", what="chain", next="ask again in a moment"
        )
    return reads.header(found[0]), found[1]


def _exactly(reads: Reads, height: int) -> CertifiedAt:
    header = reads.header(height)
    certificate = reads.snapshot.certificate(height)
    if certificate is None and height < reads.snapshot.base:
        raise reads.below_base(f"certificate of height {height}")
    if certificate is None:
        raise NotFoundError(
            "was finalized by a later one and has no certificate of its own",
            what=f"block {height}",
            next=f"ask chain_certificate for the lowest one at or above height {height}",
        )
    return header, certificate


def _at_or_above(reads: Reads, height: int) -> CertifiedAt:
    found = reads.snapshot.certificate_above(height)
    if found is None:
        raise NotFoundError(
            f"this node has committed blocks up to height {reads.height}",
            what=f"certified header at or above height {height}",
            next="ask for a lower height, or again later",
        )
    return reads.header(found[0]), found[1]


def _known_path(reads: Reads, certified: CertifiedAt, known_height: int | None) -> Path | None:
    above = certified[0].height
    if known_height is None or known_height >= above:
        return None
    try:
        return path_texts(reads.snapshot.log_path(known_height, above))
    except PrunedError:
        return None  # the answer stands without it; who needs the path asks a node that has it


def _shown(certified: CertifiedAt) -> Certified:
    header, certificate = certified
    return Certified(
        height=header.height, header=canonical_text(header), certificate=canonical_text(certificate)
    )
