"""The states that peers offer, and which of them to take. Pure.

Every node makes the same snapshots, so what is offered by more peers than may lie is offered by an
honest one; of those the newest is taken. Not here: whether an offer is true (`snapshot_checks`).
"""

from collections.abc import Mapping

from moyai.p2p.snapshot_checks import CheckedOffer
from moyai.primitives.ids import Height, NetworkKey
from moyai.primitives.state_snapshot import SnapshotDescription


class SnapshotOffers:
    """The last word of each peer: an offer, or that it has none.

    `wanted` is the height of a state that goes before others: parts of it are here already.
    """

    def __init__(self, *, wanted: Height | None, one_honest: int) -> None:
        self.wanted = wanted
        self._one_honest = one_honest
        self._said: dict[NetworkKey, CheckedOffer | None] = {}
        self._failed: list[SnapshotDescription] = []

    def __contains__(self, peer: NetworkKey) -> bool:
        return peer in self._said

    def add(self, peer: NetworkKey, offer: CheckedOffer | None) -> None:
        """Take note of what a peer has said."""
        self._said[peer] = offer

    def drop(self, peer: NetworkKey) -> None:
        """Forget what a peer has said."""
        self._said.pop(peer, None)

    def clear(self) -> None:
        """Forget what all have said."""
        self._said.clear()

    def empty_handed(self) -> tuple[NetworkKey, ...]:
        """Return who has said that it has none."""
        return tuple(peer for peer, offer in self._said.items() if offer is None)

    def claimants(self, epoch: int) -> tuple[NetworkKey, ...]:
        """Return whose offers lie beyond the end of an epoch: they must know how it ended."""
        return tuple(
            peer
            for peer, one in self._said.items()
            if one is not None and one.offer.certificate.epoch > epoch
        )

    def give_up(self, description: SnapshotDescription) -> None:
        """Nobody gave anything of this state for long: others go before it."""
        self._failed.append(description)

    def best(self) -> Mapping[NetworkKey, CheckedOffer]:
        """Return who offers the state to take, and what; nobody when there is none."""
        groups: list[dict[NetworkKey, CheckedOffer]] = []
        for peer, one in self._said.items():
            if one is None:
                continue
            group = next((each for each in groups if _same(each, one)), None)
            if group is None:
                groups.append({peer: one})
            else:
                group[peer] = one
        return max(groups, key=self._rank, default={})

    def _rank(self, group: Mapping[NetworkKey, CheckedOffer]) -> tuple[int, ...]:
        first = next(iter(group.values()))
        return (
            first.offer.description not in self._failed,
            first.height == self.wanted,
            len(group) >= self._one_honest,
            first.height,
            len(group),
        )


def _same(group: Mapping[NetworkKey, CheckedOffer], one: CheckedOffer) -> bool:
    return next(iter(group.values())).offer.description == one.offer.description
