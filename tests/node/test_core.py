"""Scenarios of four cores on real stores and real keys, joined by a network in memory."""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from moyai.consensus.config import MachineConfig
from moyai.consensus.inputs import Now, Timer
from moyai.ledger.genesis import genesis_state
from moyai.node.core import Core
from moyai.node.ingest import Submitted
from moyai.node.perform import Surroundings
from moyai.node.starting import read_start, read_tip
from moyai.p2p.messages import WireMessage, decode_message, encode_message, wire_type
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Genesis, Member, Role, genesis_digest
from moyai.primitives.ids import (
    ZERO_DIGEST,
    AccountId,
    NetworkKey,
    PublicKey,
    TimeMs,
)
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations import Operation
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.parameters import Parameters
from moyai.primitives.transaction import (
    Body,
    Scheme,
    Signer,
    assemble,
    body_id,
    signing_message,
)
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal
from moyai.storage.tree import StateTree

KEYS = [SigningKey(bytes([seed]) * 32) for seed in range(1, 5)]
OFFICER = SigningKey(b"\x77" * 32)
START_MS = 1_790_000_000_000


def make_genesis() -> Genesis:
    members = tuple(
        Member(
            name=f"member-{place}",
            validator_key=key.public,
            network_key=NetworkKey(bytes([place + 1]) * 32),
            endpoint="",
            account=AccountId(bytes([place + 1]) * 20),
            officer_keys=(OFFICER.public,),
            roles=(Role.SPONSOR, Role.REGISTRAR, Role.ISSUER, Role.RECORDS),
        )
        for place, key in enumerate(KEYS)
    )
    draft = Genesis("kaga", TimeMs(START_MS), Parameters(), members, (), ZERO_DIGEST)
    tree = StateTree(roots_kept=1, height=-1, next_sequence=0)
    tree.apply(dict(genesis_state(draft)), 0)
    return msgspec.structs.replace(draft, state_root=tree.root)


GENESIS = make_genesis()


class City:
    """Virtual time, and bytes in flight between four nodes."""

    def __init__(self, folder: Path) -> None:
        self.now_ms = 1_000
        self.flying: deque[tuple[NetworkKey, NetworkKey, int, bytes]] = deque()
        self.nodes = [Node(self, folder / str(place), place) for place in range(4)]

    def run(self, until: Callable[[], bool], limit_ms: int = 20_000) -> None:
        deadline_ms = self.now_ms + limit_ms
        while not until():
            assert self.now_ms < deadline_ms, "not reached in time"
            self.step()

    def step(self) -> None:
        flying, self.flying = self.flying, deque()
        for sender, to, kind, payload in flying:
            for node in self.nodes:
                if node.key == to and node.core is not None and sender in self.linked(node):
                    node.core.receive(sender, decode_message(kind, payload))
        for node in self.nodes:
            node.work()
        self.now_ms += 1

    def linked(self, node: "Node") -> tuple[NetworkKey, ...]:
        return tuple(
            sorted(
                other.key for other in self.nodes if other is not node and other.core is not None
            )
        )

    def links_changed(self) -> None:
        for node in self.nodes:
            if node.core is not None:
                node.core.links_changed(self.linked(node))


class Node:
    """A core with its stores, and the ports that the city gives it."""

    def __init__(self, city: City, folder: Path, place: int) -> None:
        self.city = city
        self.folder = folder
        self.key = GENESIS.members[place].network_key
        self.signing = KEYS[place]
        self.timers: dict[Timer, int] = {}
        self.core: Core | None = None
        self.counts: list[tuple[str, str]] = []
        Journal.create(folder / "journal", self.signing.public, genesis_digest(GENESIS)).close()
        ChainStore.create(folder / "chain", GENESIS).close()

    def start(self) -> None:
        self.timers = {}
        self.journal = Journal.open(
            self.folder / "journal", self.signing.public, genesis_digest(GENESIS)
        )
        self.chain = ChainStore.open(self.folder / "chain", GENESIS)
        validators = GENESIS.validators()
        by_key = {member.validator_key: member.network_key for member in GENESIS.members}
        config = MachineConfig(
            chain_id="kaga",
            validators=validators,
            network_keys=tuple(by_key[key] for key in validators.keys),
            index=validators.index_of(self.signing.public),
            parameters=GENESIS.parameters,
            sign=self.signing.sign,
            tip=read_tip(self.chain),
            double_sign_check_ms=0,
        )
        ports = Surroundings(clock=self, timers=self, transport=self, observer=self)
        start = read_start(config, self.chain, self.journal)
        self.core = Core(start, chain=self.chain, journal=self.journal, ports=ports)

    def kill(self) -> None:
        self.core = None
        self.chain.close()
        self.journal.close()

    def work(self) -> None:
        if self.core is None:
            return
        for timer in [name for name, due in self.timers.items() if due <= self.city.now_ms]:
            del self.timers[timer]
            self.core.fire(timer)
        due_ms = self.core.due_ms()
        if due_ms is not None and due_ms <= self.city.now_ms:
            self.core.tick()
        while self.core.turn():
            pass
        batch = self.chain.take_pending()
        if batch is not None:
            self.chain.write(batch)
            self.core.committed(self.chain.committed_height)

    def now(self) -> Now:
        return Now(self.city.now_ms, TimeMs(START_MS + self.city.now_ms))

    def set(self, timer: Timer, delay_ms: int) -> None:
        self.timers[timer] = self.city.now_ms + delay_ms

    def clear(self, timer: Timer) -> None:
        self.timers.pop(timer, None)

    def send(self, to: NetworkKey, message: WireMessage) -> bool:
        if to not in self.city.linked(self):
            return False
        kind = wire_type(message).kind
        self.city.flying.append((self.key, to, kind, encode_message(message)))
        return True

    def broadcast(self, message: WireMessage, *, validators_only: bool = False) -> int:
        return sum(self.send(to, message) for to in self.city.linked(self))

    def connected(self) -> tuple[NetworkKey, ...]:
        return self.city.linked(self)

    def report(self, peer: NetworkKey, reason: str) -> None:
        raise AssertionError(f"an honest peer was reported: {reason}")

    def count(self, counter: str, reason: str) -> None:
        self.counts.append((counter, reason))

    def note(self, event: str, **details: object) -> None:
        pass


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path)
    for node in made.nodes:
        node.start()
    made.links_changed()
    yield made
    for node in made.nodes:
        if node.core is not None:
            node.kill()


