"""Evidence: everything that proves one fact to an outsider, in one file, checked by `moyai.verify`.

The format is docs/evidence.md. Every part was checked by this client while it was gathered. Not
here: the check of an evidence file, which shares no code with this one.
"""

import base64
from typing import Any

import msgspec

from moyai.client.answers import (
    BlockProofAnswer,
    CertifiedAnswer,
    HistoryProofAnswer,
    StateProofAnswer,
    TransactionProofAnswer,
)
from moyai.client.documents import Opening
from moyai.client.proofs import (
    hashes,
    history_proof_codec,
    prove_block,
    prove_history,
    prove_state,
    prove_transaction,
    state_proof_codec,
)
from moyai.client.session import Session
from moyai.client.settings import PROOF_WAIT_MS
from moyai.client.transport import Node
from moyai.client.trust import CertifiedHeader, EpochEnd
from moyai.primitives.codec import encode
from moyai.primitives.ids import TransactionId
from moyai.primitives.state_proof import EMPTY, HistoryProof, StateProof, Version

FORMAT = "moyai-evidence/1"


class BlockPart(msgspec.Struct, array_like=True, frozen=True):
    """An ancestor of the certified header."""

    header: bytes
    log_path: tuple[bytes, ...]


class TransactionSubject(msgspec.Struct, array_like=True, frozen=True):
    """A transaction in its block, and its receipt."""

    transaction: bytes
    header: bytes
    log_path: tuple[bytes, ...]
    index: int
    path: tuple[bytes, ...]
    receipt: bytes
    receipt_path: tuple[bytes, ...]
    receipts_log_path: tuple[bytes, ...]


class StateSubject(msgspec.Struct, array_like=True, frozen=True):
    """A key, the values of its listed versions, and the block of the newest one."""

    key: bytes
    values: tuple[bytes | None, ...]
    proof: bytes
    since: BlockPart | None


class OpeningPart(msgspec.Struct, array_like=True, frozen=True):
    """What opens the document digest that the subject holds."""

    salt: bytes
    file_sha256: bytes


class EpochPart(msgspec.Struct, array_like=True, frozen=True):
    """The end of one epoch."""

    header: bytes
    fillers: tuple[bytes, ...]
    certificate: bytes
    keys: tuple[bytes, ...]


class Evidence(msgspec.Struct, array_like=True, frozen=True):
    """One fact and all that proves it; `genesis_path` binds the genesis document to the chain."""

    format: str
    genesis: bytes
    genesis_path: tuple[bytes, ...]
    epochs: tuple[EpochPart, ...]
    header: bytes
    certificate: bytes
    kind: str
    subject: TransactionSubject | StateSubject
    opening: OpeningPart | None

    def to_bytes(self) -> bytes:
        """Return the MessagePack form."""
        return encode(self)

    def to_json(self) -> bytes:
        """Return the JSON form: the same parts by name, bytes in base64."""
        return msgspec.json.format(msgspec.json.encode(_named(self)), indent=2) + b"\n"


async def transaction_evidence(
    session: Session, transaction: TransactionId, opening: Opening | None
) -> Evidence:
    """Return the evidence of a final transaction. Raises what a read raises."""

    async def question(node: Node) -> Evidence:
        known = session.chain.head.height
        parameters = {
            "transaction": transaction.hex(),
            "known_height": known,
            "wait_ms": PROOF_WAIT_MS,
        }
        answer = await node.call("chain_prove", parameters, TransactionProofAnswer)
        certified = await session.believe(node, answer.certified, known, answer.known_path)
        prove_transaction(answer, transaction, certified)
        subject = TransactionSubject(
            transaction=answer.transaction,
            header=answer.header,
            log_path=_path(answer.log_path),
            index=answer.index,
            path=_path(answer.path),
            receipt=answer.receipt,
            receipt_path=_path(answer.receipt_path),
            receipts_log_path=_path(answer.receipts_log_path),
        )
        return await _evidence(_Frame(session, node, certified), "transaction", subject, opening)

    return await session.nodes.ask(question)


async def state_evidence(
    session: Session, key: bytes, opening: Opening | None, *, history: bool
) -> Evidence:
    """Return the evidence of what a key holds, or with `history` of all it ever held."""

    async def question(node: Node) -> Evidence:
        known = session.chain.head.height
        parameters = {"key": key.hex(), "known_height": known}
        values: tuple[bytes | None, ...]
        answered: CertifiedAnswer
        if history:
            every = await node.call(
                "state_prove", {**parameters, "history": True}, HistoryProofAnswer
            )
            answered, path, values = every.certified, every.known_path, every.values
            certified = await session.believe(node, answered, known, path)
            prove_history(every, key, 1, certified)
            proof = history_proof_codec.decode(every.history)
        else:
            newest = await node.call("state_prove", parameters, StateProofAnswer)
            answered, path = newest.certified, newest.known_path
            certified = await session.believe(node, answered, known, path)
            changed = prove_state(newest, key, certified)
            proof = _history_of_one(state_proof_codec.decode(newest.proof), changed.version)
            values = (newest.value,) if changed.version else ()
        frame = _Frame(session, node, certified)
        height = proof.versions[-1].height if proof.versions else 0
        since = await frame.block(height) if height else None
        subject = StateSubject(key, values, encode(proof), since)
        return await _evidence(frame, "state", subject, opening)

    return await session.nodes.ask(question)


class _Frame(msgspec.Struct, frozen=True):
    """Where the parts come from, and the certified header they all hang on."""

    session: Session
    node: Node
    certified: CertifiedHeader

    async def block(self, height: int) -> BlockPart:
        """Return the header at a height below the certified one, with its path."""
        parameters = {"height": height, "in_height": self.certified.height}
        answer = await self.node.call("chain_prove", parameters, BlockProofAnswer)
        prove_block(answer, height, self.certified)
        return BlockPart(answer.header, _path(answer.log_path or ()))


async def _evidence(
    frame: _Frame,
    kind: str,
    subject: TransactionSubject | StateSubject,
    opening: Opening | None,
) -> Evidence:
    header, certificate = frame.certified.sides
    assert certificate is not None, "only genesis has no certificate, and it proves nothing"
    first = await frame.block(0)
    epochs = frame.session.chain.epoch_ends[: frame.certified.header.epoch]
    return Evidence(
        format=FORMAT,
        genesis=encode(frame.session.chain.genesis),
        genesis_path=first.log_path,
        epochs=tuple(_epoch(end) for end in epochs),
        header=header,
        certificate=certificate,
        kind=kind,
        subject=subject,
        opening=None if opening is None else OpeningPart(opening.salt, opening.file_sha256),
    )


def _history_of_one(proof: StateProof, version: int) -> HistoryProof:
    leaf = proof.leaf
    if leaf is None or not version:
        return HistoryProof(1, EMPTY, (), proof)
    newest = Version(leaf.value_digest, leaf.height)
    return HistoryProof(version, leaf.previous, (newest,), proof)


def _epoch(end: EpochEnd) -> EpochPart:
    return EpochPart(end.header, end.fillers, end.certificate, end.keys)


def _path(texts: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(hashes(texts))


def _named(part: Any) -> Any:
    if isinstance(part, msgspec.Struct):
        return {name: _named(getattr(part, name)) for name in part.__struct_fields__}
    if isinstance(part, tuple):
        return [_named(one) for one in part]
    return base64.b64encode(part).decode() if isinstance(part, bytes) else part
