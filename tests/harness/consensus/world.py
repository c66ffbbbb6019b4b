"""The simulated world: one virtual clock, one seed, links with faults, nodes that die and come
back.

Not here: what must always hold (`invariants`).
"""

import heapq
from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import Protocol

import msgspec

from harness.consensus.invariants import Invariants
from harness.consensus.keys import CHAIN_ID, City, network_key_of
from harness.consensus.shell import Node, Ports, Transactions, WireMessage
from harness.consensus.store import GENESIS, Chain
from moyai.consensus.config import MachineConfig
from moyai.consensus.effects import Effect
from moyai.consensus.inputs import LinksChanged, Now
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import NetworkKey, TimeMs, TransactionId, ValidatorIndex
from moyai.primitives.parameters import Parameters


class Network(msgspec.Struct):
    """How messages travel; a fault is a number, 0 is none."""

    delay_ms: float = 5.0
    spread_ms: float = 2.0
    loss: float = 0.0
    duplicate: float = 0.0
    slow: float = 0.0  # share of messages that take `slow_ms` more
    slow_ms: float = 300.0


class Behaviour(Protocol):
    """How a traitor differs from an honest node: what it sends in place of a message."""

    def instead(
        self, world: "World", node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]: ...


class World:
    """Everything of one simulation; the same seed gives the same history."""

    def __init__(
        self,
        count: int = 4,
        seed: int = 0,
        *,
        parameters: Parameters | None = None,
        observers: int = 0,
        joining: int = 0,
    ) -> None:
        self.random = Random(seed)
        self.city = City(count)
        self.changes: dict[TransactionId, tuple[int, ...]] = {}
        self.parameters = parameters or Parameters()
        self.network = Network()
        self.now_ms = 0.0
        self.steps = 0
        self.cut: set[tuple[NetworkKey, NetworkKey]] = set()
        self.down: set[NetworkKey] = set()
        self.clock_offset_ms: dict[NetworkKey, int] = {}
        self.double_sign_check_ms = 0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        self._submitted = 0
        self.taps: list[Callable[[Node, Effect], None]] = []
        keys: list[tuple[NetworkKey, ValidatorIndex | None]] = [
            (key, ValidatorIndex(index)) for index, key in enumerate(self.city.network_keys)
        ]
        keys += [(network_key_of(count + number), None) for number in range(joining)]
        keys += [
            (NetworkKey(sha256(b"observer %d" % number).digest()), None)
            for number in range(observers)
        ]
        self.nodes = [Node(key, index, self._ports(key)) for key, index in keys]
        self.by_key = {node.key: node for node in self.nodes}
        self.byzantine: dict[NetworkKey, Behaviour] = {}
        self.invariants = Invariants(self.city, self.byzantine)

    # -- time

    def after(self, delay_ms: float, act: Callable[[], None]) -> None:
        self._serial += 1
        heapq.heappush(self._queue, (self.now_ms + max(0.0, delay_ms), self._serial, act))

    def run(self, duration_ms: float, until: Callable[[], bool] | None = None) -> bool:
        """Let time pass; return whether `until` came true."""
        end = self.now_ms + duration_ms
        while self._queue and self._queue[0][0] <= end:
            self.now_ms, _, act = heapq.heappop(self._queue)
            self.steps += 1
            act()
            if until is not None and until():
                return True
        self.now_ms = end
        return until is not None and until()

    # -- nodes

    def _ports(self, key: NetworkKey) -> Ports:
        def now() -> Now:
            wall = GENESIS.time_ms + 1_000 + int(self.now_ms) + self.clock_error_ms(key)
            return Now(int(self.now_ms), TimeMs(wall))

        return Ports(
            city=self.city,
            send=self.send,
            after=self.after,
            now=now,
            observe=self._observe,
            sync_source=self._sync_source,
            peers=lambda node: [
                p for p in self.by_key if p != node.key and self.linked(p, node.key)
            ],
            validators=lambda node: [
                key for key in self.city.at(node.chain.epoch).network_keys if key != node.key
            ],
            jitter_ms=lambda most: self.random.random() * most,
            make_config=self.config,
            connected=self._connected,
            changes=self.changes,
        )

    def clock_error_ms(self, key: NetworkKey) -> int:
        """Return by how much the clock of a node is ahead."""
        return self.clock_offset_ms.get(key, 0)

    def _observe(self, node: Node, effect: Effect) -> None:
        for tap in self.taps:
            tap(node, effect)
        if node.key not in self.byzantine:
            self.invariants.check(node, effect)

    def config(self, node: Node) -> MachineConfig:
        """Return the surroundings of a machine in the epoch that the node's chain store is in."""
        epoch = node.chain.epoch
        roster = self.city.at(epoch)
        index = self.city.index_of(node.key, epoch)
        return MachineConfig(
            chain_id=CHAIN_ID,
            validators=roster.validators,
            network_keys=roster.network_keys,
            index=index,
            parameters=self.parameters,
            sign=self.city.signer(index or 0, epoch),
            tip=node.chain.final_tip(),
            double_sign_check_ms=self.double_sign_check_ms,
        )

    def start(self, *nodes: Node) -> None:
        """Start these nodes, or all that are no traitors."""
        for node in nodes or self.nodes:
            if node.alive or node.halted:
                continue
            self.down.discard(node.key)
            node.start()
        self.links_changed()

    def kill(self, *nodes: Node) -> None:
        for node in nodes:
            if node.alive:
                node.crash()
            self.down.add(node.key)
        self.links_changed()

    def notice_deaths(self) -> list[Node]:
        """Take nodes that died on their own off the network; return them."""
        dead = [node for node in self.nodes if not node.alive and node.key not in self.down]
        if dead:
            self.kill(*dead)
        return dead

    def links_changed(self) -> None:
        for node in self.nodes:
            if node.alive:
                node.give(LinksChanged(self._connected(node)))

    def _connected(self, node: Node) -> tuple[NetworkKey, ...]:
        return tuple(sorted(peer for peer in self.by_key if self._sees(node.key, peer)))

    def _sees(self, here: NetworkKey, there: NetworkKey) -> bool:
        return here != there and self.linked(here, there)

    def linked(self, one: NetworkKey, other: NetworkKey) -> bool:
        return (
            one not in self.down
            and other not in self.down
            and (one, other) not in self.cut
            and (other, one) not in self.cut
        )

    def partition(self, *groups: list[Node]) -> None:
        """Cut every link between different groups; nodes in no group are alone."""
        place = {node.key: number for number, group in enumerate(groups) for node in group}
        self.cut = {
            (a, b)
            for a in self.by_key
            for b in self.by_key
            if a != b and (a not in place or place.get(a) != place.get(b))
        }
        self.links_changed()

    def heal(self) -> None:
        self.cut = set()
        self.network = Network()
        self.links_changed()

    # -- messages

    def send(self, sender: NetworkKey, to: NetworkKey, message: WireMessage) -> None:
        """Put a message on its way; a traitor may send something else instead."""
        behaviour = self.byzantine.get(sender)
        if behaviour is None or self.by_key[sender].index is None:
            self.carry(sender, to, message)
            return
        for each in behaviour.instead(self, self.by_key[sender], to, message):
            self.carry(sender, to, each)

    def carry(self, sender: NetworkKey, to: NetworkKey, message: WireMessage) -> None:
        """Put a message on its link."""
        net, random = self.network, self.random
        if to not in self.by_key or not self.linked(sender, to) or random.random() < net.loss:
            return
        copies = 2 if random.random() < net.duplicate else 1
        for _ in range(copies):
            delay_ms = net.delay_ms + random.random() * net.spread_ms
            if random.random() < net.slow:
                delay_ms += random.random() * net.slow_ms
            self.after(delay_ms, lambda: self._deliver(sender, to, message))

    def _deliver(self, sender: NetworkKey, to: NetworkKey, message: WireMessage) -> None:
        if self.by_key[to].alive and (sender, to) not in self.cut:
            self.by_key[to].receive(sender, message)

    def _sync_source(self, node: Node, certificate: Certificate) -> Chain | None:
        for peer in self.nodes:
            if not peer.alive or peer is node or not self.linked(peer.key, node.key):
                continue
            if any(certificate.digest in block.certified for block in peer.chain.blocks):
                return peer.chain
        return None

    # -- work

    def submit(self, count: int = 1, *nodes: Node) -> tuple[TransactionId, ...]:
        """Give new transactions to these nodes, who pass them on, or to every living one."""
        ids = []
        for _ in range(count):
            self._submitted += 1
            ids.append(TransactionId(sha256(b"transaction %d" % self._submitted).digest()))
        for node in nodes or self.nodes:
            if node.alive:
                node.add_transactions(tuple(ids))
                if nodes:
                    for key in self.city.network_keys:
                        self.send(node.key, key, Transactions(tuple(ids)))
        return tuple(ids)

    def change_members(self, *people: int) -> None:
        """Submit that these vote from the next epoch on; numbers above the first are who joins."""
        self.changes[self.submit(1)[0]] = people

    @property
    def honest(self) -> list[Node]:
        return [node for node in self.nodes if node.key not in self.byzantine]

    def heights(self) -> list[int]:
        return [node.chain.tip.header.height for node in self.honest]

    def all_final(self, ids: tuple[TransactionId, ...]) -> bool:
        """Return whether every honest node has all of these in its final chain."""
        return all(
            all(each in node.chain.final_ids for each in ids) for node in self.honest if node.alive
        )
