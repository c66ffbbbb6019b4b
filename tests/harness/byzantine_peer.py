"""A member gone bad, over the shipped peer-to-peer code: a true network key, a true validator key,
and no scruples. What it says is a *sin*: a function of what it has heard, called again and again.

Not here: traitors of the simulator (`harness.byzantine`), which meet no sockets.
"""

import asyncio
import time
from collections.abc import Callable, Iterable

import msgspec

from harness.ledger_city import MemoryState
from moyai.consensus.messages import (
    BlockMessage,
    BlockRequest,
    CertificateMessage,
    CertificateRequest,
    Evidence,
    Proposal,
    Status,
    VoteMessage,
)
from moyai.ledger.genesis import genesis_state
from moyai.node.config import P2pConfig, load_config
from moyai.node.identity import directory_of, load_identity
from moyai.node.testnet import City, CityNode
from moyai.p2p.connection import Clocks, Identity
from moyai.p2p.hub import Hub
from moyai.p2p.messages import (
    BodiesRequest,
    HeadersAnswer,
    HeadersRequest,
    TargetAnswer,
    TransactionBatch,
    TransactionRequest,
    WireMessage,
)
from moyai.p2p.ports import Handlers, HubConfig
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.genesis import genesis_digest, genesis_header
from moyai.primitives.hashing import Tag, tagged
from moyai.primitives.ids import (
    ZERO_DIGEST,
    Digest,
    Epoch,
    Height,
    NetworkKey,
    TimeMs,
    TransactionId,
    View,
)
from moyai.primitives.merkle import merkle_root
from moyai.primitives.vote import Vote, VoteKind, vote_message

FAR = 2**50
VIEWS_AHEAD = 8
IDS_MAX = 4_096

Sin = Callable[["Traitor"], Iterable[WireMessage]]


class Traitor:
    """One bad member of a real city; `run` lets it sin for a while."""

    def __init__(self, city: City, node: CityNode) -> None:
        self.genesis = city.genesis
        config = load_config(node.config_file, {})
        identity = load_identity(config, city.genesis)
        assert identity.signing is not None
        index = city.genesis.validators().index_of(identity.signing.public)
        assert index is not None
        self.index = index
        self._signing = identity.signing
        self.validators = city.genesis.validators()
        self.view = View(1)
        self.newest: Header = genesis_header(city.genesis)
        self.final_ids: tuple[TransactionId, ...] = ()
        self.heard = 0
        self.turns = 0
        self.links_lost = 0
        secret = Identity(
            identity.network_secret,
            chain_id=city.genesis.chain_id,
            genesis=genesis_digest(city.genesis),
        )
        clocks = Clocks(_mono_ms, _wall_ms)
        founded = MemoryState(genesis_state(city.genesis))
        self._hub = Hub(
            HubConfig(secret, None, "traitor", clocks),
            directory_of(founded, genesis_header(city.genesis), P2pConfig()),
            Handlers(self._hear, self._linked, lambda _: None),
        )

    async def run(self, sin: Sin, seconds: float) -> None:
        """Say what `sin` gives to everybody, as fast as the links take it."""
        async with asyncio.TaskGroup() as tasks:
            links = tasks.create_task(self._hub.run())
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                for message in sin(self):
                    self._hub.broadcast(message)
                self.turns += 1
                await asyncio.sleep(0.002)
            links.cancel()

    def vote(self, kind: VoteKind, view: int, digest: bytes) -> Vote:
        """Return a vote that is well signed, whatever it is for."""
        message = vote_message(self.genesis.chain_id, 0, view, kind, digest)
        signature = self._signing.sign(message)
        return Vote(Epoch(0), View(view), kind, Digest(digest), self.index, signature)

    def proposal(self, view: int, ids: tuple[TransactionId, ...], **lies: object) -> Proposal:
        """Return a well-signed proposal above the newest block heard of, with these lies."""
        fields: dict[str, object] = {
            "epoch": Epoch(0),
            "view": View(view),
            "height": Height(self.newest.height + 1),
            "parent": header_digest(self.newest),
            "parent_view": self.newest.view,
            "time_ms": TimeMs(max(_wall_ms(), self.newest.time_ms + 1)),
            "proposer": self.index,
            "tx_root": merkle_root(ids),
            "tx_count": len(ids),
            "tx_bytes": 200 * len(ids),
        }
        header = msgspec.structs.replace(self.newest, **(fields | lies))
        vote = self.vote(VoteKind.NOTARIZE, view, header_digest(header))
        return Proposal(header, vote, ids)

    def own_views(self) -> list[int]:
        """Return the views within reach that this member leads."""
        near = range(self.view, self.view + VIEWS_AHEAD)
        return [view for view in near if self.validators.leader(View(view)) == self.index]

    def random_digest(self) -> Digest:
        """Return a digest that nobody has heard of."""
        self.heard += 1
        return tagged(Tag.HEADER, b"traitor %d %d" % (self.turns, self.heard))

    def _hear(self, _peer: NetworkKey, message: WireMessage) -> None:
        self.heard += 1
        match message:
            case CertificateMessage(certificate):
                self.view = max(self.view, View(certificate.view + 1))
            case Proposal(header, _, ids) if header.height > self.newest.height:
                self.newest = header
                self.final_ids = ids or self.final_ids
            case _:
                pass

    def _linked(self, _peer: NetworkKey, up: bool) -> None:
        self.links_lost += not up


