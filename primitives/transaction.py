"""Transactions: what an account signs, how it travels, and what names it.

The body lists its signers, so the id fixes whose signatures a rule may count; a re-signed copy has
the same id and the same effect. Not here: whether those keys may act for the account (the ledger).
"""

from enum import IntEnum
from functools import lru_cache
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives import limits
from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import SignatureError, TransactionError
from moyai.primitives.fields import AccountField, ChainIdField, DigestField, TimeField
from moyai.primitives.hashing import Tag, tagged
from moyai.primitives.ids import ACCOUNT_BYTES, AccountId, Digest, TransactionId
from moyai.primitives.keys import signature_is_valid
from moyai.primitives.operations import Operation
from moyai.primitives.webauthn import assertion_is_valid


class Scheme(IntEnum):
    """Signature schemes; 3 is reserved for ML-DSA-44."""

    ED25519 = 1
    WEBAUTHN_P256 = 2


class Signer(msgspec.Struct, array_like=True, frozen=True):
    """A key that signs.

    Ed25519: 32 bytes. WebAuthn: the compressed P-256 point ‖ SHA-256 of the relying party id.
    """

    scheme: Scheme
    public_key: Annotated[bytes, Meta(min_length=32, max_length=65)]


class Body(msgspec.Struct, array_like=True, frozen=True):
    """What is signed: all `operations` happen, or none."""

    chain_id: ChainIdField
    account: AccountField
    signers: Annotated[
        tuple[Signer, ...], Meta(min_length=1, max_length=limits.TRANSACTION_SIGNATURES_MAX)
    ]
    operations: Annotated[
        tuple[Operation, ...], Meta(min_length=1, max_length=limits.TRANSACTION_OPERATIONS_MAX)
    ]
    valid_until_ms: TimeField
    nonce: Annotated[
        bytes,
        Meta(min_length=limits.TRANSACTION_NONCE_BYTES, max_length=limits.TRANSACTION_NONCE_BYTES),
    ]
    memo: DigestField | None


class Envelope(msgspec.Struct, array_like=True, frozen=True):
    """A body as signed, and one signature for each of its signers, in their order."""

    body: bytes
    signatures: Annotated[
        tuple[Annotated[bytes, Meta(max_length=limits.SIGNATURE_BYTES_MAX)], ...],
        Meta(min_length=1, max_length=limits.TRANSACTION_SIGNATURES_MAX),
    ]


class Transaction(msgspec.Struct, frozen=True):
    """A well-formed transaction with its id; its signatures have not been checked."""

    id: TransactionId
    body: Body
    body_bytes: bytes
    signatures: tuple[bytes, ...]
    raw: bytes


class CheckedTransaction(Transaction, frozen=True):
    """A transaction every signature of which was verified."""


_body_codec = Codec(Body, name="transaction body")
_envelope_codec = Codec(Envelope, name="transaction")
_ID_TAG = Tag.TRANSACTION.value
CHAINS_REMEMBERED_MAX = 16
_NEXT_REBUILD = "build the transaction again with the SDK or docs/wire.md"


class OpenedEnvelope(msgspec.Struct, frozen=True):
    """An envelope and the id of the body in it, which has not been looked at."""

    id: TransactionId
    envelope: Envelope
    raw: bytes


def open_envelope(raw: bytes) -> OpenedEnvelope:
    """Return the envelope that `raw` encodes: enough to know the id, at a third of the whole cost.

    Raises `CodecError` for bytes of another form, `TransactionError` for too many of them.
    """
    if len(raw) > limits.TRANSACTION_BYTES_MAX:
        raise TransactionError(
            f"has {len(raw)} bytes of the {limits.TRANSACTION_BYTES_MAX} allowed",
            what="transaction",
            next="split it into several transactions",
        )
    envelope = _envelope_codec.decode(raw)
    return OpenedEnvelope(body_id(envelope.body), envelope, raw)


def parse_transaction(raw: bytes) -> Transaction:
    """Return the transaction that `raw` encodes, checked for all that needs neither state nor keys.

    Raises what `open_envelope` and `parse_opened` do.
    """
    return parse_opened(open_envelope(raw))


