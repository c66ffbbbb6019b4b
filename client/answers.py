"""What nodes answer, as far as the SDK reads it: shapes alone, nothing in them is believed yet.

Not here: checking them (`trust`, `proofs`).
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Hashes = Annotated[tuple[str, ...], Meta(max_length=64)]
"""A Merkle path in hexadecimal."""


class CertifiedAnswer(msgspec.Struct, frozen=True):
    """A header and its finalization certificate, base64."""

    height: int
    header: bytes
    certificate: bytes


class CertificateAnswer(msgspec.Struct, frozen=True):
    """chain_certificate."""

    certified: CertifiedAnswer
    known_path: Hashes | None = None


class BlockProofAnswer(msgspec.Struct, frozen=True):
    """chain_prove of a block."""

    header: bytes
    certified: CertifiedAnswer
    log_path: Hashes | None = None
    known_path: Hashes | None = None


class TransactionProofAnswer(msgspec.Struct, frozen=True):
    """chain_prove of a transaction."""

    header: bytes
    certified: CertifiedAnswer
    transaction: bytes
    index: int
    path: Hashes
    receipt: bytes
    receipt_path: Hashes
    receipts_log_path: Hashes
    log_path: Hashes
    known_path: Hashes | None = None


class StateProofAnswer(msgspec.Struct, frozen=True):
    """state_prove without history."""

    key: str
    certified: CertifiedAnswer
    proof: bytes
    value: bytes | None = None
    known_path: Hashes | None = None


class HistoryProofAnswer(msgspec.Struct, frozen=True):
    """state_prove with history; values oldest first."""

    key: str
    certified: CertifiedAnswer
    history: bytes
    values: tuple[bytes | None, ...]
    known_path: Hashes | None = None


class EpochEndAnswer(msgspec.Struct, frozen=True):
    """The end of the epoch before: its last block, its fillers, the certificate of the last."""

    header: bytes
    fillers: Annotated[tuple[bytes, ...], Meta(max_length=64)]
    certificate: bytes


class ValidatorsAnswer(msgspec.Struct, frozen=True):
    """validators_get."""

    epoch: int
    keys: Annotated[tuple[str, ...], Meta(max_length=64)]
    epoch_end: EpochEndAnswer | None = None


class GenesisAnswer(msgspec.Struct, frozen=True):
    """chain_genesis."""

    document: bytes


class SubmitAnswer(msgspec.Struct, frozen=True):
    """tx_submit."""

    id: str
    status: str


class StatusAnswer(msgspec.Struct, frozen=True):
    """tx_status; the texts are the node's words about a code."""

    id: str
    status: str
    height: int | None = None
    code: int | None = None
    code_name: str = ""
    reason: str = ""
    next: str = ""


class RecordAnswer(msgspec.Struct, frozen=True):
    """A record of records_query."""

    key: str
    value: Any
    version: int
    changed_height: int


class RecordsAnswer(msgspec.Struct, frozen=True):
    """A page of records_query."""

    height: int
    records: tuple[RecordAnswer, ...]
    cursor: str | None = None


class EventAnswer(msgspec.Struct, frozen=True):
    """An event of a subscription."""

    cursor: str
    height: int
    time: str
    transaction: str
    kind: str
    accounts: tuple[str, ...]
    fields: dict[str, Any]
