"""Four cores on real stores and real keys, joined by a network in memory on virtual time.

One seed decides what the network does. A node can be killed at every point at which a process can
die with something half done. Every vote on the wire is watched: it must be in its signer's journal
by then, and must never contradict another. Not here: sockets, and the event loop.
"""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from harness.ledger_city import MemoryState
from harness.next_identity import NextIdentity
from harness.watched_journal import Ballot, Crashed, WatchedJournal
from harness.watched_journal import CrashAt as CrashAt
from moyai.consensus.inputs import Now, Timer
from moyai.consensus.messages import Proposal, VoteMessage
from moyai.ledger.genesis import genesis_state
from moyai.node.clock import SystemClock
from moyai.node.config import P2pConfig
from moyai.node.core import Core
from moyai.node.housekeeping import Housekeeping
from moyai.node.identity import OwnIdentity, directory_of, machine_config
from moyai.node.ingest import Submitted
from moyai.node.perform import Surroundings
from moyai.node.starting import read_start
from moyai.node.status import StatusReporter
from moyai.p2p.connection import Clocks, Identity
from moyai.p2p.hub import Hub
from moyai.p2p.messages import WireMessage, decode_message, encode_message, wire_type
from moyai.p2p.ports import Handlers, HubConfig
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Genesis, Member, Role, genesis_digest, genesis_header
from moyai.primitives.ids import (
    ZERO_DIGEST,
    AccountId,
    NetworkKey,
    TimeMs,
    TransactionId,
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
from moyai.primitives.vote import Vote
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal
from moyai.storage.tree import StateTree

CHAIN_ID = "kaga"
START_MS = 1_790_000_000_000
MAP_BYTES = 256 * 1024 * 1024
MEMBERS = 4
KEYS = [SigningKey(bytes([seed]) * 32) for seed in range(1, 7)]
"""The first four are members from genesis on, the others may join."""
NETWORK_SECRETS = [
    X25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in range(11, 17)
]
OFFICER = SigningKey(b"\x77" * 32)
MEMORY = Path("/dev/shm")  # noqa: S108 - stores of tests, made under a fresh name


def network_key(place: int) -> NetworkKey:
    return NetworkKey(NETWORK_SECRETS[place].public_key().public_bytes_raw())


def make_genesis() -> Genesis:
    members = tuple(
        Member(
            name=f"member-{place}",
            validator_key=key.public,
            network_key=network_key(place),
            endpoint=f"127.0.0.1:{7000 + place}",
            account=AccountId(bytes([place + 1]) * 20),
            officer_keys=(OFFICER.public,),
            roles=(Role.SPONSOR, Role.REGISTRAR, Role.ISSUER, Role.RECORDS),
        )
        for place, key in enumerate(KEYS[:MEMBERS])
    )
    draft = Genesis(CHAIN_ID, TimeMs(START_MS), Parameters(), members, (), ZERO_DIGEST)
    tree = StateTree(roots_kept=1, height=-1, next_sequence=0)
    tree.apply(dict(genesis_state(draft)), 0)
    return msgspec.structs.replace(draft, state_root=tree.root)


GENESIS = make_genesis()


def identity_of(place: int) -> OwnIdentity:
    key = network_key(place)
    return OwnIdentity(f"member-{place}", NETWORK_SECRETS[place], key, KEYS[place])


def idle_hub(identity: OwnIdentity) -> Hub:
    """Return a hub that knows the members and has no links, since nobody runs it."""
    clock = SystemClock()
    own = Identity(identity.network_secret, chain_id=CHAIN_ID, genesis=genesis_digest(GENESIS))
    config = HubConfig(own, None, "moyai/test", Clocks(clock.mono_ms, clock.wall_ms))
    handlers = Handlers(lambda *_: None, lambda *_: None, lambda _: None)
    state = MemoryState(genesis_state(GENESIS))
    return Hub(config, directory_of(state, genesis_header(GENESIS), P2pConfig()), handlers)


def signed(
    number: int,
    *operations: Operation,
    valid_until_ms: int,
    chain_id: str = CHAIN_ID,
    account: AccountId = GENESIS.members[0].account,
) -> bytes:
    body = Body(
        chain_id=chain_id,
        account=account,
        signers=(Signer(Scheme.ED25519, OFFICER.public),),
        operations=operations,
        valid_until_ms=TimeMs(valid_until_ms),
        nonce=number.to_bytes(8, "big"),
        memo=None,
    )
    message = signing_message(chain_id, body_id(encode(body)))
    return assemble(body, (OFFICER.sign(message),))


def document(
    number: int, *, valid_until_ms: int = START_MS + 60_000, chain_id: str = CHAIN_ID
) -> bytes:
    operation = RegisterDocument(f"series-{number}", ZERO_DIGEST, 1)
    return signed(number, operation, valid_until_ms=valid_until_ms, chain_id=chain_id)


def forged(raw: bytes) -> bytes:
    """Return the transaction with another signature that is none: the same id, other bytes."""
    return raw[:-1] + bytes([raw[-1] ^ 1])


@contextmanager
def fast_folder() -> Iterator[Path]:
    """Give a folder in memory where the machine has one: a sync costs nothing there."""
    parent = MEMORY if MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="moyai-cores-", dir=parent) as folder:
        yield Path(folder)


