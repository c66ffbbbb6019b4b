"""Checks what a node proves, under a certified header of the trusted chain; pure.

Each function takes an answer and a `CertifiedHeader` that is linked, and returns what is true.
"""

from collections.abc import Sequence

import msgspec

from moyai.client.answers import (
    BlockProofAnswer,
    HistoryProofAnswer,
    StateProofAnswer,
    TransactionProofAnswer,
)
from moyai.client.errors import LyingNodeError
from moyai.client.trust import CertifiedHeader, header_codec
from moyai.primitives.block import Header, header_digest
from moyai.primitives.codec import Codec
from moyai.primitives.errors import MoyaiError, ProofError
from moyai.primitives.ids import Height, TimeMs, TransactionId, parse_hex
from moyai.primitives.merkle import inclusion_root, verify_inclusion
from moyai.primitives.receipt import OK, Event, Receipt
from moyai.primitives.state_proof import (
    HistoryProof,
    StateProof,
    value_digest,
    verify_absence,
    verify_history,
    verify_leaf,
    verify_value,
)
from moyai.primitives.transaction import Body, parse_transaction

receipt_codec = Codec(Receipt, name="receipt")
state_proof_codec = Codec(StateProof, name="state proof")
history_proof_codec = Codec(HistoryProof, name="history proof")


class FinalReceipt(msgspec.Struct, frozen=True):
    """A final transaction: where it stands, what it did; all of it proven.

    `certified_height` is the block by which the city attests it.
    """

    transaction: TransactionId
    body: Body
    height: Height
    time_ms: TimeMs
    index: int
    receipt: Receipt
    certified_height: Height

    @property
    def is_ok(self) -> bool:
        return self.receipt.code == OK

    @property
    def events(self) -> tuple[Event, ...]:
        return self.receipt.events


class ProvenValue(msgspec.Struct, frozen=True):
    """What a key holds as of block `height`; none: nothing.

    `version` counts from 1 (0: the key never held anything), `changed_height` is that of its block.
    """

    key: bytes
    value: bytes | None
    version: int
    changed_height: Height
    height: Height


class ProvenVersion(msgspec.Struct, frozen=True):
    """One version of a key: none as value says that it was deleted."""

    version: int
    height: Height
    value: bytes | None


class ProvenHistory(msgspec.Struct, frozen=True):
    """The versions of a key from one on, oldest first; there are no others up to block `height`."""

    key: bytes
    versions: tuple[ProvenVersion, ...]
    height: Height


def prove_transaction(
    answer: TransactionProofAnswer, transaction: TransactionId, certified: CertifiedHeader
) -> FinalReceipt:
    """Return the receipt of `transaction`. Raises `LyingNodeError`."""
    what = f"transaction {transaction.hex()}"
    try:
        parsed = parse_transaction(answer.transaction)
        receipt = receipt_codec.decode(answer.receipt)
        block = header_codec.decode(answer.header)
        if parsed.id != transaction or receipt.transaction != transaction:
            raise ProofError("the answer is about another transaction")
        check_ancestor(block, answer.log_path, certified)
        place = (answer.index, block.tx_count)
        verify_inclusion(transaction, *place, hashes(answer.path), block.tx_root)
        executed = certified.header.executed
        root = inclusion_root(answer.receipt, *place, hashes(answer.receipt_path))
        log_place = (block.height - 1, executed.height)
        log_path = hashes(answer.receipts_log_path)
        verify_inclusion(root, *log_place, log_path, executed.receipts_root)
    except MoyaiError as error:
        raise _lie(what, error) from None
    return FinalReceipt(
        transaction=transaction,
        body=parsed.body,
        height=block.height,
        time_ms=block.time_ms,
        index=answer.index,
        receipt=receipt,
        certified_height=certified.height,
    )


def prove_block(answer: BlockProofAnswer, height: int, certified: CertifiedHeader) -> Header:
    """Return the header at `height`. Raises `LyingNodeError`."""
    what = f"block {height}"
    try:
        block = header_codec.decode(answer.header)
        if block.height != height:
            raise ProofError("the answer is about another block")
        if header_digest(block) != certified.digest:
            check_ancestor(block, answer.log_path or (), certified)
    except MoyaiError as error:
        raise _lie(what, error) from None
    return block


def prove_state(answer: StateProofAnswer, key: bytes, certified: CertifiedHeader) -> ProvenValue:
    """Return what `key` holds. Raises `LyingNodeError`."""
    root = certified.header.executed.state_root
    try:
        proof = state_proof_codec.decode(answer.proof)
        if answer.value is None:
            verify_absence(root, key, proof)
            leaf = verify_leaf(root, key, proof)
        else:
            leaf = verify_value(root, key, answer.value, proof)
    except MoyaiError as error:
        raise _lie(f"state key {key.hex()}", error) from None
    return ProvenValue(
        key=key,
        value=answer.value,
        version=leaf.version if leaf else 0,
        changed_height=Height(leaf.height if leaf else 0),
        height=certified.header.executed.height,
    )


def prove_history(
    answer: HistoryProofAnswer, key: bytes, first_version: int, certified: CertifiedHeader
) -> ProvenHistory:
    """Return the versions of `key` from `first_version` on. Raises `LyingNodeError`."""
    root = certified.header.executed.state_root
    try:
        proof = history_proof_codec.decode(answer.history)
        leaves = verify_history(root, key, proof)
        if proof.first_version != first_version or len(answer.values) != len(leaves):
            raise ProofError("the answer is about other versions")
        for leaf, value in zip(leaves, answer.values, strict=True):
            if value_digest(value) != leaf.value_digest:
                raise ProofError(f"version {leaf.version} is another value")
    except MoyaiError as error:
        raise _lie(f"history of state key {key.hex()}", error) from None
    versions = tuple(
        ProvenVersion(leaf.version, Height(leaf.height), value)
        for leaf, value in zip(leaves, answer.values, strict=True)
    )
    return ProvenHistory(key, versions, certified.header.executed.height)


def check_ancestor(block: Header, path: Sequence[str], certified: CertifiedHeader) -> None:
    """Check that `block` is an ancestor of a certified header. Raises `ProofError`."""
    root = certified.header.log_root
    verify_inclusion(header_digest(block), block.height, certified.height, hashes(path), root)


def hashes(path: Sequence[str]) -> list[bytes]:
    """Return the bytes of a path in hexadecimal. Raises `IdentifierError`."""
    return [parse_hex(one, bytes_exact=32, what="Merkle path") for one in path]


def _lie(what: str, error: MoyaiError) -> LyingNodeError:
    return LyingNodeError(error.reason, what=what, next="the client asks another node")
