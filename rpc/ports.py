"""What the door asks of the node, and what it is told: protocols and plain data.

The node supplies them; the door never sees a socket of a peer, a database or the consensus machine.
Not here: how they are filled (`node.queries`).
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple, Protocol

import msgspec

from moyai.ledger.state import StateEntry, StateReader
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.errors import MoyaiError
from moyai.primitives.genesis import Genesis
from moyai.primitives.ids import AccountId, Epoch, Height, TransactionId
from moyai.primitives.receipt import Event, Receipt
from moyai.primitives.state_proof import HistoryProof, StateProof
from moyai.primitives.vote import Vote

Mode = Literal["validator", "full", "no vote", "abstaining", "catching up"]


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


class Place(NamedTuple):
    """Where a final transaction is: the height of its block and its position in it."""

    height: Height
    position: int


class FoundTransaction(NamedTuple):
    """A final transaction: its place, and its bytes as they travelled."""

    place: Place
    raw: bytes


class KeyVersion(NamedTuple):
    """One version of a state key; a value of none says that it was deleted then."""

    version: int
    height: Height
    value: bytes | None


class ChainEvent(NamedTuple):
    """An event: the place of its transaction, its number within that, and itself."""

    place: Place
    number: int
    transaction: TransactionId
    event: Event


class EventPage(NamedTuple):
    """Events in order, all or none of a transaction; `next` is beyond the head at the end."""

    events: Sequence[ChainEvent]
    next: Place


class IndexQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Records by one index: values from `low` to `high`, both included, as of a height.

    `cursor` is that of the last hit already seen.
    """

    index: bytes
    as_of: Height
    low: bytes | None = None
    high: bytes | None = None
    cursor: bytes | None = None
    reverse: bool = False


class IndexHit(NamedTuple):
    """The state key of a record found by an index, and the cursor that continues after it."""

    key: bytes
    cursor: bytes


class Snapshot(StateReader, Protocol):
    """One committed state of the chain; every answer is of the same height.

    `get` (of `StateReader`) reads the state after block `height`. Held for one request and never
    across a wait. Proofs raise `ProofError` when the node no longer holds what they need.
    """

    @property
    def height(self) -> Height: ...

    @property
    def base(self) -> Height:
        """Return the height of the lowest block that is here; reads below raise `PrunedError`."""
        ...

    def header(self, height: int) -> Header | None: ...

    def height_of(self, digest: bytes) -> Height | None: ...

    def certificate(self, height: int) -> Certificate | None:
        """Return the certificate of exactly this block; none when a later block finalized it."""
        ...

    def certificate_above(self, height: int) -> tuple[Height, Certificate] | None:
        """Return the first certificate at or above a height, with the height of its block."""
        ...

    def end_certificate(self, height: int) -> Certificate | None:
        """Return the certificate of this block, or of the last of its `extra_headers`."""
        ...

    def extra_headers(self, height: int) -> tuple[Header, ...]:
        """Return the fillers from a block that ends an epoch to the one that was finalized."""
        ...

    def transaction_ids(self, height: int) -> Sequence[TransactionId]: ...

    def body(self, height: int) -> Sequence[bytes]: ...

    def place(self, transaction: bytes) -> Place | None: ...

    def transaction(self, transaction: bytes) -> FoundTransaction | None: ...

    def receipt(self, transaction: bytes) -> Receipt | None: ...

    def receipts(self, height: int) -> Sequence[Receipt]: ...

    def state_as_of(self, key: bytes, height: int) -> StateEntry | None: ...

    def history(self, key: bytes) -> Iterator[KeyVersion]:
        """Yield every version of a key, newest first."""
        ...

    def prove_state(self, key: bytes, height: int) -> StateProof:
        """Return the proof of what a key holds under the state root after block `height`."""
        ...

    def prove_history(self, key: bytes, height: int, first_version: int) -> HistoryProof:
        """Return the proof of all versions from one on, under the same root."""
        ...

    def log_path(self, height: int, in_height: int) -> list[bytes]:
        """Return the path of a block to the log root of the header at `in_height`."""
        ...

    def receipts_log_path(self, height: int, size: int) -> list[bytes]:
        """Return the path of a block's receipts root to the root over blocks 1 to `size`."""
        ...

    def account_transactions(
        self, account: AccountId, before: Place | None, limit: int
    ) -> Sequence[Place]:
        """Return the places of what touched an account, newest first."""
        ...

    def events(self, start: Place, limit: int) -> EventPage: ...

    def records(self, query: IndexQuery, limit: int) -> Sequence[IndexHit]: ...


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

    `is_ready` says whether the node can take transactions that will become final, and
    `not_ready_because` why it cannot; `waits_for` is what the next block needs. Both are words for
    an operator.
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
    waits_for: str
    retention: str = "archive"


class EvidenceFound(msgspec.Struct, frozen=True):
    """Proof that a validator signed what an honest one never does: its votes, and their bytes."""

    first: Vote
    second: Vote
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