def parse_opened(opened: OpenedEnvelope) -> Transaction:
    """Return the transaction in an envelope.

    Raises `CodecError` for a body of another form or an unknown operation, `TransactionError` for
    repeated signers or missing signatures.
    """
    envelope, transaction_id = opened.envelope, opened.id
    body = _body_codec.decode(envelope.body)
    signers = body.signers
    if len(envelope.signatures) != len(signers):
        raise TransactionError(
            f"names {len(signers)} signers and carries {len(envelope.signatures)} signatures",
            what=f"transaction {transaction_id.hex()}",
            next="sign it with every key it names",
        )
    if len(signers) > 1 and len(set(signers)) != len(signers):
        raise TransactionError(
            "names one signer twice", what=f"transaction {transaction_id.hex()}", next=_NEXT_REBUILD
        )
    return Transaction(transaction_id, body, envelope.body, envelope.signatures, opened.raw)


def body_id(body_bytes: bytes) -> TransactionId:
    """Return the id of the transaction with this body: tagged SHA-256."""
    return TransactionId(Digest(sha256(_ID_TAG + body_bytes).digest()))


def signing_message(chain_id: str, transaction_id: TransactionId) -> bytes:
    """Return what each signer signs: tag ‖ len(chain_id) u8 ‖ chain_id ‖ id.

    An Ed25519 key signs these bytes; a passkey signs a challenge that is their SHA-256.
    """
    return _signing_prefix(chain_id) + transaction_id


@lru_cache(maxsize=CHAINS_REMEMBERED_MAX)
def _signing_prefix(chain_id: str) -> bytes:
    chain = chain_id.encode()
    return Tag.TRANSACTION_SIGNATURE.value + bytes((len(chain),)) + chain


def assemble(body: Body, signatures: tuple[bytes, ...]) -> bytes:
    """Return the canonical bytes of a signed transaction."""
    return encode(Envelope(encode(body), signatures))


def opened_account(transaction_id: TransactionId, operation_index: int) -> AccountId:
    """Return the id of the account that an opening operation creates."""
    source = transaction_id + operation_index.to_bytes(1, "big")
    return AccountId(tagged(Tag.ACCOUNT, source)[:ACCOUNT_BYTES])


def verify_signatures(transaction: Transaction) -> CheckedTransaction:
    """Check every signature against the signer at its place.

    Raises `SignatureError`. About 60-80 µs a signature.
    """
    message = signing_message(transaction.body.chain_id, transaction.id)
    for signer, signature in zip(transaction.body.signers, transaction.signatures, strict=True):
        if signer.scheme is Scheme.ED25519:
            valid = signature_is_valid(signer.public_key, message, signature)
        else:
            valid = assertion_is_valid(signer.public_key, message, signature)
        if not valid:
            raise SignatureError(
                f"bad signature of key {signer.public_key.hex()}",
                what=f"transaction {transaction.id.hex()}",
                next="sign the id of exactly this body with that key",
            )
    return checked_before(transaction)


def checked_before(transaction: Transaction) -> CheckedTransaction:
    """Return a transaction whose signatures were verified before it was stored here."""
    return CheckedTransaction(
        transaction.id,
        transaction.body,
        transaction.body_bytes,
        transaction.signatures,
        transaction.raw,
    )


def check_validity_time(transaction: Transaction, *, block_time_ms: int, window_ms: int) -> None:
    """Check that `valid_until` lies after the block's time and within the window.

    Raises `TransactionError`.
    """
    left_ms = transaction.body.valid_until_ms - block_time_ms
    if 0 < left_ms <= window_ms:
        return
    what = f"transaction {transaction.id.hex()}"
    if left_ms <= 0:
        raise TransactionExpiredError("has expired", what=what, next="build and sign a new one")
    raise TransactionTooFarAheadError(
        f"is valid for longer than the {window_ms} ms allowed",
        what=what,
        next="send it later, or choose an earlier valid_until; check this machine's clock",
    )


class TransactionExpiredError(TransactionError):
    """The time until which the transaction is valid has passed."""

    code = "expired"


class TransactionTooFarAheadError(TransactionError):
    """The transaction is valid for longer than the chain remembers ids."""

    code = "too_far_ahead"
