"""A host that runs a shipped node: starts, stops, pauses and kills it, and keeps its files.

The stores are real LMDB files. Not here: when any of this happens (`chaos`).
"""

import shutil
import signal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from typing_extensions import override

from harness.core_city import GENESIS, MEMBERS, START_MS, identity_of
from harness.simulator.level import Violation
from harness.whole_city.machine_loop import MachineLoop, Nature
from harness.whole_city.plan import KillPoint
from harness.whole_city.virtual_time import MICROSECONDS_PER_MS
from harness.whole_city.world import World
from moyai.consensus.records import JournalRecord, VoteRecord
from moyai.node.assembly import Node, Stores
from moyai.node.beginning import Beginning
from moyai.node.clock import SystemClock
from moyai.node.config import MetricsConfig, NodeConfig, P2pConfig, StorageConfig
from moyai.node.daemon import live, open_stores
from moyai.node.halt import first_of
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.ids import Digest, Epoch, TimeMs, View
from moyai.rpc.settings import RpcConfig
from moyai.storage.backup import Owner, backup, restore
from moyai.storage.chain import WriteBatch
from moyai.storage.errors import CommitFailed, StorageFull
from moyai.storage.journal import Journal

MAP_BYTES = 128 * 1024**2
P2P_PORT, RPC_PORT, METRICS_PORT = 7000, 8545, 9464
MIDDLE_MARK = "started in the middle of a view"
NETWORK = genesis_digest(GENESIS)


class Killed(Exception):
    """The process is gone; nothing after this is done."""


class HostClock(SystemClock):
    """The clocks of a simulated machine."""

    def __init__(self, loop: MachineLoop, host: "HostedNode") -> None:
        self._loop = loop
        self._host = host

    @override
    def mono_ms(self) -> int:
        return int(self._loop.time() * 1_000)

    @override
    def wall_ms(self) -> TimeMs:
        return TimeMs(START_MS + self.mono_ms() + self._host.ahead_ms)


def node_address(place: int) -> str:
    return f"10.0.0.{place + 1}"


