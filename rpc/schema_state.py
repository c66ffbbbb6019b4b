"""Shapes of the `state_…` methods: any key of the ledger's state, with proof.

The keys are documented in docs/ledger.md; a client makes them itself, so that no node can prove
another key than the one meant.
"""

from moyai.rpc.schema_chain import Certified, Path
from moyai.rpc.schema_types import (
    Base64,
    FirstVersion,
    HeightNumber,
    Params,
    Result,
    StateKeyHex,
)


class StateParams(Params, frozen=True, kw_only=True):
    """A key, now or as it stood after the block at `as_of`."""

    key: StateKeyHex
    as_of: HeightNumber | None = None


class StateShown(Result, frozen=True, kw_only=True):
    """The value (null: nothing), which version of the key it is and since which height."""

    key: StateKeyHex
    height: HeightNumber
    value: Base64 | None
    version: int | None = None
    changed_height: HeightNumber | None = None


class StateProveParams(Params, frozen=True, kw_only=True):
    """A key; with `history`, all its versions from `first_version` on."""

    key: StateKeyHex
    history: bool = False
    first_version: FirstVersion = 1
    known_height: HeightNumber | None = None


class StateProofShown(Result, frozen=True, kw_only=True):
    """A proof under `executed.state_root` of the certified header, and what it is a proof of.

    Without history: `value` (null: absent) and `proof`. With it: `history` and `values`, one a
    version, oldest first. `height` is `executed.height` of the certified header.
    """

    key: StateKeyHex
    height: HeightNumber
    certified: Certified
    known_path: Path | None
    value: Base64 | None = None
    proof: Base64 | None = None
    history: Base64 | None = None
    values: list[Base64 | None] | None = None
