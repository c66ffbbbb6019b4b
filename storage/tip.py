"""The one row that says up to where the chain store is written."""

import lmdb
import msgspec

from moyai.primitives.codec import Codec
from moyai.primitives.ids import Digest, Height
from moyai.storage.environment import Environment
from moyai.storage.keys import ChainTable

TIP = b"tip"


class Tip(msgspec.Struct, array_like=True, frozen=True):
    """The last written block and the state after it.

    Versions from `replay_from` on may be missing in the sections on disk; `next_sequence` is the
    first that is not written.
    """

    height: Height
    next_sequence: int
    replay_from: int
    state_root: Digest


def read_tip(environment: Environment, txn: lmdb.Transaction) -> Tip:
    """Return the tip as a transaction sees it. Raises `CorruptedError`."""
    return _codec.decode(environment.table(ChainTable.META).require(txn, TIP))


_codec = Codec(Tip, name="stored tip")
