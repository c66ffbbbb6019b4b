"""Scenarios of a turn: durable first, then sent; what it settles is known within the same turn."""

from collections.abc import Mapping, Sequence

import pytest

from harness.core_city import CoreCity, CrashAt, document, fast_folder, forged
from harness.orders import PEER, build_order, check_order, checked, header_of
from moyai.consensus.config import ExecutedBlock, FinalTip
from moyai.consensus.effects import DropBlock, Effect, Finalized, Halt, Persist
from moyai.consensus.inputs import BlockBuilt, BodyVerdict, Input, Now, Synced, Timer, TimerFired
from moyai.consensus.machine import Machine
from moyai.consensus.messages import Proposal, VoteMessage
from moyai.consensus.records import BlockRecord, JournalRecord
from moyai.node.halt import NodeHalted
from moyai.node.tip import read_tip
from moyai.p2p.messages import TransactionAnswer, TransactionBatch
from moyai.primitives.block import Executed, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, Epoch, View
from moyai.primitives.vote import VoteKind
from moyai.storage.errors import CommitFailed, StorageFull


class FailingJournal:
    """A disk that has just broken."""

    def commit(
        self, records: Sequence[JournalRecord], bodies: Mapping[Digest, tuple[bytes, ...]]
    ) -> None:
        raise CommitFailed("input/output error", what="journal store", next="check the disk")


class ScriptedMachine(Machine):
    """A real machine that for one input does what the scenario says, and keeps what it is told."""

    def __init__(self, machine: Machine, *effects: Effect) -> None:
        self._core = machine._core
        self._script = list(effects)
        self.told: list[Input] = []

    def step(self, event: Input, now: Now) -> list[Effect]:
        self.told.append(event)
        effects, self._script = self._script, []
        return effects


def finalization(digest: Digest) -> Certificate:
    return Certificate(Epoch(0), View(1), VoteKind.FINALIZE, digest, b"\x07", (bytes(64),) * 3)


def play(city: CoreCity, *effects: Effect) -> list[Input]:
    """Let the machine of the first node ask for `effects`; return what it is told in that turn."""
    core = city.nodes[0].core
    assert core is not None
    machine = ScriptedMachine(core.machine, *effects)
    core._runner.machine = machine
    core._runner.turn([TimerFired(Timer.IDLE)])
    return machine.told[1:]


def test_when_the_commit_fails_nothing_has_left_the_node(city: CoreCity) -> None:
    for node in city.nodes:
        assert node.core is not None
        node.core._runner._journal = FailingJournal()
        node.submit(document(1))
        node.sent.clear()
    with pytest.raises(CommitFailed):
        city.run(lambda: False)
    sent = [message for node in city.nodes for message in node.sent]
    assert not any(isinstance(message, VoteMessage | Proposal) for message in sent)
    assert len(city.ballot) == 0


def test_a_full_journal_stops_the_node_before_it_says_what_it_would_forget() -> None:
    """The city watches that no vote leaves before its commit."""
    with fast_folder() as folder:
        city = CoreCity(folder, map_bytes=4 * 1024 * 1024)
        city.start()
        node = city.nodes[0]
        too_much = {Digest(bytes([number]) * 32): (bytes(64 * 1024),) for number in range(100)}
        with pytest.raises(StorageFull):
            node.journal.commit([], too_much)
        city.nodes[1].submit(document(1))
        with pytest.raises(CommitFailed):
            city.run(lambda: False)
        assert not any(isinstance(message, VoteMessage | Proposal) for message in node.sent)
        city.close()


@pytest.mark.parametrize("where", [CrashAt.BEFORE_COMMIT, CrashAt.AFTER_COMMIT])
def test_all_die_around_their_first_commit_and_go_on_after_a_restart(
    city: CoreCity, where: CrashAt
) -> None:
    (outcome,) = city.nodes[0].submit(document(1))
    for node in city.nodes:
        node.crash(where)
    city.run(lambda: not city.running)
    assert len(city.ballot) == 0
    city.start()
    (outcome,) = city.nodes[0].submit(document(1))
    city.run(lambda: all(node.is_final(outcome) for node in city.nodes))


