"""Cut, one-way, slow and broken links: what a network does without any node being at fault."""

import asyncio

from typing_extensions import override

from harness.chaos.city import ChaosCity, ChaosNode
from harness.chaos.nemeses.nemesis import Harm


class LinkHarm(Harm):
    """Harm to links alone; healing ends it on every link."""

    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """Carry everything again."""
        city.relays.heal()
        return []


class Halves(LinkHarm):
    """Two groups that do not reach each other; neither is a quorum. Cables, or refusals."""

    name = "partition: halves"

    async def inject(self, city: ChaosCity) -> None:
        """Cut."""
        places = list(range(len(city.nodes)))
        city.chance.shuffle(places)
        middle = len(places) // 2
        silent = city.chance.random() < 0.5
        for one, other in city.relays.crossing([places[:middle], places[middle:]]):
            if silent:
                city.relays.hold(one, other)
                city.relays.hold(other, one)
            else:
                city.relays.sever(one, other)


class Alone(LinkHarm):
    """The next leader reaches nobody."""

    name = "partition: leader alone"

    async def inject(self, city: ChaosCity) -> None:
        """Cut."""
        victim = city.leads_next()
        for other in city.nodes:
            if other is not victim:
                city.relays.hold(victim.place, other.place)
                city.relays.hold(other.place, victim.place)


class Ring(LinkHarm):
    """Each node reaches its two neighbours and nobody else."""

    name = "partition: ring"

    async def inject(self, city: ChaosCity) -> None:
        """Cut all that is no edge of the ring."""
        count = len(city.nodes)
        for one in range(count):
            for other in range(one + 1, count):
                if other - one not in (1, count - 1):
                    city.relays.sever(one, other)


class OneWay(LinkHarm):
    """One node is heard by nobody, or hears nobody."""

    name = "one-way cut"

    async def inject(self, city: ChaosCity) -> None:
        """Cut one direction."""
        (victim,) = city.pick()
        deaf = city.chance.random() < 0.5
        for other in city.nodes:
            if other is not victim:
                pair = (victim.place, other.place)
                city.relays.hold(*(reversed(pair) if deaf else pair))


class Freeze(LinkHarm):
    """A random subset of directions stands still, one after another."""

    name = "frozen links"

    async def inject(self, city: ChaosCity) -> None:
        """Freeze them one by one."""
        pairs = list(city.relays.ports)
        for pair in city.chance.sample(pairs, len(pairs) // 3):
            city.relays.hold(*pair)
            await asyncio.sleep(city.chance.uniform(0.0, 0.3))


class SlowLinks(LinkHarm):
    """Every direction has its own delay, and some carry few bytes a second."""

    name = "slow links"
    hold_seconds = (2.0, 5.0)

    async def inject(self, city: ChaosCity) -> None:
        """Slow all of them."""
        for pair in city.relays.ports:
            few = 200_000.0 if city.chance.random() < 0.3 else 0.0
            city.relays.slow(*pair, delay=city.chance.uniform(0.005, 0.1), bytes_per_second=few)


class LostConnections(LinkHarm):
    """Every connection breaks, pair by pair, and may come up again at once."""

    name = "lost connections"
    hold_seconds = (0.0, 0.5)

    @override
    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        return []

    async def inject(self, city: ChaosCity) -> None:
        """Break them."""
        for one, other in city.chance.sample(list(city.relays.ports), len(city.relays.ports)):
            city.relays.drop(one, other)
            await asyncio.sleep(city.chance.uniform(0.0, 0.1))
