"""One committed snapshot with what every read needs of it.

Not here: the answers of each method (`handlers_…`).
"""

from collections.abc import Sequence
from functools import cached_property

from moyai.ledger.state import StateEntry
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Height, TransactionId
from moyai.rpc.block_trees import TreeKeeper
from moyai.rpc.errors import BelowBaseError, InvalidParamsError, NotFoundError
from moyai.rpc.ports import NodePorts, Snapshot
from moyai.rpc.waiters import FinalityWaiters

CERTIFICATES_SEARCHED_MAX = 1_000


class Reads:
    """The snapshot of one request; it reads values as the readers of the ledger ask for them."""

    def __init__(
        self, snapshot: Snapshot, node: NodePorts, waiters: FinalityWaiters, trees: TreeKeeper
    ) -> None:
        self.snapshot = snapshot
        self.node = node
        self.waiters = waiters
        self.trees = trees
        self._headers: dict[int, Header] = {}
        self._ids: dict[int, Sequence[TransactionId]] = {}

    @property
    def height(self) -> Height:
        """Return the height of every answer."""
        return self.snapshot.height

    @cached_property
    def head(self) -> Header:
        """Return the newest committed header."""
        return self.header(self.snapshot.height)

    def get(self, key: bytes) -> StateEntry | None:
        """Return the entry of a state key, as the readers of the ledger ask for it."""
        return self.snapshot.get(key)

    def value(self, key: bytes) -> bytes | None:
        """Return the value of a state key."""
        entry = self.snapshot.get(key)
        return None if entry is None else entry.value

    def header(self, height: int) -> Header:
        """Return a committed header, read once a snapshot.

        Raises `NotFoundError` above what is committed, `BelowBaseError` below what is here.
        """
        header = self._headers.get(height)
        if header is None and height <= self.snapshot.height:
            header = self.snapshot.header(height)
        if header is None and 0 <= height <= self.snapshot.height:
            raise self.below_base(f"block {height}")
        if header is None:
            raise NotFoundError(
                f"this node has committed blocks up to height {self.snapshot.height}",
                what=f"block {height}",
                next="ask for a lower height, or again later",
            )
        self._headers[height] = header
        return header

    def transaction_ids(self, height: int) -> Sequence[TransactionId]:
        """Return the ids of a block's transactions, read once a snapshot.

        Raises `BelowBaseError`.
        """
        ids = self._ids.get(height)
        if ids is None:
            ids = self._ids[height] = self.snapshot.transaction_ids(height)
            if len(ids) != self.header(height).tx_count:
                raise self.below_base(f"block {height}")
        return ids

    @property
    def looked_through(self) -> str:
        """Return in words which blocks an answer that something is not there speaks of."""
        base = self.snapshot.base
        since = f"from height {base} " if base > 1 else ""
        return f"no committed block {since}up to height {self.height}"

    def as_of(self, height: int | None) -> Height:
        """Return the height a question is about. Raises `InvalidParamsError` beyond the newest."""
        if height is None:
            return self.height
        if height > self.height:
            raise InvalidParamsError(
                f"lies beyond the newest committed block, {self.height}",
                what=f"as_of {height}",
                next="ask as of a height that chain_head reports, or again later",
            )
        return Height(height)

    def newest_certified(self) -> tuple[Height, Certificate] | None:
        """Return the newest committed header with a certificate of its own."""
        lowest = max(1, self.height - CERTIFICATES_SEARCHED_MAX)
        for height in range(self.height, lowest - 1, -1):
            certificate = self.snapshot.certificate(height)
            if certificate is not None:
                return Height(height), certificate
        return None

    def below_base(self, what: str) -> BelowBaseError:
        """Return the refusal of what lies below the first block that is here."""
        return BelowBaseError(
            f"this node has blocks from height {self.snapshot.base} on",
            what=what,
            next="ask a node that keeps everything: retention is archive there",
        )
