"""Every node is stopped and started in turn, with the same installation, or with another one."""

from typing_extensions import override

from harness.chaos.city import ChaosCity, ChaosError, ChaosNode
from harness.chaos.installation import install
from harness.chaos.nemeses.nemesis import Harm


class RollingRestart(Harm):
    """As an operator does it: one after another, the next one once the last one is ready."""

    name = "rolling restart"
    hold_seconds = (0.0, 0.1)

    async def inject(self, city: ChaosCity) -> None:
        """Restart them all."""
        for node in city.nodes:
            code = await node.stop()
            if code != 0:
                raise ChaosError(f"ended with {code} when asked to stop", what=node.node.slug)
            self.prepare(city, node)
            node.start()
            await city.ready([node])

    def prepare(self, city: ChaosCity, node: ChaosNode) -> None:
        """Do what is to be done while the node is down: nothing."""

    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """All of them run already."""
        return []


class RollingUpgrade(RollingRestart):
    """The same, into a second installation; half way through, the city is mixed."""

    name = "rolling upgrade"

    @override
    def prepare(self, city: ChaosCity, node: ChaosNode) -> None:
        node.environment["PYTHONPATH"] = install(city.folder / "second-installation")
