"""Whom to ask while catching up: the least busy peer that has not failed lately. Pure."""

from collections.abc import Iterable

from moyai.p2p import limits
from moyai.primitives.ids import Height, NetworkKey


class _Source:
    """How one peer has done in this catch-up."""

    __slots__ = ("asked", "base", "busy", "lacks", "rests_until_ms", "strikes")

    def __init__(self) -> None:
        self.busy = 0
        self.asked = 0
        self.strikes = 0
        self.rests_until_ms = 0
        self.lacks = False
        self.base = Height(0)


class SyncPeers:
    """The sources of one catch-up. A liar is dropped for good, a slow one rests for a while."""

    def __init__(self, keys: Iterable[NetworkKey]) -> None:
        self._sources: dict[NetworkKey, _Source] = {}
        self._liars: dict[NetworkKey, None] = {}
        self.add(keys)

    def add(self, keys: Iterable[NetworkKey]) -> None:
        """Take more sources, but nobody who lied."""
        for key in keys:
            if key not in self._liars:
                self._sources.setdefault(key, _Source())

    def choose(self, now_ms: int) -> NetworkKey | None:
        """Return whom to ask next and count the question; none when all are busy or resting."""
        best: NetworkKey | None = None
        best_rank = (limits.SYNC_REQUESTS_PER_PEER, 0, 0)
        for key, source in self._sources.items():
            rank = (source.busy, source.strikes, source.asked)
            if source.rests_until_ms <= now_ms and rank < best_rank:
                best, best_rank = key, rank
        if best is not None:
            self._sources[best].busy += 1
            self._sources[best].asked += 1
        return best

    def answered(self, key: NetworkKey) -> None:
        """The peer gave what was asked for."""
        source = self._sources.get(key)
        if source is not None:
            source.busy -= 1
            source.strikes = 0
            source.lacks = False

    def lacks(self, key: NetworkKey, now_ms: int) -> None:
        """The peer says it does not hold what was asked for: honest, but no help for a while."""
        source = self._sources.get(key)
        if source is not None:
            source.busy -= 1
            source.lacks = True
            source.rests_until_ms = now_ms + limits.SYNC_REST_MS

    def holds_from(self, key: NetworkKey, base: Height) -> None:
        """The peer says from which height on it holds blocks."""
        source = self._sources.get(key)
        if source is not None:
            source.base = base

    def bases_above(self, height: Height) -> dict[NetworkKey, Height]:
        """Return who has said that it holds the block at `height` no longer, and what it does."""
        return {key: one.base for key, one in self._sources.items() if one.base > height}

    def may_help(self, key: NetworkKey, height: Height) -> bool:
        """Return whether a peer may still give the block at `height`, as far as it has shown."""
        source = self._sources.get(key)
        if source is None:
            return key not in self._liars
        failed = source.lacks or source.strikes >= limits.SYNC_STRIKES_MAX
        return source.base <= height and not failed

    def late(self, key: NetworkKey, now_ms: int) -> None:
        """The peer let a deadline pass."""
        source = self._sources.get(key)
        if source is not None:
            source.busy -= 1
            source.strikes += 1
            if source.strikes % limits.SYNC_STRIKES_MAX == 0:
                source.rests_until_ms = now_ms + limits.SYNC_REST_MS

    def lied(self, key: NetworkKey) -> None:
        """The peer contradicted a certificate."""
        self._liars[key] = None
        self._sources.pop(key, None)

    def gone(self, key: NetworkKey) -> None:
        """The link to the peer went down; it may be added again."""
        self._sources.pop(key, None)

    def rested_ms(self) -> int | None:
        """Return when the first resting peer may be asked again; none when there is no peer."""
        return min((source.rests_until_ms for source in self._sources.values()), default=None)

    def __len__(self) -> int:
        return len(self._sources)
