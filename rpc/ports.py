"""What the door asks of the node, and what it is told: protocols and plain data.

The node supplies them; the door never sees a socket of a peer, a database or the consensus machine.
Not here: how they are filled (`node.queries`).
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

import msgspec

from moyai.ledger.state import StateReader
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.errors import MoyaiError
from moyai.primitives.genesis import Genesis
from moyai.primitives.ids import AccountId, Digest, Epoch, Height, PublicKey, TransactionId
from moyai.primitives.receipt import Event, Receipt
from moyai.primitives.state_proof import HistoryProof, StateProof

Mode = Literal["validator", "full", "abstaining", "catching up"]


class SubmitOutcome(Protocol):
    """What became of one submitted transaction: taken (`known`: not for the first time) or refused.

    `id` is none when the bytes name no transaction.
    """

    @property
    def id(self) -> TransactionId | None: ...

    @property
    def refusal(self) -> MoyaiError | None: ...

    @property
    def known(self) -> bool: ...


class Writes(Protocol):
    """The way in: one call for all the transactions of a request, answered in their order."""

    async def submit(self, raws: Sequence[bytes]) -> Sequence[SubmitOutcome]: ...

    def is_pending(self, transaction: TransactionId) -> bool:
        """Return whether this node holds the transaction and no committed block does yet."""
        ...


class FoundTransaction(msgspec.Struct, frozen=True):
    """Where a final transaction stands, and its bytes as they travelled."""

    height: Height
    index: int
    raw: bytes


class StateVersion(msgspec.Struct, frozen=True):
    """One version of one key: none as value says that it was deleted then."""

    value: bytes | None
    version: int
    height: Height


class ChainEvent(msgspec.Struct, frozen=True):
    """An event with its place: the block, the transaction in it, the event in the transaction."""

    height: Height
    index: int
    place: int
    transaction: TransactionId
    event: Event


class IndexQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Records by one index: values from `low` to `high`, both included, as of a height."""

    index: bytes
    as_of: Height
    low: bytes | None = None
    high: bytes | None = None
    cursor: bytes | None = None
    reverse: bool = False


class IndexHit(msgspec.Struct, frozen=True):
    """A record found by an index, and the cursor that continues after it."""

    value: bytes
    key: bytes
    cursor: bytes


class EpochEnd(msgspec.Struct, frozen=True):
    """What proves the validators of an epoch: the last block of the one before, certified."""

    header: Header
    fillers: tuple[Header, ...]
    certificate: Certificate


class Snapshot(StateReader, Protocol):
    """One committed state of the chain; every answer is of the same height.

    `get` (of `StateReader`) reads the state after block `height`. Heights asked for are at most
    `height`. Held for one request and never across a wait.
    """

    @property
    def height(self) -> Height: ...

    def header(self, height: Height) -> Header: ...

    def height_of(self, digest: Digest) -> Height | None: ...

    def certificate(self, height: Height) -> Certificate | None:
        """Return the certificate of the block itself; none when a later block finalized it."""
        ...

    def transaction_ids(self, height: Height) -> Sequence[TransactionId]: ...

    def transaction(self, transaction: TransactionId) -> FoundTransaction | None: ...

    def receipts(self, height: Height) -> Sequence[Receipt]: ...

    def get_as_of(self, key: bytes, height: Height) -> StateVersion | None: ...

    def versions(self, key: bytes) -> Iterator[StateVersion]:
        """Yield every version of a key, newest first."""
        ...

    def prove_state(self, key: bytes, height: Height) -> StateProof | None:
        """Return the proof under the state root after `height`; none when that root has gone."""
        ...

    def prove_history(self, key: bytes, height: Height, first_version: int) -> HistoryProof | None:
        """Return the proof of versions from `first_version` on, as `prove_state`."""
        ...

    def log_path(self, height: Height, size: int) -> list[bytes]:
        """Return the path of block `height` in the log of the first `size` blocks."""
        ...

    def receipts_log_path(self, height: Height, size: int) -> list[bytes]:
        """Return the path of block `height` in the log of the receipts of blocks 1..size."""
        ...

    def account_transactions(
        self, account: AccountId, before: tuple[int, int] | None
    ) -> Iterator[tuple[Height, int]]:
        """Yield (height, index) of what touched an account, newest first, below `before`."""
        ...

    def events(self, after: tuple[int, int, int] | None) -> Iterator[ChainEvent]:
        """Yield events in their order, after the (height, index, place) of one already seen."""
        ...

    def records(self, query: IndexQuery) -> Iterator[IndexHit]: ...

    def epoch_end(self, epoch: Epoch) -> EpochEnd | None: ...

    def validator_keys(self, epoch: Epoch) -> tuple[PublicKey, ...] | None: ...


class LinkStatus(msgspec.Struct, frozen=True):
    """A member or full node as this node sees it; a height of none was never told."""

    name: str
    is_validator: bool
    is_linked: bool
    height: Height | None


class QuorumStatus(msgspec.Struct, frozen=True):
    """The validators this node reaches, itself included, of those it takes to finalize."""

    reached: int
    needed: int
    validators: int
    missing: tuple[str, ...]


class DiskStatus(msgspec.Struct, frozen=True):
    """How full the store is, in percent of its map, and what follows from it."""

    level: Literal["good", "alarm", "no new transactions", "stopping"]
    used_percent: int


class PoolStatus(msgspec.Struct, frozen=True):
    """Transactions that wait: for their signatures to be checked, and for a block."""

    unchecked: int
    transactions: int
    size_bytes: int


class NodeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the node says about itself; `final_age_ms` is none before the first final block.

    `is_ready` says whether the node can take transactions that will become final; `not_ready_because`
    says why it cannot, in words for an operator.
    """

    name: str
    mode: Mode
    version: str
    epoch: Epoch
    view: int
    final: Height
    executed: Height
    committed: Height
    final_age_ms: int | None
    uptime_ms: int
    links: tuple[LinkStatus, ...]
    quorum: QuorumStatus
    pool: PoolStatus
    disk: DiskStatus
    is_ready: bool
    not_ready_because: str


class EvidenceFound(msgspec.Struct, frozen=True):
    """Proof that a validator signed what an honest one never does: canonical bytes of its parts."""

    kind: str
    validator: int
    view: int
    evidence: bytes


class Admin(Protocol):
    """What only the operator may ask for, on the node's own socket."""

    def stop(self) -> None:
        """Stop the node cleanly."""
        ...

    def set_log_level(self, level: str) -> None: ...


class NodePorts(Protocol):
    """All that the door needs of the node."""

    @property
    def genesis(self) -> Genesis: ...

    @property
    def writes(self) -> Writes: ...

    @property
    def admin(self) -> Admin: ...

    def status(self) -> NodeStatus: ...

    def evidence(self) -> Sequence[EvidenceFound]: ...

    def snapshot(self) -> AbstractContextManager[Snapshot]: ...

    def now_ms(self) -> int:
        """Return the time of the wall clock."""
        ...

    def mono_ms(self) -> int:
        """Return a time that never goes back."""
        ...
