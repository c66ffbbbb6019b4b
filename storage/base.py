"""From which height on a store holds blocks, and how far what lies below is erased.

The base moves first and in one step; what lies below it is refused from then on, and erased bit by
bit. Not here: erasing (`pruning`).
"""

import lmdb
import msgspec

from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import PrunedError
from moyai.primitives.ids import Height
from moyai.storage.environment import Environment
from moyai.storage.keys import ChainTable

BASE = b"base"


class Base(msgspec.Struct, array_like=True, frozen=True):
    """`height`: the lowest block that is here; the state is known from the height below it on.

    `began`: the height of the state that the store was imported with, or 0. Blocks below `erased`
    and versions below `sequence` have been worked through; `sweep` is where the next account's
    rows are looked for, up to `swept`, the base when the last sweep ended.
    """

    height: Height = Height(0)
    began: Height = Height(0)
    erased: Height = Height(1)
    sequence: int = 1
    swept: Height = Height(0)
    sweep: bytes = b""

    def require(self, height: int, what: str) -> None:
        """Check that a block is not below the base. Raises `PrunedError`."""
        if height < self.height:
            raise self.refusal(what)

    def require_state(self, height: int, what: str) -> None:
        """Check that the state after a block is not below the base. Raises `PrunedError`."""
        if height < self.height - 1:
            raise self.refusal(what)

    def refusal(self, what: str) -> PrunedError:
        """Return the error that says from which height on this node has what is asked."""
        return PrunedError(
            f"this node has blocks from height {self.height} on",
            what=what,
            next="ask a node that keeps everything: retention is archive there",
        )


def read_base(environment: Environment, txn: lmdb.Transaction) -> Base:
    """Return the base; a store that never was pruned or imported has all."""
    data = environment.table(ChainTable.META).get(txn, BASE)
    return Base() if data is None else _codec.decode(data)


def write_base(environment: Environment, txn: lmdb.Transaction, base: Base) -> None:
    """Set the base with everything else that the transaction writes."""
    environment.table(ChainTable.META).put(txn, BASE, encode(base))


_codec = Codec(Base, name="stored base")
