"""A node of level 2: the shipped core on shipped stores, and a host that can fail in any way.

The host is its clock, timers, transport and disk, and does what the daemon does: it calls turns,
writes to the chain store, and keeps house every second. Not here: the network (`node_city`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Protocol

from harness.simulator.links import Links
from harness.simulator.node_judge import Judge
from harness.simulator.node_site import (
    MAP_BYTES,
    START_MS,
    Site,
    fresh_stores,
    read_stores,
    write_stores,
)
from moyai.consensus.inputs import Now, Timer
from moyai.consensus.records import JournalRecord, Recovered
from moyai.node.core import Core
from moyai.node.ingest import Submitted
from moyai.node.perform import Surroundings
from moyai.node.starting import read_start
from moyai.p2p.messages import TransactionRequest, WireMessage
from moyai.primitives.ids import Digest, Epoch, NetworkKey, TimeMs, View
from moyai.storage.chain import ChainStore
from moyai.storage.environment import FillLevel
from moyai.storage.errors import StorageFull
from moyai.storage.journal import Journal

BOOT_MS = 1_000
HOUSE_MS = 1_000
PRUNE_BLOCKS = 4
PAGE_BYTES = 4_096
META_PAGES = 2
ROOM_BYTES = (0, 8 * 1_024, 32 * 1_024)  # what a full disk still takes


class Died(Exception):
    """The process is gone in the middle of what it did."""


class Ground(Protocol):
    """What a node stands on: its city."""

    site: Site
    judge: Judge
    links: Links
    is_torn: bool

    @property
    def now_ms(self) -> float: ...

    def after(self, delay_ms: float, act: Callable[[], None]) -> None: ...

    def post(self, sender: "NodeProcess", to: NetworkKey, message: WireMessage) -> None: ...

    def linked(self, place: int) -> tuple[NetworkKey, ...]: ...

    def links_changed(self) -> None: ...

    def mark(self, name: str) -> None: ...

    def trace(self, place: int, event: object) -> None: ...


class NodeProcess:
    """One process after another on one disk."""

    def __init__(self, city: Ground, folder: Path, place: int, seed: int) -> None:
        self.city = city
        self.folder = folder
        self.place = place
        self.identity = city.site.identities[place]
        self.key = self.identity.network_key
        self.core: Core | None = None
        self.life = 0
        self._random = Random(seed * 1_009 + place)
        self._steps: int | None = None
        self._paused_until_ms = 0.0
        self._skew = (0, 0, 0.0)
        self._rate = 1.0
        self._map_bytes = MAP_BYTES
        self._fresh(lost=False)

    def _fresh(self, *, lost: bool) -> None:
        count, delta_ms = len(self.city.site.identities), self.city.site.genesis.parameters.delta_ms
        write_stores(self.folder, fresh_stores(count, delta_ms, self.place, lost=lost))

    # -- life and death

    @property
    def alive(self) -> bool:
        return self.core is not None

    def live(self) -> None:
        """Start with what the disk holds."""
        site = self.city.site
        self.life += 1
        self._timers: dict[Timer, float] = {}
        self._alarm_ms = 0.0
        self._awake = self._writing = False
        self._links: tuple[NetworkKey, ...] = ()
        self._pruned = 0
        self._evidence = 0
        self.journal = Journal.open(
            self.folder / "journal",
            self.identity.journal_key,
            site.digest,
            map_bytes=self._map_bytes,
        )
        self.chain = ChainStore.open(self.folder / "chain", site.genesis, map_bytes=self._map_bytes)
        start = read_start(self.identity, self.chain, self.journal)
        epoch = start.config.validators.epoch
        height = self.chain.committed_height
        self.city.judge.begins(self.place, height, epoch, start.recovered)
        if any(row.header.height > self.chain.height for row in start.recovered.blocks):
            self.city.mark("a block came back from the journal")
        if self.life > 1 and start.recovered.votes:
            self.city.mark("resumed in mid view")
        ports = Surroundings(clock=self, timers=self, transport=self, observer=self)
        self.core = Core(start, chain=self.chain, journal=self, ports=ports)
        self._keep_house_later()
        self.city.links_changed()
        self.wake()

    def die(self, keep: Callable[[], bool]) -> None:
        """End at once; a commit that has returned is on disk whatever `keep` says."""
        if self.core is not None:
            self.core = None
            self.chain.close()
            self.journal.close()
            self._steps, self._paused_until_ms = None, 0.0
            self.city.links_changed()

    def die_after(self, steps: int, keep: Callable[[], bool]) -> None:
        self._steps = steps

    def spare(self) -> None:
        self._steps = None

    def pause(self, until_ms: float) -> None:
        self._paused_until_ms = until_ms
        self.city.after(max(0.0, until_ms - self.city.now_ms), self.wake)

    def set_clock(self, jump_ms: int, drift: int) -> None:
        self._skew = (jump_ms, drift, self.city.now_ms)
        self._rate = 1 + drift / 1_000

    def wipe(self) -> None:
        self._fresh(lost=True)
        self.city.judge.forgets(self.place)

    def copy(self) -> object:
        """Return the disk as a backup taken now would have it."""
        if self.core is None:
            return read_stores(self.folder)
        self.chain.close()
        self.journal.close()
        files = read_stores(self.folder)
        self.core = None
        self.live()
        return files

    def restore(self, copy: object) -> None:
        assert isinstance(copy, dict)
        write_stores(self.folder, copy)
        site = self.city.site
        journal = Journal.open(self.folder / "journal", self.identity.journal_key, site.digest)
        journal.mark_abstaining()
        journal.close()
        self.city.judge.forgets(self.place)

    def fill_disk(self, *, full: bool) -> None:
        """Leave the stores hardly any room, or give it back; a store learns of it when opened."""
        was_full = self._map_bytes != MAP_BYTES
        if not full and not was_full:
            return
        alive = self.alive
        self.die(lambda: False)
        used = max(len(data) for data in read_stores(self.folder).values())
        self._map_bytes = used + self._random.choice(ROOM_BYTES) if full else MAP_BYTES
        if alive:
            self.live()

    # -- what the daemon does

    def wake(self) -> None:
        """Let the node work soon, after all else that happens at this moment."""
        if self.core is not None and not self._awake:
            self._awake = True
            self._later(0.0, self._work)

    def receive(self, sender: NetworkKey, message: WireMessage) -> None:
        """Take a message from the network; a paused process finds it later."""
        if self.core is not None and sender in self._links:
            self.city.trace(self.place, (sender, message))
            self._guarded(lambda core: core.receive(sender, message))
            self.wake()

    def submit(self, raws: Sequence[bytes], accepted: Callable[[list[bool]], None]) -> None:
        """Take transactions of a client."""

        def said(outcomes: list[Submitted]) -> None:
            accepted([one.refusal is None for one in outcomes])

        self._guarded(lambda core: core.submit(raws, said))
        self.wake()

    def tell_links(self) -> None:
        """Let the core know when its links have changed."""
        linked = self.city.linked(self.place)
        if self.core is not None and linked != self._links:
            self._links = linked
            self._guarded(lambda core: core.links_changed(linked))
            self.wake()

    def _later(self, delay_ms: float, act: Callable[[], None]) -> None:
        life = self.life
        self.city.after(delay_ms, lambda: act() if self.life == life and self.alive else None)

    def _guarded(self, act: Callable[[Core], None]) -> None:
        """Do something as the node; it may die of it."""
        assert self.core is not None
        try:
            act(self.core)
        except Died:
            self.die(lambda: False)
        except StorageFull:
            self.city.mark("a full disk stopped a node")
            self.die(lambda: False)

    def _work(self) -> None:
        self._awake = False
        if self.city.now_ms < self._paused_until_ms:
            return
        self._guarded(self._turns)

    def _turns(self, core: Core) -> None:
        now_ms = self.city.now_ms
        for timer in [name for name, due_ms in self._timers.items() if due_ms <= now_ms]:
            del self._timers[timer]
            self.city.trace(self.place, timer)
            core.fire(timer)
        due_ms = core.due_ms()
        if due_ms is not None and due_ms <= self.now().mono_ms:
            core.tick()
        while core.turn():
            pass
        if core.executed_ahead:
            self._write_later()
        self._judge_evidence(core)
        self._set_alarm(core)

    def _judge_evidence(self, core: Core) -> None:
        found = core.performer.evidence
        for evidence in found[self._evidence :]:
            self.city.judge.convicted(evidence)
            self.city.mark("evidence")
        self._evidence = len(found)

    def _set_alarm(self, core: Core) -> None:
        due = list(self._timers.values())
        ticks_ms = core.due_ms()
        if ticks_ms is not None:
            due.append(self.city.now_ms + max(1, ticks_ms - self.now().mono_ms))
        if not due:
            return
        alarm_ms = min(due)
        if not self.city.now_ms < self._alarm_ms <= alarm_ms:
            self._alarm_ms = alarm_ms
            self._later(alarm_ms - self.city.now_ms, self.wake)

    def _write_later(self) -> None:
        """Do what the writer thread does."""
        if not self._writing:
            self._writing = True
            self._later(self._random.choice((1.0, 3.0, 30.0)), lambda: self._guarded(self._write))

    def _write(self, core: Core) -> None:
        self._writing = False
        batch = self.chain.take_pending()
        if batch is None:
            return
        self._step(lambda: self.chain.write(batch), "chain")
        self.city.judge.written(self.place, batch.blocks)
        self._step()
        core.committed(self.chain.committed_height)
        self.wake()

    def _keep_house_later(self) -> None:
        self._later(HOUSE_MS, lambda: self._guarded(self._keep_house))

    def _keep_house(self, core: Core) -> None:
        self._keep_house_later()
        core.expire()
        if max(self.chain.fill_level, self.journal.fill_level) >= FillLevel.STOP:
            raise StorageFull("is nearly full", what="disk", next="make space")
        committed = self.chain.committed_height
        if committed >= self._pruned + PRUNE_BLOCKS and not core.is_changing_epoch:
            machine = core.machine.status()
            keep = core.executor.unwritten(committed)
            self.prune(machine.final_view, machine.epoch, keep)
            self._pruned = committed
        core.say_ready()
        self.wake()

    # -- ports

    def _step(self, act: Callable[[], None] = lambda: None, store: str = "") -> None:
        """Go on to the next effect or storage call, or die there; `act` writes to a store."""
        if self._steps is not None:
            self._steps -= 1
            if self._steps < 0:
                if store and self.city.is_torn:
                    self._tear(act, store)
                raise Died
        act()

    def _tear(self, act: Callable[[], None], store: str) -> None:
        """Leave some pages of a commit on disk, and the meta pages of before."""
        file = self.folder / store / "data.mdb"
        before = file.read_bytes()
        act()
        self.die(lambda: False)
        after = file.read_bytes()
        before += bytes(len(after) - len(before))
        torn = bytearray(before)
        for start in range(META_PAGES * PAGE_BYTES, len(after), PAGE_BYTES):
            if self._random.random() < 0.5:
                torn[start : start + PAGE_BYTES] = after[start : start + PAGE_BYTES]
        file.write_bytes(torn)
        self.city.mark("a commit was torn")

    def commit(
        self, records: Sequence[JournalRecord], bodies: Mapping[Digest, tuple[bytes, ...]]
    ) -> None:
        self._step(lambda: self.journal.commit(records, bodies), "journal")
        self.city.judge.committed(self.place, records)
        self.city.trace(self.place, records)
        self._step()

    def load(self) -> Recovered:
        return self.journal.load()

    def prune(self, floor_view: View, epoch: Epoch, keep: Collection[Digest]) -> None:
        self._step(lambda: self.journal.prune(floor_view, epoch, keep), "journal")
        self._step()

    def now(self) -> Now:
        jump_ms, drift, since_ms = self._skew
        now_ms = self.city.now_ms
        error_ms = jump_ms + int((now_ms - since_ms) * drift / 1_000)
        mono_ms = BOOT_MS + int(now_ms)
        return Now(mono_ms, TimeMs(START_MS + mono_ms + error_ms))

    def set(self, timer: Timer, delay_ms: int) -> None:
        self._timers[timer] = self.city.now_ms + max(1, delay_ms) * self._rate

    def clear(self, timer: Timer) -> None:
        self._timers.pop(timer, None)

    def send(self, to: NetworkKey, message: WireMessage) -> bool:
        self._step()
        self.city.judge.said(self.place, message)
        if isinstance(message, TransactionRequest):
            self.city.mark("a body was asked for")
        if to not in self._links:
            return False
        self.city.post(self, to, message)
        return True

    def broadcast(self, message: WireMessage, *, validators_only: bool = False) -> int:
        self.city.judge.said(self.place, message)
        self.city.trace(self.place, message)
        return sum(self.send(to, message) for to in self._links)

    def connected(self) -> tuple[NetworkKey, ...]:
        return self._links

    def report(self, peer: NetworkKey, reason: str) -> None:
        self.city.trace(self.place, f"reports {self.city.judge.name(peer)}: {reason}")
        self.city.judge.reported(peer, reason)

    def count(self, counter: str, reason: str) -> None:
        self.city.trace(self.place, f"counts {counter}: {reason}")

    def note(self, event: str, **details: object) -> None:
        self.city.trace(self.place, f"notes {event} {details}")
        names = {"catching_up": "caught up", "epoch_began": "an epoch ended"}
        if event in names:
            self.city.mark(names[event])
