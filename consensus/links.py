"""Which peers are linked, and how much each may still be answered until the next status tick.

Not here: what is answered (`catchup`, `fetching`).
"""

from moyai.consensus.limits import ANSWERS_PER_STATUS_MAX
from moyai.primitives.ids import NetworkKey, ValidatorIndex


class Links:
    """Live links in key order, and the answer budget of each."""

    def __init__(self, network_keys: tuple[NetworkKey, ...]) -> None:
        self._indexes = {key: ValidatorIndex(index) for index, key in enumerate(network_keys)}
        self._budget: dict[NetworkKey, int] = {}
        self.connected: tuple[NetworkKey, ...] = ()

    def change(self, connected: tuple[NetworkKey, ...]) -> list[NetworkKey]:
        """Take in the links; return the new ones, in order."""
        before = set(self.connected)
        self.connected = connected
        self._budget = {key: self._budget.get(key, ANSWERS_PER_STATUS_MAX) for key in connected}
        return [key for key in connected if key not in before]

    def validators(self) -> list[NetworkKey]:
        """Return the linked validators."""
        return [key for key in self.connected if key in self._indexes]

    def validator(self, key: NetworkKey) -> ValidatorIndex | None:
        """Return whose key this is, or none for a full node."""
        return self._indexes.get(key)

    def refill(self) -> None:
        """Give every peer its answers of the next period."""
        for key in self._budget:
            self._budget[key] = ANSWERS_PER_STATUS_MAX

    def spend(self, key: NetworkKey, answers: int) -> int:
        """Return how many of `answers` may be sent to a peer now."""
        left = self._budget.get(key, ANSWERS_PER_STATUS_MAX)
        granted = min(left, answers)
        self._budget[key] = left - granted
        return granted