class HostedNode:
    """One machine with a node: `era` counts how often what it had on disk was taken from it."""

    def __init__(self, place: int, world: World, *, snapshot_blocks: int = 0) -> None:
        self.place = place
        self.name = f"member-{place}"
        self.address = node_address(place)
        self.ahead_ms = 0
        self.era = 0
        self.starts = 0
        self.started_us = 0
        self.is_full = False
        self.nature = Nature()
        self.loop: MachineLoop | None = None
        self.node: Node | None = None
        self.stores: Stores | None = None
        self._random = world.random(self.name)
        self._folder = world.folder / str(place)
        self._time = world.time
        self._network = world.network
        self._watcher = world.watcher
        self._point: KillPoint | None = None
        self._passes = 0
        self._is_silent = False
        self._snapshot_blocks = snapshot_blocks
        self._takes_state = False
        self._identity = identity_of(place)
        self._watcher.names[self.address] = self.name
        self._make_journal(Journal.create)

    # -- life

    @property
    def is_running(self) -> bool:
        """Return whether a process runs."""
        return self.loop is not None

    @property
    def height(self) -> int:
        """Return the height up to which its blocks are on disk; 0 while nothing runs."""
        return 0 if self.stores is None else self.stores.chain.committed_height

    def start(self) -> None:
        """Start the node on what its disk holds."""
        assert not self.is_running
        self.starts += 1
        self.started_us = self._time.now_us
        self._point = None
        self.is_full = False
        self.loop = MachineLoop(self._time, self._network, self.address, self.nature, self._random)
        self.loop.killed = self._killed
        self.loop.ended = self._ended
        self._watcher.note(self.name, "starts")
        self.loop.start(self._live(self.loop))

    async def _live(self, loop: MachineLoop) -> None:
        clock, config = HostClock(loop, self), self._config()

        @contextmanager
        def made() -> Iterator[Node]:
            with open_stores(config, GENESIS, self._identity) as stores:
                self._watch(stores)
                self._note_view_of_start(stores.journal)
                self.stores = stores
                self.node = Node(config, GENESIS, self._identity, stores, clock)
                try:
                    yield self.node
                    if stores.chain.height != stores.chain.committed_height:
                        raise Violation("a stopped node had not written what it had executed")
                finally:
                    self.node = self.stores = None

        await live(Beginning(config, GENESIS, self._identity, clock), made)

    def stop(self) -> None:
        """Send SIGTERM; the process ends in its own time."""
        assert self.loop is not None
        if signal.SIGTERM in self.loop.signals:
            self.loop.raise_signal(signal.SIGTERM)
        else:
            self.kill()

    def kill(self) -> None:
        """Be gone at once; the files stay as they are."""
        loop = self.loop
        if loop is None or loop.is_dead:
            return
        self._watcher.note(self.name, "is killed")
        loop.is_dead = True
        self._network.cut_off(loop, silently=self._is_silent)
        self._time.after(0, self._bury)

    def _killed(self) -> None:
        self._watcher.mark(KillPoint.CALLBACK.mark)
        self.kill()

    def kill_at(self, point: KillPoint, passes: int, *, silently: bool) -> None:
        """Be gone when a point is passed for that many times."""
        assert self.loop is not None
        self._is_silent = silently
        if point is KillPoint.CALLBACK:
            self.loop.kill_after(passes)
        else:
            self._point, self._passes = point, passes

    def spare(self) -> None:
        """Forget that it was to be killed."""
        self._point = None
        if self.loop is not None:
            self.loop.callbacks_left = None

    def pause(self, for_ms: int) -> None:
        """Get no time for a while."""
        if self.loop is not None:
            self.loop.pause(self._time.now_us + for_ms * MICROSECONDS_PER_MS)

    # -- the disk

    def wipe(self) -> None:
        """Lose everything but the keys; the operator makes a journal that does not vote yet."""
        assert not self.is_running
        self.era += 1
        shutil.rmtree(self._folder)
        self._takes_state = self._snapshot_blocks > 0
        self._make_journal(Journal.create_abstaining)

    def backup(self, name: str) -> None:
        """Copy the stores of the running node."""
        assert self.stores is not None
        target = self._folder.parent / f"{self.place}-{name}"
        backup(self.stores.chain, self.stores.journal, target, self._owner())

    def has_copy(self, name: str) -> bool:
        """Return whether that copy was made."""
        return (self._folder.parent / f"{self.place}-{name}").exists()

    def restore(self, name: str) -> None:
        """Put back a copy, as `moyai restore` does."""
        assert not self.is_running
        self.era += 1
        shutil.rmtree(self._folder)
        restore(self._folder.parent / f"{self.place}-{name}", self._folder, self._owner())

    def fill_disk(self) -> None:
        """Leave the stores no byte to grow, until the next start."""
        assert self.stores is not None
        self.is_full = True
        for store in (self.stores.chain, self.stores.journal):
            environment = store.environment
            environment._lmdb.set_mapsize(environment.used_bytes)

    def _make_journal(self, make: Callable[..., Journal]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        key = self._identity.journal_key
        make(self._folder / "journal", key, NETWORK, map_bytes=MAP_BYTES).close()

    def _owner(self) -> Owner:
        key = self._identity.journal_key
        return Owner(GENESIS, key, journal_map_bytes=MAP_BYTES, chain_map_bytes=MAP_BYTES)

    def _config(self) -> NodeConfig:
        peers = {f"member-{one}": f"{node_address(one)}:{P2P_PORT}" for one in range(MEMBERS)}
        return NodeConfig(
            data_dir=str(self._folder),
            sync_from="snapshot" if self._takes_state else "genesis",
            p2p=P2pConfig(listen=f"{self.address}:{P2P_PORT}", peers=peers),
            rpc=RpcConfig(listen=f"{self.address}:{RPC_PORT}"),
            metrics=MetricsConfig(listen=f"{self.address}:{METRICS_PORT}"),
            storage=StorageConfig(
                journal_map_bytes=MAP_BYTES,
                chain_map_bytes=MAP_BYTES,
                snapshot_blocks=self._snapshot_blocks,
            ),
        )

    # -- the points at which it can be killed

    def _watch(self, stores: Stores) -> None:
        """Stand between the node and its stores; what a killed process does not do is not done."""
        commit, prune = stores.journal.commit, stores.journal.prune
        take, write = stores.chain.take_pending, stores.chain.write
        loop = self.loop
        assert loop is not None

        def watched_commit(
            records: Sequence[JournalRecord], bodies: Mapping[Digest, tuple[bytes, ...]]
        ) -> None:
            self._pass(KillPoint.BEFORE_COMMIT, loop)
            commit(records, bodies)
            for record in records:
                if isinstance(record, VoteRecord):
                    self._watcher.voted(self.name, record.vote)
            self._pass(KillPoint.AFTER_COMMIT, loop)

        def watched_prune(floor_view: View, epoch: Epoch, keep: Collection[Digest]) -> None:
            self._pass(None, loop)
            prune(floor_view, epoch, keep)

        def watched_write(batch: WriteBatch) -> None:
            self._pass(KillPoint.BEFORE_WRITE, loop)
            write(batch)
            self._watcher.note(self.name, f"wrote up to height {stores.chain.committed_height}")
            self._pass(KillPoint.AFTER_WRITE, loop)

        stores.journal.commit = watched_commit  # type: ignore[method-assign]  # a point of death
        stores.journal.prune = watched_prune  # type: ignore[method-assign]  # a point of death
        stores.chain.write = watched_write  # type: ignore[method-assign]  # a point of death
        stores.chain.take_pending = lambda: None if loop.is_dead else take()  # type: ignore[method-assign]

    def _pass(self, point: KillPoint | None, loop: MachineLoop) -> None:
        if loop.is_dead:
            raise Killed
        if point is not None and point is self._point:
            self._passes -= 1
            if self._passes < 0:
                self._watcher.mark(point.mark)
                self.kill()
                raise Killed

    # -- ends

    def _ended(self) -> None:
        """The program has ended by itself: well, or because its disk is full."""
        loop = self.loop
        assert loop is not None
        assert loop.main is not None
        error = loop.main.exception()
        if isinstance(error, BaseExceptionGroup):
            error = first_of(error)
        loop.is_dead = True
        left, sockets = loop.unfinished, len(self._network.used_by(loop))
        self._network.cut_off(loop, silently=False)
        self._watcher.note(self.name, f"has stopped: {type(error).__name__}")
        if error is not None and not (
            self.is_full and isinstance(error, StorageFull | CommitFailed)
        ):
            raise Violation(f"{self.name} stopped by itself: {error!r}") from error
        if error is None and (left or sockets):
            raise Violation(f"a stopped node left something: tasks {left}, {sockets} connections")
        self._bury()

    def _bury(self) -> None:
        assert self.loop is not None
        self.loop.bury()
        self.loop = None
        self._is_silent = False

    def _note_view_of_start(self, journal: Journal) -> None:
        recovered = journal.load()
        final = recovered.floor.certificate.view if recovered.floor is not None else 0
        if any(vote.view > final for vote in recovered.votes):
            self._watcher.mark(MIDDLE_MARK)
