"""Scenarios of the trusted head: it moves forward along one chain, or says why not."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.loopback_node import Answer, LoopbackNode, Refusal, b64, hexes
from harness.proven_city import (
    NEXT_SET,
    NEXT_VALIDATORS,
    ProvenCity,
    certify,
    epoch_end_headers,
    header_after,
)
from moyai.client.answers import CertificateAnswer
from moyai.client.errors import ForkError, NodePrunedError, NoNodeAnsweredError
from moyai.primitives.block import header_digest
from moyai.primitives.codec import encode
from moyai.primitives.ids import Epoch
from moyai.primitives.merkle import list_inclusion_path


async def test_the_head_follows_the_city(connect: Any, node: LoopbackNode) -> None:
    async with connect(node) as city:
        for height in (1, 2, 3):
            node.city.commit()
            assert (await city.refresh()).height == height


async def test_a_rolled_back_node_is_refused(
    connect: Any, node: LoopbackNode, tmp_path: Path, patient: Any
) -> None:
    for _ in range(5):
        node.city.commit()
    async with connect(node):
        pass
    younger = ProvenCity(tmp_path / "younger")
    younger.commit()
    node.city = younger
    with pytest.raises(NoNodeAnsweredError) as caught:
        async with connect(node):
            pass
    younger.close()
    assert all(error.code == "stale_node" for _, error in caught.value.failures)


async def test_a_fork_shows_both_sides(connect: Any, node: LoopbackNode, tmp_path: Path) -> None:
    node.city.commit()
    async with connect(node):
        pass
    forked = ProvenCity(tmp_path / "forked")
    forked.commit(time_ms=forked.tip.time_ms + 7)
    for _ in range(2):
        forked.commit()
    node.city = forked
    with pytest.raises(ForkError) as caught:
        async with connect(node):
            pass
    forked.close()
    assert caught.value.ours != caught.value.theirs
    assert caught.value.theirs[1] is not None


async def test_a_fork_at_the_same_height_shows_both_sides(
    connect: Any, node: LoopbackNode, tmp_path: Path
) -> None:
    node.city.commit()
    async with connect(node):
        pass
    forked = ProvenCity(tmp_path / "forked")
    forked.commit(time_ms=forked.tip.time_ms + 7)
    node.city = forked
    with pytest.raises(ForkError):
        async with connect(node):
            pass
    forked.close()


async def test_a_wrong_path_is_asked_for_again_before_anyone_is_accused(
    connect: Any, node: LoopbackNode
) -> None:
    node.city.commit()

    def without_path(answer: Answer) -> Answer:
        return {**answer, "known_path": ["00" * 32]}

    async with connect(node) as city:
        node.city.commit()
        node.falsify["chain_certificate"] = without_path
        assert (await city.refresh()).height == 2
    assert "chain_prove" in node.asked


async def test_a_node_that_proves_no_link_is_a_liar(connect: Any, node: LoopbackNode) -> None:
    node.city.commit()

    def astray(answer: Answer) -> Answer:
        return {**answer, "known_path": None, "log_path": ["00" * 32]}

    async with connect(node) as city:
        node.city.commit()
        node.falsify = {"chain_certificate": astray, "chain_prove": astray}
        with pytest.raises(NoNodeAnsweredError) as caught:
            await city.refresh()
        assert {error.code for _, error in caught.value.failures} == {"lying_node"}


def without_paths(node: LoopbackNode) -> None:
    """Let a node be one that began with a later state: it proves no line from before."""
    node.falsify["chain_certificate"] = lambda answer: {**answer, "known_path": None}
    node.refuse["chain_prove"] = [Refusal("pruned") for _ in range(20)]


async def test_a_new_client_begins_at_a_node_that_began_with_a_state(
    connect: Any, node: LoopbackNode
) -> None:
    node.city.commit()
    without_paths(node)
    async with connect(node) as city:
        assert city.head.height == 1


async def test_a_client_with_a_head_does_not_take_up_a_line_that_nobody_proves(
    connect: Any, node: LoopbackNode
) -> None:
    node.city.commit()
    async with connect(node) as city:
        without_paths(node)
        node.city.commit()
        with pytest.raises(NodePrunedError):
            await city.refresh()
        assert city.head.height == 1


async def test_answers_may_arrive_in_another_order(connect: Any, node: LoopbackNode) -> None:
    node.city.commit()
    async with connect(node) as city:
        session = city._session
        known = city.head.height
        node.city.commit()
        early = node.chain_certificate(known_height=known)
        node.city.commit()
        late = node.chain_certificate(known_height=known)
        for answer in (late, early):
            await believe(session, answer, known)
        assert city.head.height == 3


async def believe(session: Any, answer: Answer, known: int) -> None:
    typed = msgspec.convert(answer, CertificateAnswer, strict=False)
    await session.believe(session.nodes.first, typed.certified, known, typed.known_path)


@pytest.fixture
def moved_on(node: LoopbackNode) -> LoopbackNode:
    """A node whose city is in its second epoch, with other validators."""
    genesis = node.city.headers[0]
    ended = epoch_end_headers(header_after([genesis]), fillers=1)
    first = header_after([genesis, ended[0]], epoch=Epoch(1), epoch_end=None)
    certificate = certify(first, keys=NEXT_VALIDATORS)
    path = hexes(list_inclusion_path(0, [header_digest(one) for one in (genesis, ended[0])]))
    newest = {
        "certified": {
            "height": first.height,
            "header": b64(encode(first)),
            "certificate": b64(encode(certificate)),
        },
        "known_path": path,
    }
    node.city.commit()
    node.falsify["chain_certificate"] = lambda _: newest
    node.next_validators = {
        "keys": [key.hex() for key in NEXT_SET.keys],
        "epoch_end": {
            "header": b64(encode(ended[0])),
            "fillers": [b64(encode(ended[1]))],
            "certificate": b64(encode(certify(ended[1]))),
        },
    }
    return node


async def test_validators_are_followed_into_the_next_epoch(
    connect: Any, moved_on: LoopbackNode
) -> None:
    async with connect(moved_on) as city:
        assert (city.head.height, city.head.header.epoch) == (2, 1)
        assert city._session.chain.epoch == 1
    async with connect(moved_on) as city:
        assert city._session.chain.epoch == 1
    assert moved_on.asked.count("validators_get") == 1, "the head file remembers the validators"


async def test_validators_that_nobody_chose_are_refused(
    connect: Any, moved_on: LoopbackNode
) -> None:
    assert moved_on.next_validators is not None
    lies = [{**moved_on.next_validators, "epoch_end": None}]
    lies.append({**moved_on.next_validators, "keys": ["00" * 32] * 4})
    for lie in lies:
        moved_on.next_validators = lie
        with pytest.raises(NoNodeAnsweredError) as caught:
            async with connect(moved_on):
                pass
        assert {error.code for _, error in caught.value.failures} == {"lying_node"}