def votes_for_everything(traitor: Traitor) -> Iterable[WireMessage]:
    """Two blocks of every view, and both ends of it."""
    for view in range(traitor.view, traitor.view + VIEWS_AHEAD):
        for kind in (VoteKind.NOTARIZE, VoteKind.NOTARIZE, VoteKind.FINALIZE, VoteKind.FINALIZE):
            yield VoteMessage(traitor.vote(kind, view, traitor.random_digest()))
        yield VoteMessage(traitor.vote(VoteKind.NULLIFY, view, ZERO_DIGEST))


def votes_far_away(traitor: Traitor) -> Iterable[WireMessage]:
    """Votes, evidence and certificates of views that nobody will ever see."""
    view = FAR + traitor.turns
    one, other = (traitor.vote(VoteKind.NOTARIZE, view, bytes([number]) * 32) for number in (1, 2))
    yield from (VoteMessage(one), VoteMessage(other), Evidence(one, other))


def two_blocks(traitor: Traitor) -> Iterable[WireMessage]:
    """Equivocates in every turn of its own."""
    for view in traitor.own_views():
        for ahead_ms in (0, 1):
            yield traitor.proposal(view, (), time_ms=TimeMs(_wall_ms() + ahead_ms))


def transactions_that_nobody_has(traitor: Traitor) -> Iterable[WireMessage]:
    """Huge proposals on a good parent."""
    for view in traitor.own_views()[:1]:
        ids = tuple(
            TransactionId(tagged(Tag.TRANSACTION, b"%d %d" % (view, number)))
            for number in range(IDS_MAX)
        )
        yield traitor.proposal(view, ids)


def transactions_that_are_final(traitor: Traitor) -> Iterable[WireMessage]:
    """Orders again what has been ordered."""
    for view in traitor.own_views():
        yield traitor.proposal(view, traitor.final_ids)


def blocks_without_a_parent(traitor: Traitor) -> Iterable[WireMessage]:
    """Orphans of impossible heights, each with as many ids as fit."""
    for view in traitor.own_views():
        ids = tuple(TransactionId(number.to_bytes(32, "big")) for number in range(64))
        yield traitor.proposal(
            view,
            ids,
            parent=traitor.random_digest(),
            parent_view=View(view - 1),
            height=Height(FAR),
        )


def lying_statuses(traitor: Traitor) -> Iterable[WireMessage]:
    """Says that it is far ahead, then that it knows nothing."""
    for number in (FAR, 0):
        place = View(number)
        yield Status(Epoch(0), place, place, Height(number), place, place, bool(number), None)


def certificates_nobody_signed(traitor: Traitor) -> Iterable[WireMessage]:
    """One certificate with bad signatures, once; the second time it is blocked for a while."""
    if traitor.turns % 500 == 0:
        signatures = (bytes(64),) * traitor.validators.quorum
        subject = (Epoch(0), traitor.view, VoteKind.FINALIZE, traitor.random_digest())
        yield CertificateMessage(Certificate(*subject, b"\x07", signatures))


def questions_without_end(traitor: Traitor) -> Iterable[WireMessage]:
    """Asks for as much as one request may, again and again."""
    ids = (traitor.final_ids or (TransactionId(bytes(32)),)) * IDS_MAX
    height = traitor.newest.height
    yield TransactionRequest(ids[:IDS_MAX])
    yield HeadersRequest(Height(height), Height(1), max(1, min(256, height - 1)))
    yield BodiesRequest(Height(0), 0, 256)
    yield CertificateRequest(Epoch(0), View(0), View(FAR))
    yield BlockRequest(header_digest(traitor.newest))


def answers_nobody_asked_for(traitor: Traitor) -> Iterable[WireMessage]:
    """Blocks, headers and targets out of the blue."""
    header = traitor.newest
    for _ in range(200):
        yield BlockMessage(header, ())
    yield TargetAnswer(header_digest(header), (header,) * 64)
    yield HeadersAnswer(Height(FAR), Height(1), (header,) * 100, ())


def batches_of_rubbish(traitor: Traitor) -> Iterable[WireMessage]:
    """Transactions that do not parse."""
    if traitor.turns % 200 == 0:
        yield TransactionBatch((b"rubbish",) * 100)


SINS: tuple[Sin, ...] = (
    votes_for_everything,
    votes_far_away,
    two_blocks,
    transactions_that_nobody_has,
    transactions_that_are_final,
    blocks_without_a_parent,
    lying_statuses,
    questions_without_end,
    answers_nobody_asked_for,
    certificates_nobody_signed,
    batches_of_rubbish,
)


def _mono_ms() -> int:
    return time.monotonic_ns() // 10**6


def _wall_ms() -> TimeMs:
    return TimeMs(time.time_ns() // 10**6)
