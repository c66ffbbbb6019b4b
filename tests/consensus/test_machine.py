"""The one door: deterministic, quick, and silent after a halt."""

import time

from harness.consensus.playbook import NULLIFY, Stage
from harness.consensus.world import World
from moyai.consensus.effects import Effect
from moyai.consensus.inputs import MessageReceived, Now, VoteVerified
from moyai.primitives.ids import TimeMs

STEP_SECONDS_MAX = 200e-6  # an ordinary vote takes some 10 µs; room for a slow machine


def history(seed: int) -> list[str]:
    world = World(4, seed)
    world.network.loss = 0.2
    said: list[str] = []
    world.taps.append(lambda node, effect: said.append(f"{node.index} {effect!r}"))
    world.start()
    for _ in range(5):
        world.submit(1, world.nodes[0])
        world.run(700)
    return said


def test_one_seed_one_history() -> None:
    assert history(3) == history(3)
    assert history(3) != history(4)


def test_an_ordinary_vote_is_cheap() -> None:
    stage = Stage(me=0, count=64)
    stage.start()
    now = Now(stage.now_ms, TimeMs(stage.wall_ms))
    messages = [(i, stage.vote(NULLIFY, 1, i)) for i in range(1, 42)]
    started = time.perf_counter()
    for index, message in messages:
        key = stage.city.network_keys[index]
        stage.machine.step(MessageReceived(key, message), now)
        stage.machine.step(VoteVerified(message.vote, key, valid=True), now)
    assert (time.perf_counter() - started) / len(messages) < STEP_SECONDS_MAX


def test_a_halted_machine_says_nothing_more() -> None:
    stage = Stage.following(1)
    one, other = stage.make(1, ids=1), stage.make(1, ids=2)
    stage.hear(stage.others[0], stage.finalization(one), stage.finalization(other))
    quiet: list[Effect] = stage.work() + stage.propose(stage.make(2))
    assert quiet == []


def test_the_ordinary_path_of_four_sends_each_thing_once() -> None:
    world = World(4, 1)
    sent: dict[str, int] = {}

    def count(node: object, effect: Effect) -> None:
        message = getattr(effect, "message", None)
        if type(effect).__name__ == "Broadcast":
            kind = type(message).__name__
            vote = getattr(message, "vote", None) or getattr(message, "certificate", None)
            name = f"{kind} {vote.kind.name}" if vote is not None else kind
            sent[name] = sent.get(name, 0) + 1

    world.taps.append(count)
    world.start()
    ids = world.submit(1)
    assert world.run(500, lambda: world.all_final(ids))
    world.run(20)  # the last certificates; the block that carries the roots comes later
    assert sent == {
        "Proposal NOTARIZE": 1,
        "VoteMessage NOTARIZE": 3,
        "CertificateMessage NOTARIZE": 4,
        "VoteMessage FINALIZE": 4,
        "CertificateMessage FINALIZE": 4,
    }
