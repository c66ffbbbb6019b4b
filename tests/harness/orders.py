"""Orders of consensus to the shell, made for transactions at hand: check a body, build a block."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from harness.core_city import CHAIN_ID, START_MS, document
from moyai.consensus.effects import BuildBlock, CheckBlock
from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.ids import (
    ZERO_DIGEST,
    Digest,
    Epoch,
    Height,
    NetworkKey,
    TimeMs,
    ValidatorIndex,
    View,
)
from moyai.primitives.merkle import merkle_root
from moyai.primitives.transaction import CheckedTransaction, parse_transaction, verify_signatures

PEER = NetworkKey(b"\x0c" * 32)


def checked(number: int, **content: Any) -> CheckedTransaction:
    """Return checked transaction `number`."""
    return verify_signatures(parse_transaction(document(number, **content)))


def header_of(body: Sequence[CheckedTransaction], height: int = 1, **changed: Any) -> Header:
    """Return the header of a block with this body; `changed` are fields that lie."""
    header = Header(
        chain_id=CHAIN_ID,
        epoch=Epoch(0),
        view=View(height),
        height=Height(height),
        parent=ZERO_DIGEST,
        parent_view=View(0),
        time_ms=TimeMs(START_MS + height),
        proposer=ValidatorIndex(0),
        tx_root=merkle_root([transaction.id for transaction in body]),
        tx_count=len(body),
        tx_bytes=sum(len(transaction.body_bytes) for transaction in body),
        executed=Executed(Height(0), ZERO_DIGEST, ZERO_DIGEST),
        epoch_end=None,
        filler_of=None,
        log_root=ZERO_DIGEST,
    )
    return msgspec.structs.replace(header, **changed)


def check_order(
    body: Sequence[CheckedTransaction],
    *,
    ancestors: tuple[Digest, ...] = (),
    **changed: Any,
) -> CheckBlock:
    """Ask for the body of a block."""
    header = header_of(body, **changed)
    ids = tuple(transaction.id for transaction in body)
    return CheckBlock(header_digest(header), header, ids, ancestors, (PEER,))


def build_order(*ancestors: Digest, time_ms: int = START_MS) -> BuildBlock:
    """Ask for a block above `ancestors`."""
    return BuildBlock(View(7), Digest(sha256(b"parent").digest()), ancestors, TimeMs(time_ms))
