"""Carries what the node knows of itself into the metrics, once a second.

Counters of the parts only grow, so a metric gets what was added since the last time. Not here: the
names of the metrics (`rpc.metrics`).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from typing import TypeVar

import msgspec
from prometheus_client import Counter as PrometheusCounter

from moyai.node.observer import LogObserver
from moyai.p2p.hub import Hub
from moyai.primitives.stages import Stage, StageClock
from moyai.rpc.metrics import Metrics
from moyai.rpc.ports import NodeStatus

Key = TypeVar("Key", bound=Hashable)

PERIOD_SECONDS = 1.0
LAG_SAMPLE_SECONDS = 0.05


class Counted(msgspec.Struct, frozen=True):
    """The parts that count for themselves."""

    observer: LogObserver
    hub: Hub
    stages: StageClock


class Telemetry:
    """One node's numbers."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        status: Callable[[], NodeStatus],
        counted: Counted,
        evidence_count: Callable[[], int],
    ) -> None:
        self._metrics = metrics
        self._status = status
        self._observer = counted.observer
        self._hub = counted.hub
        self._evidence_count = evidence_count
        self._core_seen: Counter[tuple[str, str]] = Counter()
        self._hub_seen: Counter[str] = Counter()
        self._stages = counted.stages
        self._stages_seen = [0.0] * len(Stage)

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        next_update = loop.time()
        while True:
            due = loop.time() + LAG_SAMPLE_SECONDS
            await asyncio.sleep(LAG_SAMPLE_SECONDS)
            self._metrics.loop_lag_seconds.set(max(0.0, loop.time() - due))
            if loop.time() >= next_update:
                next_update = loop.time() + PERIOD_SECONDS
                self.update()

    def update(self) -> None:
        """Bring every metric up to this moment."""
        status = self._status()
        self._chain(status)
        self._links(status)
        metrics = self._metrics
        metrics.pool_transactions.set(status.pool.transactions)
        metrics.pool_bytes.set(status.pool.size_bytes)
        metrics.unchecked_transactions.set(status.pool.unchecked)
        metrics.disk_used_percent.set(status.disk.used_percent)
        metrics.evidence.set(self._evidence_count())
        for (counter, reason), added in self._grown(self._core_seen, self._observer.counts):
            self._core_counter(counter, reason).inc(added)
        for reason, added in self._grown(self._hub_seen, self._hub.drops):
            metrics.messages_dropped.labels("link", reason).inc(added)
        self._processor_time()

    def _processor_time(self) -> None:
        self._stages.enter(self._stages.enter(Stage.LOOP))  # what has run until now is counted
        for stage in Stage:
            seconds = self._stages.seconds[stage]
            added = seconds - self._stages_seen[stage]
            self._metrics.stage_seconds.labels(stage.name.lower()).inc(added)
            self._stages_seen[stage] = seconds

    def _core_counter(self, counter: str, reason: str) -> PrometheusCounter:
        metrics = self._metrics
        match counter:
            case "nullified":
                return metrics.view_changes.labels(reason)
            case "empty_block":
                return metrics.empty_blocks.labels(reason)
            case "invalid_block":
                return metrics.invalid_blocks.labels(reason)
            case "alarm" | "abstaining":
                return metrics.alarms.labels(counter)
            case _:
                return metrics.messages_dropped.labels("message", reason)

    def _chain(self, status: NodeStatus) -> None:
        metrics = self._metrics
        metrics.final_height.set(status.final)
        metrics.executed_height.set(status.executed)
        metrics.committed_height.set(status.committed)
        metrics.view.set(status.view)
        metrics.epoch.set(status.epoch)
        metrics.quorum_reached.set(status.quorum.reached)
        metrics.quorum_needed.set(status.quorum.needed)
        metrics.is_abstaining.set(status.mode == "abstaining")

    def _links(self, status: NodeStatus) -> None:
        for link in status.links:
            self._metrics.link_up.labels(link.name).set(link.is_linked)

    @staticmethod
    def _grown(seen: Counter[Key], counters: Counter[Key]) -> list[tuple[Key, int]]:
        """Return what each counter has grown by since the last time."""
        grown = [(key, counters[key] - seen[key]) for key in counters]
        seen.update(dict(grown))
        return [(key, added) for key, added in grown if added]