def test_a_block_built_in_the_turn_that_finalizes_repeats_nothing(city: CoreCity) -> None:
    core = city.nodes[0].core
    assert core is not None
    city.nodes[0].submit(document(1), document(2))
    one, two = checked(1), checked(2)
    header = header_of([one])
    digest = header_digest(header)
    core.bodies.hold(digest, [one])
    (built,) = play(city, Finalized((header,), finalization(digest)), build_order())
    assert isinstance(built, BlockBuilt)
    assert built.transaction_ids == (two.id,)


def test_a_body_checked_in_the_turn_that_finalizes_may_not_repeat_either(city: CoreCity) -> None:
    core = city.nodes[0].core
    assert core is not None
    city.nodes[0].submit(document(1))
    one = checked(1)
    header = header_of([one])
    digest = header_digest(header)
    core.bodies.hold(digest, [one])
    order = check_order([one], height=2)
    (verdict,) = play(city, Finalized((header,), finalization(digest)), order)
    assert getattr(verdict, "verdict", None) is BodyVerdict.INVALID


def test_what_a_dropped_block_held_can_be_built_in_the_same_turn(city: CoreCity) -> None:
    core = city.nodes[0].core
    assert core is not None
    digest = header_digest(header_of([checked(1)]))
    core.bodies.hold(digest, [checked(1)])
    (built,) = play(city, DropBlock(digest), build_order())
    assert isinstance(built, BlockBuilt)
    assert built.transaction_ids == (checked(1).id,)


def test_what_a_body_lacks_is_asked_from_its_sources(city: CoreCity) -> None:
    core = city.nodes[0].core
    assert core is not None
    assert play(city, check_order([checked(1)])) == []
    assert core._fetcher.due_ms() is not None


def test_forged_copies_make_it_ask_for_what_the_body_lacks_and_for_nothing_else(
    city: CoreCity,
) -> None:
    node = city.nodes[0]
    core = node.core
    assert core is not None
    liar = city.nodes[1].key
    core.receive(liar, TransactionBatch((forged(document(1)), forged(document(2)))))
    play(city, check_order([checked(1)]))
    assert core._fetcher.due_ms() is None
    node.turn()
    (question,) = core._fetcher.step(node.now().mono_ms + 1_000)
    assert (question.peer, question.request.transaction_ids) == (PEER, (checked(1).id,))
    core.receive(PEER, TransactionAnswer((document(1),)))
    node.turn()
    assert core._fetcher.due_ms() is None


def test_a_halt_stops_the_node_with_the_certificates(city: CoreCity) -> None:
    certificate = finalization(Digest(b"\x01" * 32))
    with pytest.raises(NodeHalted) as halted:
        play(city, Halt("two final blocks", (certificate,)))
    assert halted.value.reason == "two final blocks"
    assert halted.value.certificates == (certificate,)


def test_the_body_of_a_block_that_was_caught_up_with_does_not_stay(city: CoreCity) -> None:
    core = city.nodes[0].core
    assert core is not None
    header = header_of([checked(1)])
    core.bodies.hold(header_digest(header), [checked(1)])
    tip = read_tip(city.nodes[0].chain)
    pair = Executed(header.height, Digest(bytes(32)), Digest(bytes(32)))
    caught_up = FinalTip(None, tip.frontier, (ExecutedBlock(header, pair),))
    core._runner.machine = ScriptedMachine(core.machine)
    core._runner.turn([Synced(caught_up)])
    assert core.bodies.find(checked(1).id) is None


def test_the_body_of_a_block_is_as_durable_as_the_vote_for_it(city: CoreCity) -> None:
    core = city.nodes[0].core
    assert core is not None
    one = checked(1)
    header = header_of([one])
    core.bodies.hold(header_digest(header), [one])
    play(city, Persist((BlockRecord(header, (one.id,)),)))
    assert city.nodes[0].journal.block_body(header_digest(header)) == (one.raw,)
