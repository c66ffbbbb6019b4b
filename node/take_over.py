"""Takes over a state: runs `p2p.snapshot_sync` and feeds what it proves to an import.

One thread owns it and nothing here waits. Not here: links (`bootstrap`), and the blocks above the
state (`gap`).
"""

from collections.abc import Callable, Collection, Sequence
from hashlib import sha256

import structlog

from moyai.node.ports import StateImport, Transport
from moyai.p2p.snapshot_load import PartsStored, StorePart
from moyai.p2p.snapshot_messages import StateAnswer
from moyai.p2p.snapshot_search import SearchPlan
from moyai.p2p.snapshot_sync import (
    Begin,
    NothingOffered,
    SnapshotEffect,
    SnapshotSync,
    TakenOver,
)
from moyai.p2p.sync import Ask, Blame
from moyai.primitives.codec import Codec
from moyai.primitives.genesis import Genesis
from moyai.primitives.ids import DIGEST_BYTES, NetworkKey
from moyai.primitives.parameters import Parameters
from moyai.primitives.state_keys import PARAMETERS
from moyai.primitives.state_snapshot import SnapshotDescription, SnapshotLeaf

PROGRESS_MS = 5_000


class TakeOver:
    """One run; `taken` is its end, `nothing_offered` says that there was nothing to take."""

    def __init__(
        self,
        genesis: Genesis,
        plan: SearchPlan,
        *,
        open_import: Callable[[SnapshotDescription], StateImport],
        transport: Transport,
        now_ms: int,
    ) -> None:
        self.taken: TakenOver | None = None
        self.nothing_offered = False
        self.state_import: StateImport | None = None
        self._open_import = open_import
        self._transport = transport
        self._sync = SnapshotSync(genesis, plan, now_ms)
        self._linked: tuple[NetworkKey, ...] = ()
        self._parameters: Parameters | None = None
        self._told_ms = now_ms
        self._parts = 0
        self._log = structlog.get_logger()

    def links_changed(self, linked: Collection[NetworkKey], now_ms: int) -> None:
        """The set of linked peers is another."""
        gone = [peer for peer in self._linked if peer not in linked]
        self._linked = tuple(linked)
        for peer in gone:
            self._perform(self._sync.peer_gone(peer, now_ms), now_ms)
        self._perform(self._sync.add_sources(linked, now_ms), now_ms)

    def receive(self, peer: NetworkKey, answer: StateAnswer, now_ms: int) -> None:
        """Take an answer of a peer."""
        self._perform(self._sync.on_answer(peer, answer, now_ms), now_ms)

    def tick(self, now_ms: int) -> None:
        """Do what time alone asks for; say now and then how far it is."""
        self._perform(self._sync.step(now_ms), now_ms)
        if now_ms - self._told_ms >= PROGRESS_MS:
            self._told_ms = now_ms
            self._log.info("taking_over_state", progress=self.progress, links=len(self._linked))

    @property
    def progress(self) -> str:
        """Return in words how far it is."""
        left = self._sync.parts_left
        if left is None:
            return f"looking for a state, {self._sync.epochs_proven} epochs proven"
        if left:
            return f"{self._parts - left} of {self._parts} parts"
        return "recent transactions"

    def close(self) -> None:
        """Leave the import for the next start to go on from."""
        if self.state_import is not None:
            self.state_import.close()
            self.state_import = None

    def _perform(self, effects: list[SnapshotEffect], now_ms: int) -> None:
        for effect in effects:
            match effect:
                case Ask(peer, request):
                    self._transport.send(peer, request)
                case Blame(peer, reason):
                    self._transport.report(peer, reason)
                case Begin(description):
                    self._begin(description, now_ms)
                case StorePart(index, leaves):
                    assert self.state_import is not None
                    self.state_import.add_part(index, leaves)
                    self._look_for_parameters(leaves)
                case PartsStored():
                    window_ms = self._window_ms()
                    self._perform(self._sync.load_recent(window_ms, now_ms), now_ms)
                case TakenOver():
                    self.taken = effect
                case NothingOffered():
                    self.nothing_offered = True

    def _begin(self, description: SnapshotDescription, now_ms: int) -> None:
        self.close()
        self.state_import = self._open_import(description)
        missing = self._missing(self.state_import, description)
        self._parts = 1 << description.depth
        height = description.header.height
        self._log.info("state_found", height=height, parts=self._parts, missing=len(missing))
        self._perform(self._sync.begin(missing, now_ms), now_ms)

    def _missing(self, state: StateImport, description: SnapshotDescription) -> tuple[int, ...]:
        """Return the parts to ask for: those not here, and the one that has the parameters."""
        digest = int.from_bytes(sha256(PARAMETERS).digest(), "big")
        own = digest >> 8 * DIGEST_BYTES - description.depth
        return tuple(sorted({*state.missing(), own}))

    def _look_for_parameters(self, leaves: Sequence[SnapshotLeaf]) -> None:
        for leaf in leaves:
            if leaf.key == PARAMETERS and leaf.value is not None:
                self._parameters = parameters_codec.decode(leaf.value)

    def _window_ms(self) -> int:
        """Return for how long a transaction could be repeated, as the state itself says."""
        assert self._parameters is not None, "a proven state has its parameters"
        return self._parameters.tx_window_ms


parameters_codec = Codec(Parameters, name="parameters of the state")
