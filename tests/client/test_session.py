"""Scenarios of the trusted head: it moves forward along one chain, or says why not."""

from pathlib import Path
from typing import Any

import pytest

from harness.loopback_node import Answer, LoopbackNode
from harness.proven_city import ProvenCity
from moyai.client.errors import ForkError, NoNodeAnsweredError


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
    import msgspec

    from moyai.client.answers import CertificateAnswer

    typed = msgspec.convert(answer, CertificateAnswer, strict=False)
    await session.believe(session.nodes.first, typed.certified, known, typed.known_path)
