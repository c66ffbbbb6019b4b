"""Builds transactions: first the body that fixes who signs, then the signatures, then the bytes.

A draft can be made on one machine, signed on others that have no network, and sent from a third.
Not here: sending (`submission`).
"""

from collections.abc import Mapping, Sequence

import msgspec

from moyai.client.errors import SettingsError
from moyai.client.signers import TransactionSigner
from moyai.primitives.codec import Codec, encode
from moyai.primitives.ids import AccountId, Digest, TimeMs, TransactionId, parse_account
from moyai.primitives.operations import Operation
from moyai.primitives.transaction import (
    Body,
    Signer,
    assemble,
    body_id,
    parse_transaction,
    signing_message,
    verify_signatures,
)

_body_codec = Codec(Body, name="transaction body")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a body fixes besides who acts and what is done; `nonce` has 8 random bytes."""

    chain_id: str
    valid_until_ms: int
    nonce: bytes
    memo: Digest | None = None


class Draft(msgspec.Struct, frozen=True):
    """A transaction without its signatures."""

    body: Body

    @property
    def id(self) -> TransactionId:
        """Return the id: signatures do not change it."""
        return body_id(self.to_bytes())

    @property
    def message(self) -> bytes:
        """Return the bytes that an Ed25519 key signs; a passkey signs their SHA-256."""
        return signing_message(self.body.chain_id, self.id)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes of the body, to carry to where a key is."""
        return encode(self.body)

    @staticmethod
    def from_bytes(data: bytes) -> "Draft":
        """Return the draft in `data`: look at its body before you sign. Raises `CodecError`."""
        return Draft(_body_codec.decode(data))

    async def signature_by(self, signer: TransactionSigner) -> bytes:
        """Return the signature of one of the signers that the body names."""
        if signer.name not in self.body.signers:
            raise SettingsError(
                "the body does not name this key as a signer",
                what=f"key {signer.name.public_key.hex()}",
                next="build the draft with all its signers",
            )
        return await signer.sign(self.message)

    def assemble(self, signatures: Mapping[bytes, bytes]) -> bytes:
        """Return the signed transaction from signatures by public key, each of them checked.

        Raises `SettingsError` for a missing one, `SignatureError` for one that does not verify.
        """
        missing = [one for one in self.body.signers if one.public_key not in signatures]
        if missing:
            raise SettingsError(
                f"the signature of key {missing[0].public_key.hex()} is missing",
                what=f"transaction {self.id.hex()}",
                next="collect a signature of every key that the body names",
            )
        raw = assemble(self.body, tuple(signatures[one.public_key] for one in self.body.signers))
        verify_signatures(parse_transaction(raw))
        return raw


def draft_transaction(
    operations: Sequence[Operation],
    *,
    account: AccountId | str,
    signers: Sequence[Signer],
    terms: Terms,
) -> Draft:
    """Return the draft of one transaction: all its operations happen, or none.

    Raises `SettingsError` when there is nothing to do or nobody to sign, `CodecError` for a value
    out of its bounds.
    """
    if not operations or not signers:
        raise SettingsError(
            "a transaction needs at least one operation and one signer", next="give both"
        )
    body = Body(
        chain_id=terms.chain_id,
        account=parse_account(account) if isinstance(account, str) else account,
        signers=tuple(signers),
        operations=tuple(operations),
        valid_until_ms=TimeMs(terms.valid_until_ms),
        nonce=terms.nonce,
        memo=terms.memo,
    )
    return Draft.from_bytes(encode(body))


async def sign_draft(draft: Draft, signers: Sequence[TransactionSigner]) -> bytes:
    """Return the transaction with the signatures of `signers`, who must be all that it names."""
    signatures = {one.name.public_key: await draft.signature_by(one) for one in signers}
    return draft.assemble(signatures)


def transaction_id(raw: bytes) -> TransactionId:
    """Return the id of a signed transaction. Raises `CodecError` or `TransactionError`."""
    return parse_transaction(raw).id
