"""What is known of the node becomes metrics: levels as they are, counters by what they grew."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from harness.core_city import CoreCity, CoreNode, document
from moyai.node import telemetry as telemetry_module
from moyai.node.observer import LogObserver
from moyai.node.telemetry import Counted, Telemetry
from moyai.primitives.stages import Stage, StageClock
from moyai.rpc.metrics import Metrics


class Scene:
    """The telemetry of a running core."""

    def __init__(self, node: CoreNode) -> None:
        self.node = node
        self.registry = CollectorRegistry()
        self.observer = LogObserver()
        self.seconds = 0.0
        self.stages = StageClock(lambda: self.seconds)
        self.telemetry = Telemetry(
            metrics=Metrics(self.registry),
            status=node.status.status,
            counted=Counted(self.observer, node.hub, self.stages),
            evidence_count=lambda: 2,
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"moyai_{name}", labels)


@pytest.fixture
def scene(city: CoreCity) -> Scene:
    return Scene(city.nodes[0])


def test_levels_are_those_of_the_status(city: CoreCity, scene: Scene) -> None:
    (outcome,) = scene.node.submit(document(1))
    city.run(lambda: scene.node.is_final(outcome))
    scene.node.submit(document(2))
    scene.telemetry.update()
    status = scene.node.status.status()
    assert scene.value("final_height") == status.final > 0
    assert scene.value("executed_height") == status.executed
    assert scene.value("committed_height") == status.committed
    assert scene.value("view") == status.view
    assert scene.value("quorum_needed") == 3
    assert scene.value("abstaining") == 0
    assert scene.value("pool_transactions") == 1
    assert scene.value("evidence") == 2
    assert scene.value("link_up", member="member-1") == 0


def test_counters_grow_by_what_was_added_since_the_last_time(scene: Scene) -> None:
    for _ in range(3):
        scene.observer.count("dropped", "inbox full")
    scene.observer.count("nullified", "no proposal")
    scene.node.hub.drops["late"] += 2
    scene.telemetry.update()
    scene.telemetry.update()
    scene.observer.count("dropped", "inbox full")
    scene.telemetry.update()
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in scene.registry.collect()
        for sample in metric.samples
        if sample.name in {"moyai_messages_dropped_total", "moyai_view_changes_total"}
    }
    assert sorted(samples.values()) == [1, 2, 4]


def test_processor_time_is_told_by_stage_up_to_the_moment(scene: Scene) -> None:
    scene.stages.enter(Stage.VERIFY)
    scene.seconds = 2.5
    scene.telemetry.update()
    assert scene.value("stage_seconds_total", stage="verify") == 2.5
    scene.seconds = 3.0
    scene.telemetry.update()
    assert scene.value("stage_seconds_total", stage="verify") == 3.0
    assert scene.value("stage_seconds_total", stage="loop") == 0


async def test_it_measures_until_it_is_cancelled(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = asyncio.Event()
    monkeypatch.setattr(telemetry_module, "LAG_SAMPLE_SECONDS", 0.001)
    monkeypatch.setattr(scene.telemetry, "update", measured.set)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(scene.telemetry.run())
        await measured.wait()
        running.cancel()
    assert scene.value("loop_lag_seconds") is not None
