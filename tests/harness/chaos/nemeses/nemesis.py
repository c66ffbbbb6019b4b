"""What every kind of harm has in common, and what its heal is measured by."""

from typing import Protocol

from harness.chaos.city import ChaosCity, ChaosNode


class Nemesis(Protocol):
    """Harm that is done to a city, and taken back."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    @property
    def hold_seconds(self) -> tuple[float, float]:
        """How long the harm lasts, at least and at most."""

    def possible(self, city: ChaosCity) -> bool:
        """Whether this machine allows it."""

    async def inject(self, city: ChaosCity) -> None:
        """Do harm. Raises `ChaosError` when a node does not answer it as it must."""

    async def heal(self, city: ChaosCity) -> list[ChaosNode]:
        """Take it back; return the nodes that started again and must vote again soon."""


class Harm:
    """What most kinds do: possible everywhere, for some seconds, nobody starts again."""

    name = "harm"
    hold_seconds = (1.0, 4.0)

    def possible(self, city: ChaosCity) -> bool:
        """Every machine allows it."""
        return bool(city.nodes)
