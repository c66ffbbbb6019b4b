"""Answers of the `tx_…` methods that read; submitting and waiting are in `writes`."""

from moyai.ledger.codes import CATALOGUE, Code
from moyai.primitives.ids import TransactionId
from moyai.primitives.receipt import Receipt
from moyai.primitives.transaction import Transaction, parse_transaction
from moyai.rpc.errors import NotFoundError
from moyai.rpc.ports import FoundTransaction, Place
from moyai.rpc.readable import readable_event, readable_operation
from moyai.rpc.reads import Reads
from moyai.rpc.schema_transactions import (
    EventShown,
    ReceiptShown,
    SignerShown,
    TransactionParams,
    TransactionShown,
    TransactionStatus,
)
from moyai.rpc.texts import account_text, base64_text, time_text, transaction_id


def tx_status(reads: Reads, params: TransactionParams) -> TransactionStatus:
    """How a transaction stands, at this moment, at this node."""
    return transaction_status(reads, transaction_id(params.id))


def tx_get(reads: Reads, params: TransactionParams) -> TransactionShown:
    """A final transaction with its operations, its receipt and its bytes."""
    wanted = transaction_id(params.id)
    found = reads.snapshot.transaction(wanted)
    receipt = reads.snapshot.receipt(wanted)
    if found is None or receipt is None:
        raise NotFoundError(
            f"{reads.looked_through} holds it",
            what=f"transaction {params.id}",
            next="ask tx_status whether it is pending, or tx_wait until it is final",
        )
    return _shown(reads, found, receipt)


def transaction_status(reads: Reads, wanted: TransactionId) -> TransactionStatus:
    """Return how a transaction stands in this snapshot, or in the pool beyond it."""
    place = reads.snapshot.place(wanted)
    if place is not None:
        return _ended(reads, wanted, place)
    text = wanted.hex()
    if reads.node.writes.is_pending(wanted):
        return TransactionStatus(id=text, status="pending")
    if reads.waiters.has_expired(wanted):
        return TransactionStatus(id=text, status="expired")
    return TransactionStatus(id=text, status="unknown")


def receipt_shown(receipt: Receipt) -> ReceiptShown:
    """Return a receipt with its code in words."""
    code = Code(receipt.code)
    words = CATALOGUE[code]
    refused = code is not Code.OK
    return ReceiptShown(
        code=receipt.code,
        code_name=code.name.lower(),
        reason=words.reason_en,
        next=words.next_en,
        events=[EventShown(**readable_event(event)) for event in receipt.events],
        operation=receipt.operation if refused else None,
        subject=receipt.subject if refused else None,
    )


def _ended(reads: Reads, wanted: TransactionId, place: Place) -> TransactionStatus:
    receipt = reads.snapshot.receipt(wanted)
    assert receipt is not None, "a committed transaction has a receipt"
    code = Code(receipt.code)
    words = CATALOGUE[code]
    return TransactionStatus(
        id=wanted.hex(),
        status="final" if code is Code.OK else "refused",
        height=place.height,
        index=place.position,
        time=time_text(reads.header(place.height).time_ms),
        code=receipt.code,
        code_name=code.name.lower(),
        reason=words.reason_en,
        next=words.next_en or None,
        subject=receipt.subject or None,
    )


def _shown(reads: Reads, found: FoundTransaction, receipt: Receipt) -> TransactionShown:
    transaction: Transaction = parse_transaction(found.raw)
    body = transaction.body
    return TransactionShown(
        id=transaction.id.hex(),
        height=found.place.height,
        index=found.place.position,
        time=time_text(reads.header(found.place.height).time_ms),
        account=account_text(body.account),
        signers=[
            SignerShown(scheme=signer.scheme, public_key=signer.public_key.hex())
            for signer in body.signers
        ],
        operations=[readable_operation(operation) for operation in body.operations],
        valid_until=time_text(body.valid_until_ms),
        transaction=base64_text(found.raw),
        receipt=receipt_shown(receipt),
        memo=None if body.memo is None else body.memo.hex(),
    )
