"""The composition root: makes every part of a running node and joins them by callbacks."""

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from prometheus_client import CollectorRegistry

from moyai.consensus.inputs import Timer
from moyai.ledger.state import Values
from moyai.node.clock import SystemClock
from moyai.node.config import NodeConfig
from moyai.node.core import Core
from moyai.node.driver import Driver, LoopWrites
from moyai.node.follow_keys import FollowKeys
from moyai.node.housekeeping import Housekeeping
from moyai.node.identity import OwnIdentity, directory_of, hub_config
from moyai.node.measuring import BlockMetrics, MeasuredJournal, MeasuredWrites
from moyai.node.observer import LogObserver
from moyai.node.operator_actions import OperatorActions
from moyai.node.perform import Surroundings
from moyai.node.queries import NodeQueries, Reports
from moyai.node.starting import read_start
from moyai.node.status import StatusReporter
from moyai.node.telemetry import Counted, Telemetry
from moyai.node.timers import LoopTimers
from moyai.node.upkeep import Upkeep, UpkeepSettings
from moyai.node.writer import ChainWriter
from moyai.p2p.hub import Hub
from moyai.p2p.messages import WireMessage
from moyai.p2p.peers import Directory
from moyai.p2p.ports import Event, Handlers, Notice
from moyai.primitives.genesis import Genesis
from moyai.primitives.ids import Height, NetworkKey, TransactionId
from moyai.primitives.stages import Stage, StageClock
from moyai.primitives.state_keys import GOVERNANCE
from moyai.rpc.metrics import Metrics
from moyai.rpc.metrics_server import MetricsServer
from moyai.rpc.server import RpcServer
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal
from moyai.storage.state_snapshots import SnapshotFolder


class Stores(msgspec.Struct, frozen=True):
    """The two open stores of a node."""

    chain: ChainStore
    journal: Journal


