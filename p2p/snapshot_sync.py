"""Taking over a state from peers: one run of a node that has none, or too old a one. Pure.

First a certified state is found, then it is loaded; when nobody gives it any more, the search
begins anew. A peer that contradicts a certificate is dropped and one that is silent passed over, so
the run ends although some lie. Not here: storing (the node's), blocks above the state (`sync`).
"""

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from moyai.p2p.errors import SyncFault
from moyai.p2p.snapshot_checks import CheckedOffer, RecentIds
from moyai.p2p.snapshot_load import (
    LoadEffect,
    PartsStored,
    RecentLoaded,
    SnapshotLoad,
    StorePart,
)
from moyai.p2p.snapshot_messages import EpochEndAnswer, SnapshotAnswer, StateAnswer
from moyai.p2p.snapshot_search import SearchPlan, SnapshotSearch
from moyai.p2p.sync import Ask, Blame
from moyai.primitives.epoch_end import EpochEnd
from moyai.primitives.genesis import Genesis
from moyai.primitives.ids import NetworkKey
from moyai.primitives.state_snapshot import SnapshotDescription


class Begin(msgspec.Struct, frozen=True):
    """This state is taken over: open its import and say with `begin` which parts are missing."""

    description: SnapshotDescription


class TakenOver(msgspec.Struct, frozen=True):
    """Everything is there and proven; `offer` tells what to catch up to next."""

    offer: CheckedOffer
    epoch_ends: tuple[EpochEnd, ...]
    recent: tuple[RecentIds, ...]


class NothingOffered(msgspec.Struct, frozen=True):
    """Peers of whom at least one is honest say that there is no snapshot; the search goes on."""


SnapshotEffect: TypeAlias = (
    Ask | Blame | Begin | StorePart | PartsStored | TakenOver | NothingOffered
)


class SnapshotSync:
    """One run. `step` is to be called every tenth of a second or so."""

    def __init__(self, genesis: Genesis, plan: SearchPlan, now_ms: int) -> None:
        self._search = SnapshotSearch(genesis, plan, now_ms)
        self._load: SnapshotLoad | None = None
        self._over = False

    @property
    def epochs_proven(self) -> int:
        """Return how many ends of epochs are proven."""
        return self._search.epochs_proven

    @property
    def parts_left(self) -> int | None:
        """Return how many parts are missing; none while that is not known."""
        return None if self._load is None else self._load.parts_left

    def add_sources(self, keys: Iterable[NetworkKey], now_ms: int) -> list[SnapshotEffect]:
        """Take more peers to ask."""
        self._search.add(keys)
        return self._go_on(now_ms)

    def peer_gone(self, peer: NetworkKey, now_ms: int) -> list[SnapshotEffect]:
        """The link to a peer went down: its questions are asked elsewhere."""
        self._search.gone(peer)
        if self._load is not None:
            self._load.gone(peer)
        return self._go_on(now_ms)

    def step(self, now_ms: int) -> list[SnapshotEffect]:
        """Give up on questions past their deadline, ask what can be asked."""
        return self._go_on(now_ms)

    def begin(self, missing: Iterable[int], now_ms: int) -> list[SnapshotEffect]:
        """The import is open and lacks these parts."""
        assert self._load is not None
        return [*self._effects(self._load.begin(missing)), *self._go_on(now_ms)]

    def load_recent(self, window_ms: int, now_ms: int) -> list[SnapshotEffect]:
        """Load the ids of transactions of the last `window_ms` before the state."""
        assert self._load is not None
        self._load.load_recent(window_ms)
        return self._go_on(now_ms)

    def on_answer(self, peer: NetworkKey, answer: StateAnswer, now_ms: int) -> list[SnapshotEffect]:
        """Take an answer; one that nothing asks for any more is ignored."""
        effects: list[SnapshotEffect] = []
        try:
            effects += self._take(peer, answer, now_ms)
        except SyncFault as fault:
            self._search.lied(peer)
            if self._load is not None:
                self._load.drop(peer)
            effects.append(Blame(peer, str(fault)))
        return effects + self._go_on(now_ms)

    def _take(self, peer: NetworkKey, answer: StateAnswer, now_ms: int) -> list[SnapshotEffect]:
        if isinstance(answer, SnapshotAnswer | EpochEndAnswer):
            if self._search.expects(peer, answer):
                holder = self._search.take(peer, answer, now_ms)
                if holder is not None and self._load is not None:
                    self._load.join(holder)
        elif self._load is not None and self._load.expects(peer, answer):
            return self._effects(self._load.take(peer, answer, now_ms))
        return []

    def _effects(self, effects: list[LoadEffect]) -> list[SnapshotEffect]:
        """Return the effects of loading, its end as the end of the run."""
        passed_on: list[SnapshotEffect] = []
        for effect in effects:
            if isinstance(effect, RecentLoaded):
                found = self._search.found
                assert found is not None
                self._over = True
                passed_on.append(TakenOver(found.offer, found.epoch_ends, effect.recent))
            else:
                passed_on.append(effect)
        return passed_on

    def _go_on(self, now_ms: int) -> list[SnapshotEffect]:
        if self._over:
            return []
        if self._load is not None and self._load.is_spent(now_ms):
            self._load = None
            self._search.give_up(now_ms)
        effects: list[SnapshotEffect] = [*self._search.go_on(now_ms)]
        found = self._search.found
        if self._load is None and found is not None:
            description = found.offer.offer.description
            self._load = SnapshotLoad(description, found.holders, now_ms)
            effects.append(Begin(description))
        elif self._load is not None:
            effects += self._effects(self._load.go_on(now_ms))
        elif self._search.nothing_offered:
            self._search.nothing_offered = False
            effects.append(NothingOffered())
        return effects
