"""The operation that puts a validator's misconduct on record. Data alone, no rule."""

import msgspec

from moyai.primitives.vote import Vote


class SubmitEvidence(msgspec.Struct, array_like=True, frozen=True, tag=63):
    """Two votes that one validator signed and an honest one never does, as they travelled."""

    first: Vote
    second: Vote