class Weather(msgspec.Struct, frozen=True):
    """How the network treats a message."""

    delay_ms_max: int = 1
    lost_percent: int = 0


class CoreCity:
    """Virtual time, and bytes in flight between four nodes."""

    def __init__(self, folder: Path, *, seed: int = 0, map_bytes: int = MAP_BYTES) -> None:
        self.genesis = GENESIS
        self.map_bytes = map_bytes
        self.random = Random(seed)
        self.weather = Weather()
        self.ballot = Ballot()
        self.crashes: list[CrashAt | None] = []
        self.now_ms = 1_000
        self._flying: list[tuple[int, int, NetworkKey, NetworkKey, int, bytes]] = []
        self._sent = 0
        self._busy_until: dict[tuple[NetworkKey, NetworkKey], int] = {}
        self._folder = folder
        self.nodes = [CoreNode(self, folder / str(place), place) for place in range(MEMBERS)]

    @property
    def wall_ms(self) -> TimeMs:
        return TimeMs(START_MS + self.now_ms)

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        self.links_changed()

    def join(self, place: int) -> "CoreNode":
        """Start one node more, at genesis and without a vote."""
        node = CoreNode(self, self._folder / str(place), place)
        self.nodes.append(node)
        node.restart()
        return node

    def keep_house(self) -> None:
        """Let a second of housekeeping come around in every node."""
        for node in self.running:
            node.keep_house()

    def close(self) -> None:
        for node in self.nodes:
            node.close()

    def run(self, until: Callable[[], bool], limit_ms: int = 20_000) -> None:
        """Let events happen in their order until `until` holds."""
        deadline_ms = self.now_ms + limit_ms
        while not until():
            assert self.now_ms < deadline_ms, f"not reached in {limit_ms} ms"
            self.step()

    def run_for(self, span_ms: int) -> None:
        deadline_ms = self.now_ms + span_ms
        while self.now_ms < deadline_ms:
            self.step(deadline_ms)

    def step(self, latest_ms: int | None = None) -> None:
        """Go to the next moment at which something happens, and let it happen."""
        dues = [node.due_ms() for node in self.running]
        dues += [self._flying[0][0]] if self._flying else []
        next_ms = min((due for due in dues if due is not None), default=self.now_ms + 1_000)
        next_ms = max(next_ms, self.now_ms + 1)
        self.now_ms = next_ms if latest_ms is None else min(next_ms, latest_ms)
        while self._flying and self._flying[0][0] <= self.now_ms:
            _, _, sender, to, kind, payload = heapq.heappop(self._flying)
            self._deliver(sender, to, decode_message(kind, payload))
        for node in self.nodes:
            node.work()

    @property
    def running(self) -> list["CoreNode"]:
        return [node for node in self.nodes if node.core is not None]

    def linked(self, node: "CoreNode") -> tuple[NetworkKey, ...]:
        return tuple(
            sorted(
                other.key
                for other in self.running
                if other is not node and not (node.is_cut or other.is_cut)
            )
        )

    def links_changed(self) -> None:
        for node in self.running:
            assert node.core is not None
            if node.links != self.linked(node):
                node.links = self.linked(node)
                node.core.links_changed(node.links)

    def post(self, sender: "CoreNode", to: NetworkKey, message: WireMessage) -> None:
        """Send over a link: in order, late, or not at all."""
        if isinstance(message, VoteMessage | Proposal):
            vote = message.vote
            self.ballot.add(vote)
            own = sender.votes_as(vote)
            assert not own or vote in sender.watched.votes, "a vote left before its commit"
        if self.random.randrange(100) < self.weather.lost_percent:
            return
        link = (sender.key, to)
        due_ms = self.now_ms + self.random.randint(1, self.weather.delay_ms_max)
        due_ms = max(due_ms, self._busy_until.get(link, 0))
        self._busy_until[link] = due_ms
        self._sent += 1
        kind = wire_type(message).kind
        flying = (due_ms, self._sent, sender.key, to, kind, encode_message(message))
        heapq.heappush(self._flying, flying)

    def _deliver(self, sender: NetworkKey, to: NetworkKey, message: WireMessage) -> None:
        for node in self.running:
            if node.key == to and sender in self.linked(node):
                assert node.core is not None
                node.core.receive(sender, message)


