"""What a node says of itself: mode, quorum, links, what waits, and why it is not ready."""

import msgspec
import pytest

from harness.core_city import CHAIN_ID, KEYS, CoreCity, CoreNode, document
from moyai.consensus.messages import Evidence
from moyai.node import status as status_module
from moyai.node.status import STALLED_MS
from moyai.p2p.ports import PeerInfo
from moyai.primitives.codec import encode
from moyai.primitives.ids import Digest, Epoch, ValidatorIndex, View
from moyai.primitives.vote import Vote, VoteKind, vote_message
from moyai.storage import environment


@pytest.fixture
def node(city: CoreCity) -> CoreNode:
    """Give a node whose hub has a link to every other member."""
    node = city.nodes[0]
    link(node, up=3)
    return node


def link(node: CoreNode, *, up: int) -> None:
    """Let the first `up` other members be linked."""
    contacts = [peer.contact for peer in node.hub.peers()]
    others = [contact for contact in contacts if contact.key != node.key]
    peers = tuple(PeerInfo(one, connected=place < up) for place, one in enumerate(others))
    node.hub.peers = lambda: peers


def test_a_validator_that_is_linked_is_ready(city: CoreCity, node: CoreNode) -> None:
    status = node.status.status()
    assert (status.name, status.mode) == ("member-0", "validator")
    assert (status.is_ready, status.not_ready_because) == (True, "")
    assert (status.final, status.executed, status.committed) == (0, 0, 0)
    assert status.final_age_ms is None
    assert (status.quorum.reached, status.quorum.needed, status.quorum.validators) == (4, 3, 4)
    assert status.quorum.missing == ()
    assert status.disk.level == "good"


def test_heights_the_pool_and_the_peers_are_told(city: CoreCity, node: CoreNode) -> None:
    (outcome,) = node.submit(document(1))
    assert node.status.status().pool.transactions == 1
    city.run(lambda: all(each.is_final(outcome) for each in city.nodes))
    city.run_for(3_000)
    node.status.committed()
    status = node.status.status()
    assert status.final == status.executed == status.committed == node.chain.height
    assert status.final_age_ms is not None
    assert status.pool.transactions == status.pool.size_bytes == 0
    assert {each.height for each in status.links} == {node.chain.height}


def test_without_a_quorum_it_names_who_is_missing(node: CoreNode) -> None:
    link(node, up=1)
    status = node.status.status()
    assert not status.is_ready
    assert (status.quorum.reached, status.quorum.needed) == (2, 3)
    assert len(status.quorum.missing) == 2
    assert status.not_ready_because == f"quorum 2/4, missing {', '.join(status.quorum.missing)}"


def test_nobody_waits_for_the_link_of_a_former_key(node: CoreNode) -> None:
    (first, *others) = node.hub.peers()
    former = msgspec.structs.replace(first.contact, endpoint="", validator=None)
    node.hub.peers = lambda: (PeerInfo(former, connected=False), *others)
    assert len(node.status.status().links) == len(others)
    node.hub.peers = lambda: (PeerInfo(former, connected=True), *others)
    assert len(node.status.status().links) == len(others) + 1


def test_a_validator_that_is_none_of_this_epoch_says_so(node: CoreNode) -> None:
    assert node.core is not None
    node.core.config = msgspec.structs.replace(node.core.config, index=None)
    assert node.status.status().mode == "no vote"


def test_a_full_node_does_not_count_itself(node: CoreNode, monkeypatch: pytest.MonkeyPatch) -> None:
    assert node.core is not None
    node.core.config = msgspec.structs.replace(node.core.config, index=None)
    follower = msgspec.structs.replace(node.identity, signing=None)
    monkeypatch.setattr(node.status, "_identity", follower)
    assert node.status.status().mode == "full"
    assert node.status.status().quorum.reached == 3


def test_when_transactions_wait_and_nothing_becomes_final_it_says_so(
    city: CoreCity, node: CoreNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node.status, "_clock", Watch())
    node.status.watch()
    node.submit(document(1))
    node.status.watch()
    Watch.now_ms += STALLED_MS
    assert node.status.status().is_ready
    Watch.now_ms += 1
    node.status.watch()
    assert "nothing became final for 10 s" in node.status.status().not_ready_because
    node.status.committed()
    assert node.status.status().is_ready


def test_who_says_that_it_abstains_is_no_vote(city: CoreCity, node: CoreNode) -> None:
    assert node.core is not None
    machine = node.core.machine.status()
    others = tuple(ValidatorIndex(one) for one in range(4) if one != node.core.config.index)
    silent = msgspec.structs.replace(machine, abstaining_validators=others[:1])
    quorum = node.status._quorum(silent)
    assert (quorum.reached, quorum.needed) == (3, 3)
    assert [name.endswith(" (abstains)") for name in quorum.missing] == [True]
    silent = msgspec.structs.replace(machine, abstaining_validators=others[:2])
    assert node.status._quorum(silent).reached == 2


def test_a_block_that_is_awaited_without_transactions_is_work_too(
    city: CoreCity, node: CoreNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node.status, "_clock", Watch())
    (outcome,) = node.submit(document(1))
    city.run(lambda: node.is_final(outcome))
    assert node.core is not None
    assert not len(node.core.mempool)
    assert node.core.machine.status().reason == "an unattested root"
    node.status.watch()
    Watch.now_ms += STALLED_MS + 1
    assert "nothing became final for 10 s" in node.status.status().not_ready_because


class Watch:
    """A clock that the scenario sets."""

    now_ms = 1_000

    def mono_ms(self) -> int:
        return Watch.now_ms


@pytest.mark.parametrize(
    ("limit", "level", "ready"),
    [
        ("ALARM_PERCENT", "alarm", True),
        ("NO_NEW_TRANSACTIONS_PERCENT", "no new transactions", False),
        ("STOP_PERCENT", "stopping", False),
    ],
)
def test_the_disk(
    node: CoreNode, monkeypatch: pytest.MonkeyPatch, limit: str, level: str, ready: bool
) -> None:
    monkeypatch.setattr(environment, limit, 0)
    status = node.status.status()
    assert (status.disk.level, status.is_ready) == (level, ready)


def test_catching_up_is_a_mode_and_not_ready(
    city: CoreCity, node: CoreNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.is_cut = True
    city.links_changed()
    for number in range(24):
        (outcome,) = city.nodes[1].submit(document(number))
        city.run(lambda one=outcome: city.nodes[1].is_final(one))
    node.is_cut = False
    city.links_changed()
    city.run(lambda: node.core is not None and node.core.machine.status().catching_up)
    status = node.status.status()
    assert (status.mode, status.not_ready_because) == ("catching up", "catching up")


def test_evidence_is_shown_with_its_bytes(node: CoreNode) -> None:
    def vote(digest: Digest) -> Vote:
        message = vote_message(CHAIN_ID, 0, 5, VoteKind.NOTARIZE, digest)
        signature = KEYS[2].sign(message)
        return Vote(Epoch(0), View(5), VoteKind.NOTARIZE, digest, ValidatorIndex(2), signature)

    evidence = Evidence(vote(Digest(b"\x01" * 32)), vote(Digest(b"\x02" * 32)))
    assert node.core is not None
    node.core.performer.evidence.append(evidence)
    (shown,) = node.status.evidence()
    assert (shown.first, shown.second) == (evidence.first, evidence.second)
    assert shown.evidence == encode(evidence)


def test_every_level_of_a_disk_has_a_name() -> None:
    assert set(status_module._LEVELS) == set(environment.FillLevel)
