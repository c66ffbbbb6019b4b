"""Says by itself that this node's validator is ready for the next set, while somebody waits for it.

Not here: whether this node follows the tip (the runner asks only then), and what counts (ledger).
"""

from moyai.ledger.membership import ReadyWanted, ready_wanted
from moyai.ledger.state import ValueReader
from moyai.primitives.codec import encode
from moyai.primitives.ids import TimeMs
from moyai.primitives.keys import SigningKey
from moyai.primitives.limits import TRANSACTION_NONCE_BYTES
from moyai.primitives.operations_governance import MembersReady
from moyai.primitives.transaction import (
    Body,
    Scheme,
    Signer,
    assemble,
    body_id,
    signing_message,
)

READY_VALID_MS = 8_000
"""Shorter than any window of transactions; when it is over without effect, it is said again."""


class Readiness:
    """One validator's word, not repeated while the last one may still take effect."""

    def __init__(self, chain_id: str, key: SigningKey) -> None:
        self._chain_id = chain_id
        self._key = key
        self._said_until_ms = 0

    def transaction(self, reader: ValueReader, now_ms: int) -> bytes | None:
        """Return the transaction that says so; none when nobody waits, or it was just said.

        `reader` is the state at the tip, `now_ms` the wall clock.
        """
        if now_ms < self._said_until_ms:
            return None
        wanted = ready_wanted(reader, self._key.public, TimeMs(now_ms))
        if wanted is None:
            return None
        self._said_until_ms = now_ms + READY_VALID_MS
        return self._signed(wanted, TimeMs(self._said_until_ms))

    def _signed(self, wanted: ReadyWanted, valid_until_ms: TimeMs) -> bytes:
        body = Body(
            chain_id=self._chain_id,
            account=wanted.account,
            signers=(Signer(Scheme.ED25519, self._key.public),),
            operations=(MembersReady(wanted.next_set),),
            valid_until_ms=valid_until_ms,
            nonce=bytes(TRANSACTION_NONCE_BYTES),  # key and time make it one of its own
            memo=None,
        )
        message = signing_message(self._chain_id, body_id(encode(body)))
        return assemble(body, (self._key.sign(message),))
