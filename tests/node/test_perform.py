"""Scenarios of the performer, in real cores: final, left behind, shared, seen to misbehave."""

import pytest

from harness.core_city import CoreCity, document
from harness.orders import PEER, build_order, checked, header_of
from moyai.consensus.effects import (
    Broadcast,
    ClearTimer,
    Count,
    DropBlock,
    EvidenceFound,
    Finalized,
    Misbehaved,
    Send,
    SetTimer,
    ShareTransactions,
)
from moyai.consensus.inputs import Timer
from moyai.consensus.messages import Evidence, VoteMessage
from moyai.node.core import Core
from moyai.p2p.messages import TransactionBatch
from moyai.primitives.block import header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import ZERO_DIGEST, Digest, Epoch, TimeMs, ValidatorIndex, View
from moyai.primitives.vote import Vote, VoteKind

OWN = VoteMessage(
    Vote(Epoch(0), View(9), VoteKind.NULLIFY, ZERO_DIGEST, ValidatorIndex(0), bytes(64))
)


@pytest.fixture
def core(city: CoreCity) -> Core:
    core = city.nodes[0].core
    assert core is not None
    while core.turn():
        pass
    city.nodes[0].sent.clear()
    return core


def final(number: int) -> Finalized:
    header = header_of([checked(number)])
    digest = header_digest(header)
    proof = Certificate(Epoch(0), View(1), VoteKind.FINALIZE, digest, b"\x07", (bytes(64),) * 3)
    return Finalized((header,), proof)


def hold(core: Core, number: int, height: int = 1) -> Digest:
    digest = header_digest(header_of([checked(number)], height))
    core.bodies.hold(digest, [checked(number)])
    return digest


def test_what_is_final_is_neither_chosen_nor_accepted_nor_sent_again(
    city: CoreCity, core: Core
) -> None:
    city.nodes[0].submit(document(1), document(2))
    hold(core, 1)
    core.performer.settle(final(1))
    assert core.mempool.get(checked(1).id) is None
    assert core.mempool.get(checked(2).id) is not None
    assert len(core._dissemination) == 1
    assert core.executor.backlog == 1
    (again,) = city.nodes[0].submit(document(1))
    assert again.known
    assert core.is_pending(checked(1).id)


def test_the_transactions_of_a_block_left_behind_come_back(core: Core) -> None:
    digest = hold(core, 1)
    core.performer.settle(DropBlock(digest))
    assert core.mempool.get(checked(1).id) == checked(1)
    core.performer.settle(DropBlock(digest))
    assert len(core.mempool) == 1


def test_a_block_left_behind_brings_nothing_back_that_is_final_elsewhere(core: Core) -> None:
    hold(core, 1)
    sibling = hold(core, 1, height=2)
    core.performer.settle(final(1))
    core.performer.settle(DropBlock(sibling))
    assert core.mempool.get(checked(1).id) is None


def test_messages_timers_counts_and_reports_go_to_their_ports(city: CoreCity, core: Core) -> None:
    node, other = city.nodes[0], city.nodes[1]
    core.performer.perform(Broadcast(OWN))
    assert node.sent == [OWN] * 3
    core.performer.perform(Send(other.key, OWN))
    core.performer.perform(Send(PEER, OWN))
    assert len(node.sent) == 4
    core.performer.perform(SetTimer(Timer.IDLE, 7))
    assert node.timers[Timer.IDLE] == city.now_ms + 7
    core.performer.perform(ClearTimer(Timer.IDLE))
    assert Timer.IDLE not in node.timers
    core.performer.perform(Count("dropped", "why"))
    assert node.counts[-1] == ("dropped", "why")
    core.performer.perform(Misbehaved(PEER, "a lie"))
    assert node.reports == [(PEER, "a lie")]


def test_evidence_is_kept_and_told(city: CoreCity, core: Core) -> None:
    evidence = Evidence(OWN.vote, OWN.vote)
    core.performer.perform(EvidenceFound(evidence))
    assert core.performer.evidence == [evidence]
    assert city.nodes[0].counts[-1] == ("note", "evidence")


def test_the_oldest_transactions_are_shared_with_one_or_with_all(
    city: CoreCity, core: Core
) -> None:
    raws = [document(number) for number in range(3)]
    node = city.nodes[0]
    node.submit(*raws)
    node.sent.clear()
    core.performer.perform(ShareTransactions(city.nodes[2].key))
    assert node.sent == [TransactionBatch(tuple(raws))]
    core.performer.perform(ShareTransactions(None))
    assert len(node.sent) == 4


def test_with_nothing_to_share_nothing_is_sent(city: CoreCity, core: Core) -> None:
    core.performer.perform(ShareTransactions(None))
    assert city.nodes[0].sent == []


def test_an_effect_of_the_runner_is_a_bug_here(core: Core) -> None:
    with pytest.raises(AssertionError, match="BuildBlock"):
        core.performer.perform(build_order(time_ms=TimeMs(0)))
