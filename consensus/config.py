"""What a machine is made with: who is in the epoch, who we are, and the final block to start from.

Not here: what the journal remembers (`records.Recovered`).
"""

from collections.abc import Callable

import msgspec

from moyai.primitives.block import Executed, Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, NetworkKey, ValidatorIndex
from moyai.primitives.merkle import Frontier
from moyai.primitives.parameters import Parameters
from moyai.primitives.validators import ValidatorSet


class ExecutedBlock(msgspec.Struct, frozen=True):
    """A final block, and the roots that this node got by executing it.

    `pending` is the digest of the validator set that waits for an epoch end after it, if any.
    """

    header: Header
    executed: Executed
    pending: Digest | None = None


class FinalTip(msgspec.Struct, frozen=True):
    """The last final block that is stored and executed here.

    `frontier` is the log of its ancestors, whose root its header names. `recent` holds, ascending
    up to the tip, at least every block above the tip's executed height. `certificate` is none for
    genesis, or when the block became final by a descendant.
    """

    certificate: Certificate | None
    frontier: Frontier
    recent: tuple[ExecutedBlock, ...]

    @property
    def header(self) -> Header:
        """Return the header of the tip."""
        return self.recent[-1].header


class MachineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The fixed surroundings of one machine, that is of one epoch.

    `index` is none for a node that follows without voting. `network_keys` are the validators' keys
    on the wire, in index order. `sign` returns the signature of a message under the validator key.
    """

    chain_id: str
    validators: ValidatorSet
    network_keys: tuple[NetworkKey, ...]
    index: ValidatorIndex | None
    parameters: Parameters
    sign: Callable[[bytes], bytes]
    tip: FinalTip
    double_sign_check_ms: int
