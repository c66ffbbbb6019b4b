"""Lets the traitors of level 1 lie at level 2: what they ask of their world is answered here.

Their lies become bytes; what no decoder takes never arrives, as on a real link.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.byzantine import TRAITORS
from moyai.p2p.messages import WireMessage
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import NetworkKey, ValidatorIndex
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote, vote_message

if TYPE_CHECKING:
    from random import Random

    from harness.simulator.node_city import NodeCity
    from harness.simulator.node_process import NodeProcess


class Book:
    """The keys of the city, all of them: a traitor's are used, the others to know who is who."""

    def __init__(self, city: "NodeCity", node: "NodeProcess") -> None:
        self._city = city
        self._node = node

    @property
    def validators(self) -> ValidatorSet:
        assert self._node.core is not None
        return self._node.core.config.validators

    def at(self, epoch: int) -> "Book":
        return self

    def index_of(self, key: NetworkKey, epoch: int) -> ValidatorIndex | None:
        return self.validators.index_of(self._city.by_key[key].identity.journal_key)

    def vote(self, vote: Vote) -> Vote:
        key = self.validators.keys[vote.signer % len(self.validators)]
        signing = next(
            each.signing for each in self._city.site.identities if each.journal_key == key
        )
        assert signing is not None
        chain_id = self._city.site.genesis.chain_id
        message = vote_message(chain_id, vote.epoch, vote.view, vote.kind, vote.digest)
        return Vote(
            vote.epoch, vote.view, vote.kind, vote.digest, vote.signer, signing.sign(message)
        )


class Shown:
    """A node as a traitor sees its own, and those whose votes it has overheard."""

    def __init__(self, city: "NodeCity", node: "NodeProcess") -> None:
        self._city = city
        self._node = node
        self.key = node.key

    @property
    def index(self) -> int | None:
        assert self._node.core is not None
        return self._node.core.config.index

    @property
    def chain(self) -> "Shown":
        return self

    @property
    def journal(self) -> "Shown":
        return self

    @property
    def epoch(self) -> int:
        assert self._node.core is not None
        return self._node.core.config.validators.epoch

    @property
    def blocks(self) -> list[Any]:
        return self._city.judge.chain_of(self._node.place)

    @property
    def tip(self) -> Any:
        return self.blocks[-1]

    @property
    def votes(self) -> dict[int, Any]:
        return dict(enumerate(self._city.judge.records_of(self._node.place)))


class Disguise:
    """The traitor of a plan."""

    def __init__(self, city: "NodeCity", sin: str, place: int) -> None:
        self.place = place
        self.random: Random = city.random
        self._city = city
        self._behaviour: Any = TRAITORS[sin]()
        self._node = Shown(city, city.nodes[place])
        self.city = Book(city, city.nodes[place])

    @property
    def nodes(self) -> list[Shown]:
        order = {identity.journal_key: identity for identity in self._city.site.identities}
        places = [self._city.by_key[order[key].network_key] for key in self.city.validators.keys]
        return [Shown(self._city, node) for node in places]

    def after(self, delay_ms: float, act: Callable[[], None]) -> None:
        self._city.after(delay_ms, act)

    def carry(self, sender: NetworkKey, to: NetworkKey, message: WireMessage) -> None:
        """Put on the wire what can be put there."""
        try:
            self._city.carry(self._city.by_key[sender].place, to, message)
        except MoyaiError:
            return

    def instead(self, to: NetworkKey, message: WireMessage) -> list[WireMessage]:
        """Return what leaves in place of a message."""
        if self._node.index is None:
            return [message]
        return list(self._behaviour.instead(self, self._node, to, message))