def signed(number: int, city: City, *operations: Operation) -> bytes:
    body = Body(
        chain_id="kaga",
        account=GENESIS.members[0].account,
        signers=(Signer(Scheme.ED25519, OFFICER.public),),
        operations=operations,
        valid_until_ms=TimeMs(START_MS + city.now_ms + 60_000),
        nonce=number.to_bytes(8, "big"),
        memo=None,
    )
    message = signing_message("kaga", body_id(encode(body)))
    return assemble(body, (OFFICER.sign(message),))


def document(number: int, city: City) -> bytes:
    return signed(number, city, RegisterDocument(f"series-{number}", ZERO_DIGEST, 1))


def submit(node: Node, *raws: bytes) -> list[Submitted]:
    outcomes: list[Submitted] = []
    assert node.core is not None
    node.core.submit(raws, outcomes.extend)
    while not outcomes:
        node.core.turn()
    return outcomes


def is_final(node: Node, transaction: Submitted) -> bool:
    with node.chain.snapshot() as snapshot:
        return transaction.id is not None and snapshot.place(transaction.id) is not None


def test_a_transaction_of_any_node_becomes_final_on_all_with_one_state(city: City) -> None:
    outcomes = [
        outcome
        for place, node in enumerate(city.nodes)
        for outcome in submit(node, document(place, city))
    ]
    assert all(outcome.refusal is None for outcome in outcomes)
    city.run(lambda: all(is_final(n, o) for n in city.nodes for o in outcomes))
    for node in city.nodes:
        with node.chain.snapshot() as snapshot:
            for outcome in outcomes:
                assert outcome.id is not None
                receipt = snapshot.receipt(outcome.id)
                assert receipt is not None
                assert receipt.code == 0


def test_the_roots_are_attested_and_then_the_chain_rests(city: City) -> None:
    submit(city.nodes[0], document(1, city))

    def attested() -> bool:
        return all(node.chain.tip_header.executed.height > 0 for node in city.nodes)

    city.run(attested)
    heights = [node.chain.height for node in city.nodes]
    for _ in range(3_000):
        city.step()
    assert [node.chain.height for node in city.nodes] == heights


def test_with_one_dead_blocks_go_on_and_it_catches_up_after_a_restart(city: City) -> None:
    city.nodes[3].kill()
    city.links_changed()
    outcomes = []
    for number in range(40):
        (outcome,) = submit(city.nodes[number % 3], document(number, city))
        outcomes.append(outcome)
        city.run(lambda: is_final(city.nodes[0], outcomes[-1]))
    city.nodes[3].start()
    city.links_changed()
    city.run(lambda: all(is_final(city.nodes[3], outcome) for outcome in outcomes))
    (last,) = submit(city.nodes[3], document(99, city))
    city.run(lambda: all(is_final(node, last) for node in city.nodes))


def test_all_killed_at_once_lose_nothing_and_go_on(city: City) -> None:
    (first,) = submit(city.nodes[0], document(1, city))
    city.run(lambda: is_final(city.nodes[1], first))
    for node in city.nodes:
        node.kill()
    city.flying.clear()
    for node in city.nodes:
        node.start()
    city.links_changed()
    city.run(lambda: all(is_final(node, first) for node in city.nodes))
    (second,) = submit(city.nodes[2], document(2, city))
    city.run(lambda: all(is_final(node, second) for node in city.nodes))


def test_a_repeated_transaction_is_known_and_a_bad_signature_refused(city: City) -> None:
    raw = document(1, city)
    (first,) = submit(city.nodes[0], raw)
    city.run(lambda: is_final(city.nodes[0], first))
    (again,) = submit(city.nodes[0], raw)
    assert again.known
    assert again.id == first.id
    (bad,) = submit(city.nodes[0], document(2, city)[:-1] + b"\x00")
    assert bad.refusal is not None
    assert bad.refusal.code == "bad_signature"


def test_a_vote_key_is_not_the_network_key() -> None:
    keys = {PublicKey(member.network_key) for member in GENESIS.members}
    assert keys.isdisjoint({member.validator_key for member in GENESIS.members})
