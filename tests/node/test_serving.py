"""Scenarios of answers to other nodes: from the pool, from blocks under way, from the chain."""

import pytest

from harness.core_city import CoreCity, CoreNode, document
from harness.orders import PEER, checked, header_of
from moyai.node.core import Core
from moyai.node.serving import (
    REQUESTS_AT_ONCE_MAX,
    REQUESTS_WAITING_PER_PEER_MAX,
    SnapshotReader,
)
from moyai.p2p.messages import (
    BodiesAnswer,
    BodiesRequest,
    HeadersAnswer,
    HeadersRequest,
    TargetAnswer,
    TargetRequest,
    TransactionAnswer,
    TransactionRequest,
    WireMessage,
)
from moyai.p2p.snapshot_messages import SnapshotPartAnswer, SnapshotPartRequest
from moyai.primitives.block import header_digest
from moyai.primitives.genesis import genesis_block_digest, genesis_header
from moyai.primitives.ids import Digest, Height, TransactionId

UNKNOWN = TransactionId(b"\xee" * 32)


@pytest.fixture
def node(city: CoreCity) -> CoreNode:
    """Give a node with three blocks on disk; document 0 is in the first of them."""
    node = city.nodes[0]
    for number in range(3):
        (outcome,) = node.submit(document(number))
        while not node.is_final(outcome):
            city.step()
    return node


def answer(node: CoreNode, request: WireMessage) -> list[WireMessage]:
    """Return what the node sends to a peer that asks."""
    assert node.core is not None
    peer = node.city.nodes[1]
    node.sent.clear()
    node.core.receive(peer.key, request)
    return list(node.sent)


def core_of(node: CoreNode) -> Core:
    assert node.core is not None
    return node.core


def test_transactions_are_found_wherever_they_are(node: CoreNode) -> None:
    node.submit(document(10))
    digest = header_digest(header_of([checked(11)]))
    core_of(node).bodies.hold(digest, [checked(11)])
    ids = (checked(0).id, UNKNOWN, checked(10).id, checked(11).id)
    (found,) = answer(node, TransactionRequest(ids))
    assert found == TransactionAnswer((document(0), document(10), document(11)))


def test_what_is_nowhere_is_not_answered(node: CoreNode) -> None:
    assert answer(node, TransactionRequest((UNKNOWN,))) == []


def test_the_headers_and_bodies_of_a_certified_block(node: CoreNode) -> None:
    tip = node.chain.tip_header
    digest = header_digest(tip)
    assert answer(node, TargetRequest(digest)) == [TargetAnswer(digest, (tip,))]
    (headers,) = answer(node, HeadersRequest(tip.height, Height(1), 2))
    assert isinstance(headers, HeadersAnswer)
    with node.chain.snapshot() as snapshot:
        assert headers.headers == (snapshot.header(1), snapshot.header(2))
    (bodies,) = answer(node, BodiesRequest(Height(0), 0, 2))
    assert isinstance(bodies, BodiesAnswer)
    assert bodies.bodies == ((), (document(0),))


def test_what_is_not_here_is_said_to_be_not_here(node: CoreNode) -> None:
    unknown = Digest(b"\xee" * 32)
    beyond = Height(node.chain.height + 5)
    assert answer(node, TargetRequest(unknown)) == [TargetAnswer(unknown, ())]
    (bodies,) = answer(node, BodiesRequest(beyond, 0, 2))
    assert isinstance(bodies, BodiesAnswer)
    assert bodies.bodies == ()
    (headers,) = answer(node, HeadersRequest(beyond, Height(1), 2))
    assert isinstance(headers, HeadersAnswer)
    assert headers.headers == ()


def test_a_stranger_gets_nothing(node: CoreNode) -> None:
    node.sent.clear()
    core_of(node).receive(PEER, TransactionRequest((checked(0).id,)))
    assert node.sent == []


def test_the_reader_shows_one_committed_snapshot(node: CoreNode) -> None:
    genesis = node.city.genesis
    with node.chain.snapshot() as snapshot:
        reader = SnapshotReader(snapshot)
        assert reader.header(Height(0)) == genesis_header(genesis)
        assert reader.certified_headers(genesis_block_digest(genesis)) == (
            reader.header(Height(0)),
        )
        assert reader.raw_transactions(Height(0)) == ()
        assert reader.raw_transactions(Height(snapshot.height + 1)) is None
        assert reader.header(Height(snapshot.height + 1)) is None
        assert reader.log_path(Height(0), snapshot.height)
        assert reader.base == 0


def test_a_flood_of_requests_waits_between_turns_and_is_bounded(node: CoreNode) -> None:
    core = core_of(node)
    flooding, modest = node.city.nodes[1].key, node.city.nodes[2].key
    request = TransactionRequest((checked(0).id,))
    while core.turn():
        pass
    node.sent.clear()
    for _ in range(10 * REQUESTS_WAITING_PER_PEER_MAX):
        core.receive(flooding, request)
    core.receive(modest, request)
    assert len(node.sent) == REQUESTS_AT_ONCE_MAX
    core.turn()
    assert len(node.sent) == 2 * REQUESTS_AT_ONCE_MAX
    while core.turn():
        pass
    answered = REQUESTS_AT_ONCE_MAX + REQUESTS_WAITING_PER_PEER_MAX + 1
    assert len([one for one in node.sent if isinstance(one, TransactionAnswer)]) == answered


def test_parts_of_a_state_are_read_one_a_turn(node: CoreNode) -> None:
    core, peer = core_of(node), node.city.nodes[1].key
    while core.turn():
        pass
    node.sent.clear()
    for part in range(3):
        core.receive(peer, SnapshotPartRequest(Height(1), part, 0))
    for turn in range(1, 4):
        assert node.sent == [
            SnapshotPartAnswer(Height(1), part, 0, (), more=False) for part in range(turn)
        ]
        core.turn()