class Node:
    """One running node: every part, and the callbacks between them.

    `clock` is all that it knows of the time, beside the loop that it runs on.
    """

    def __init__(
        self,
        config: NodeConfig,
        genesis: Genesis,
        identity: OwnIdentity,
        stores: Stores,
        clock: SystemClock | None = None,
    ) -> None:
        self._config = config
        self._genesis = genesis
        self._identity = identity
        self._chain = stores.chain
        self._journal = stores.journal
        self._clock = clock or SystemClock()
        self._stages = StageClock(time.thread_time)
        self._metrics = Metrics(CollectorRegistry())
        self._stop = asyncio.Event()
        self._fault: BaseException | None = None
        self._following = FollowKeys(config, genesis.chain_id)
        self._has_new_keys = False
        self._is_told_to_stop = False
        self._log = structlog.get_logger()

    @property
    def goes_on(self) -> bool:
        """Return whether it stopped only because new keys of this node have come into force."""
        return self._has_new_keys and not self._is_told_to_stop

    async def serve(self, made: Callable[[], None] = lambda: None) -> None:
        """Run until told to stop; `made` is called when every part is there and none runs yet.

        Raises what a part stopped with, alone or in a group.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_fault)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        self._make_core()
        self._make_door()
        made()
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._writer.run(), name="chain writer"),
                tasks.create_task(self._driver.run(), name="core"),
                tasks.create_task(self._hub.run(), name="links"),
                tasks.create_task(self._telemetry.run(), name="telemetry"),
                tasks.create_task(self._serve_door(), name="door"),
            ]
            self._log.info("started", chain=self._genesis.chain_id, height=self._chain.height)
            await self._stop.wait()
            self._log.info("stopping", height=self._chain.height)
            for task in running:
                task.cancel()
        if self._fault is not None:
            raise self._fault

    async def _serve_door(self) -> None:
        metrics_listen = self._config.metrics.listen
        update = self._telemetry.update
        metrics = MetricsServer(self._metrics, metrics_listen, update) if metrics_listen else None
        try:
            await self._rpc.start()
            if metrics is not None:
                await metrics.start()
            await asyncio.get_running_loop().create_future()
        finally:
            if metrics is not None:
                await metrics.stop()
            await self._rpc.stop()

    def _make_core(self) -> None:
        self._observer = LogObserver()
        self._hub = Hub(
            hub_config(self._config, self._genesis, self._identity, self._clock, self._stages),
            self._directory(),
            Handlers(self._on_message, self._on_link, self._on_notice),
        )
        snapshots = SnapshotFolder(self._config.snapshots_path)
        timers = LoopTimers(asyncio.get_running_loop(), self._on_timer)
        self._core = Core(
            read_start(self._identity, self._chain, self._journal),
            chain=self._chain,
            journal=MeasuredJournal(self._journal, self._metrics.journal_commit_seconds.observe),
            ports=Surroundings(
                self._clock, timers, self._hub, self._observer, snapshots, self._stages
            ),
        )
        storage = self._config.storage
        settings = UpkeepSettings(storage.snapshot_blocks, storage.retention_ms)
        self._upkeep = Upkeep(self._chain, snapshots, settings, self._observer)
        self._writer = ChainWriter(
            self._chain, self._on_committed, self._on_written, self._upkeep.turn
        )

    def _make_door(self) -> None:
        self._reporter = StatusReporter(
            identity=self._identity,
            core=self._core,
            chain=self._chain,
            hub=self._hub,
            clock=self._clock,
        )
        self._reporter.retention = self._config.storage.retention
        housekeeping = Housekeeping(
            core=self._core,
            chain=self._chain,
            journal=self._journal,
            status=self._reporter,
            expired=self._on_expired,
        )
        self._housekeeping = housekeeping
        self._driver = Driver(self._core, self._writer, self._keep_house)
        self._writes = MeasuredWrites(LoopWrites(self._core, self._driver), self._metrics)
        reclaimed = self._metrics.bytes_reclaimed
        reclaimed.set_function(lambda: self._upkeep.bytes_reclaimed)
        self._block_metrics = BlockMetrics(self._chain, self._metrics, self._writes.final)
        self._telemetry = Telemetry(
            metrics=self._metrics,
            status=self._reporter.status,
            counted=Counted(self._observer, self._hub, self._stages),
            evidence_count=lambda: len(self._core.performer.evidence),
        )
        queries = NodeQueries(
            genesis=self._genesis,
            chain=self._chain,
            writes=self._writes,
            admin=OperatorActions(self._end),
            reports=Reports(self._reporter.status, self._reporter.evidence, self._clock),
        )
        self._rpc = RpcServer(queries, self._config.rpc, self._metrics, self._stages)

    def _on_message(self, peer: NetworkKey, message: WireMessage) -> None:
        self._core.receive(peer, message)
        self._driver.wake()

    def _on_link(self, _peer: NetworkKey, _up: bool) -> None:
        self._core.links_changed(self._hub.connected())
        self._driver.wake()

    def _on_notice(self, notice: Notice) -> None:
        self._log.info(str(notice.event), peer=notice.peer, reason=notice.reason)
        if notice.event is Event.FAULT:
            self._metrics.peer_faults.labels(notice.peer).inc()

    def _on_timer(self, timer: Timer) -> None:
        self._core.fire(timer)
        self._driver.wake()

    def _on_written(self, elapsed: float, busy: float) -> None:
        self._metrics.chain_commit_seconds.observe(elapsed)
        self._stages.add(Stage.STORE, busy)

    def _on_committed(self, height: Height) -> None:
        with self._stages.at(Stage.NEWS):
            self._core.committed(height)
            self._follow_members()
            self._reporter.committed()
            self._block_metrics.committed(height)
            self._rpc.committed(height)
        self._driver.wake()

    def _directory(self) -> Directory:
        """Return whom this node may link to, as the newest executed block has it."""
        state = Values(self._chain.states)
        self._governance = state.value(GOVERNANCE)
        return directory_of(state, self._chain.tip_header, self._config.p2p)

    def _follow_members(self) -> None:
        """Link to those who join or are about to, and no longer to those who have left."""
        if Values(self._chain.states).value(GOVERNANCE) != self._governance:
            self._hub.update_directory(self._directory())

    def _end(self) -> None:
        self._is_told_to_stop = True
        self._stop.set()

    def _keep_house(self, expired: list[TransactionId]) -> None:
        self._housekeeping(expired)
        if self._following.is_due(self._core.config):
            self._log.warning("keys_change", height=self._chain.height)
            self._has_new_keys = True
            self._stop.set()
        elif self._core.follows_tip:
            ready = self._following.readiness(Values(self._chain.states), self._clock.wall_ms())
            if ready is not None:
                self._core.submit((ready,), lambda _: None)

    def _on_expired(self, transactions: list[TransactionId]) -> None:
        self._rpc.expired(transactions)

    def _on_fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A bug in a callback must stop the node, not only be written to the log."""
        fault = context.get("exception")
        if fault is None:
            self._log.error("event_loop", message=str(context.get("message")))
            return
        self._fault = fault
        self._stop.set()
