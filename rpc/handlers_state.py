"""Answers about any state key, without proof (`handlers_proofs` has those)."""

from moyai.rpc.reads import Reads
from moyai.rpc.schema_state import StateParams, StateShown
from moyai.rpc.texts import base64_text


def state_get(reads: Reads, params: StateParams) -> StateShown:
    """What a state key holds, now or as of a height."""
    key = bytes.fromhex(params.key)
    height = reads.as_of(params.as_of)
    if params.as_of is None:
        entry = reads.snapshot.get(key)
    else:
        entry = reads.snapshot.state_as_of(key, height)
    if entry is None:
        return StateShown(key=params.key, height=height, value=None)
    return StateShown(
        key=params.key,
        height=height,
        value=base64_text(entry.value),
        version=entry.version,
        changed_height=entry.height,
    )