class CoreNode:
    """A core with its stores, and the ports that the city gives it."""

    def __init__(self, city: CoreCity, folder: Path, place: int) -> None:
        self.city = city
        self.folder = folder
        self.place = place
        self.identity = identity_of(place)
        self.key = self.identity.network_key
        self.following: NextIdentity | None = None
        self.timers: dict[Timer, int] = {}
        self.core: Core | None = None
        self.links: tuple[NetworkKey, ...] = ()
        self.is_cut = False
        self.falsify: Callable[[WireMessage], WireMessage | None] = lambda message: message
        self.counts: list[tuple[str, str]] = []
        self.reports: list[tuple[NetworkKey, str]] = []
        self.sent: list[WireMessage] = []
        self.expired: list[TransactionId] = []
        self.is_disk_slow = False
        self.lies = 0
        network = genesis_digest(city.genesis)
        journal = Journal.create(
            folder / "journal", self.identity.journal_key, network, map_bytes=city.map_bytes
        )
        journal.close()
        ChainStore.create(folder / "chain", city.genesis, map_bytes=city.map_bytes).close()

    def start(self) -> None:
        genesis = self.city.genesis
        if self.following is not None:
            self._change_keys(self.following)
        self.timers, self.links = {}, ()
        self.journal = Journal.open(
            self.folder / "journal",
            self.identity.journal_key,
            genesis_digest(genesis),
            map_bytes=self.city.map_bytes,
        )
        self.chain = ChainStore.open(self.folder / "chain", genesis, map_bytes=self.city.map_bytes)
        self.watched = WatchedJournal(self.journal)
        self.crash_at: CrashAt | None = None
        ports = Surroundings(clock=self, timers=self, transport=self, observer=self)
        start = read_start(self.identity, self.chain, self.journal)
        self.core = Core(start, chain=self.chain, journal=self.watched, ports=ports)
        self.hub = idle_hub(self.identity)
        self.status = StatusReporter(
            identity=self.identity, core=self.core, chain=self.chain, hub=self.hub
        )
        self.housekeeping = Housekeeping(
            core=self.core,
            chain=self.chain,
            journal=self.journal,
            status=self.status,
            expired=self.expired.extend,
        )

    def keep_house(self) -> None:
        """Do what the driver asks for every second; change to keys that came into force."""
        if self.core is None:
            return
        self.housekeeping(self.core.expire())
        if self.following is not None and self.following.is_in_force(self.core.config):
            self.kill()
            self.restart()

    def lay_ready(self, identity: OwnIdentity) -> None:
        """Lay keys beside those of this node, to change to when they are in force."""
        genesis, old = self.city.genesis, self.identity
        self.following = NextIdentity(
            identity, self.folder, genesis, old=old, map_bytes=self.city.map_bytes
        )

    def _change_keys(self, following: NextIdentity) -> None:
        """Change at a start to the keys that the chain store says are in force."""
        chain = ChainStore.open(
            self.folder / "chain", self.city.genesis, map_bytes=self.city.map_bytes
        )
        if following.is_in_force(machine_config(self.identity, chain)):
            self.identity, self.following = following.take(), None
            self.key = self.identity.network_key
        chain.close()

    def kill(self) -> None:
        """End the process: what is not on disk is gone, and so are its links."""
        self.close()
        self.city.links_changed()

    def close(self) -> None:
        if self.core is not None:
            self.core = None
            self.chain.close()
            self.journal.close()

    def restart(self) -> None:
        self.start()
        self.city.links_changed()

    def crash(self, where: CrashAt, *, skipped: int = 0) -> None:
        """Die when that point is reached the next time, or after a few commits more."""
        self.watched.skipped = skipped
        self.crash_at = self.watched.crash_at = where

    def votes_as(self, vote: Vote) -> bool:
        """Return whether a vote bears this node's index in the epoch that it is in."""
        config = self.core.config if self.core is not None else None
        return (
            config is not None
            and vote.epoch == config.validators.epoch
            and vote.signer == config.index
        )

    def due_ms(self) -> int | None:
        assert self.core is not None
        due = [*self.timers.values(), self.core.due_ms()]
        return min((each for each in due if each is not None), default=None)

    def work(self) -> None:
        if self.core is None:
            return
        try:
            self._work(self.core)
        except Crashed:
            self.city.crashes.append(self.crash_at)
            self.kill()

    def _work(self, core: Core) -> None:
        now_ms = self.city.now_ms
        for timer in [name for name, due in self.timers.items() if due <= now_ms]:
            del self.timers[timer]
            core.fire(timer)
        due_ms = core.due_ms()
        if due_ms is not None and due_ms <= now_ms:
            core.tick()
        more = True
        while more:
            more = core.turn()
            if core.executed_ahead:
                self.write()

    def write(self) -> None:
        """Do what the writer thread does."""
        assert self.core is not None
        if self.is_disk_slow:
            return
        if self.crash_at is CrashAt.BEFORE_WRITE and self.watched.skipped <= 0:
            raise Crashed
        batch = self.chain.take_pending()
        if batch is None:
            return
        self.chain.write(batch)
        if self.crash_at is CrashAt.AFTER_WRITE and self.watched.skipped <= 0:
            raise Crashed
        self.core.committed(self.chain.committed_height)

    def submit(self, *raws: bytes) -> list[Submitted]:
        outcomes: list[Submitted] = []
        assert self.core is not None
        self.core.submit(raws, outcomes.extend)
        while not outcomes and self.core is not None:
            self.turn()
        return outcomes

    def turn(self) -> None:
        """Let the core do what it has to do now, and no time pass."""
        assert self.core is not None
        try:
            self.core.turn()
        except Crashed:
            self.city.crashes.append(self.crash_at)
            self.kill()

    def is_final(self, transaction: Submitted) -> bool:
        with self.chain.snapshot() as snapshot:
            return transaction.id is not None and snapshot.place(transaction.id) is not None

    def history(self) -> list[tuple[object, object]]:
        """Return every written block with its roots."""
        with self.chain.snapshot() as snapshot:
            return [
                (snapshot.header(height), snapshot.executed(height))
                for height in range(snapshot.height + 1)
            ]

    def now(self) -> Now:
        return Now(self.city.now_ms, self.city.wall_ms)

    def set(self, timer: Timer, delay_ms: int) -> None:
        self.timers[timer] = self.city.now_ms + delay_ms

    def clear(self, timer: Timer) -> None:
        self.timers.pop(timer, None)

    def send(self, to: NetworkKey, message: WireMessage) -> bool:
        if to not in self.city.linked(self):
            return False
        falsified = self.falsify(message)
        self.lies += falsified != message
        if falsified is not None:
            self.sent.append(falsified)
            self.city.post(self, to, falsified)
        return True

    def broadcast(self, message: WireMessage, *, validators_only: bool = False) -> int:
        return sum(self.send(to, message) for to in self.city.linked(self))

    def connected(self) -> tuple[NetworkKey, ...]:
        return self.city.linked(self)

    def report(self, peer: NetworkKey, reason: str) -> None:
        self.reports.append((peer, reason))

    def count(self, counter: str, reason: str) -> None:
        self.counts.append((counter, reason))

    def note(self, event: str, **details: object) -> None:
        self.counts.append(("note", event))
