"""What is on record against a validator key, read from the state.

Not here: how it comes on record (`rules_evidence`), and which votes convict
(`primitives.misconduct`).
"""

import msgspec

from moyai.ledger.state import ValueReader
from moyai.primitives.ids import PublicKey
from moyai.primitives.state_keys import misconduct_key
from moyai.primitives.state_values import Misconduct

_misconduct = msgspec.msgpack.Decoder(Misconduct)


def read_misconduct(reader: ValueReader, key: PublicKey) -> Misconduct | None:
    """Return the evidence on record against a validator key, or none."""
    value = reader.value(misconduct_key(key))
    return None if value is None else _misconduct.decode(value)
