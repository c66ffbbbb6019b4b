"""Scenarios of the executor: in order, once, whichever way a block came."""

from collections.abc import Iterator

import pytest

from harness.core_city import GENESIS, fast_folder
from harness.orders import checked, header_of
from moyai.ledger.mempool import Mempool
from moyai.ledger.recent import RecentIds
from moyai.node.bodies import Bodies
from moyai.node.executor import Executor
from moyai.node.tip import read_tip
from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.genesis import genesis_header
from moyai.primitives.ids import Digest, Epoch, Height, View
from moyai.primitives.parameters import Parameters
from moyai.primitives.vote import VoteKind
from moyai.storage.chain import ChainStore


@pytest.fixture
def chain() -> Iterator[ChainStore]:
    with fast_folder() as folder:
        store = ChainStore.create(folder / "chain", GENESIS, map_bytes=1 << 26)
        yield store
        store.close()


@pytest.fixture
def bodies() -> Bodies:
    parameters = Parameters()
    pool = Mempool(parameters)
    return Bodies(parameters=parameters, pool=pool, final_ids=RecentIds(parameters.tx_window_ms))


@pytest.fixture
def executor(chain: ChainStore, bodies: Bodies) -> Executor:
    return Executor(chain, bodies, read_tip(chain))


BODIES = {height: (checked(height),) for height in range(1, 5)}
HEADERS = {height: header_of(body, height) for height, body in BODIES.items()}


def proof(header: Header) -> Certificate:
    digest = header_digest(header)
    return Certificate(
        Epoch(0), View(header.view), VoteKind.FINALIZE, digest, b"\x07", (bytes(64),) * 3
    )


def hold(bodies: Bodies, *heights: int) -> tuple[Header, ...]:
    for height in heights:
        bodies.hold(header_digest(HEADERS[height]), BODIES[height])
    return tuple(HEADERS[height] for height in heights)


def test_final_blocks_are_executed_oldest_first_one_at_a_time(
    executor: Executor, bodies: Bodies, chain: ChainStore
) -> None:
    headers = hold(bodies, 1, 2)
    new = executor.finalized(headers, proof(headers[-1]))
    assert new == [(HEADERS[1], BODIES[1]), (HEADERS[2], BODIES[2])]
    assert executor.backlog == 2
    first, second = executor.execute_next(), executor.execute_next()
    assert first is not None
    assert second is not None
    assert (first.executed.height, second.executed.height) == (1, 2)
    assert first.executed.state_root != second.executed.state_root
    assert executor.execute_next() is None
    assert chain.height == 2
    assert bodies.find(BODIES[1][0].id) is None


def test_only_the_block_that_is_named_gets_the_certificate(
    executor: Executor, bodies: Bodies, chain: ChainStore
) -> None:
    headers = hold(bodies, 1, 2)
    executor.finalized(headers, proof(headers[-1]))
    while executor.execute_next() is not None:
        pass
    batch = chain.take_pending()
    assert batch is not None
    chain.write(batch)
    with chain.snapshot() as snapshot:
        assert snapshot.certificate(1) is None
        assert snapshot.certificate(2) == proof(HEADERS[2])


def test_a_block_that_catching_up_brought_is_taken_once(executor: Executor, bodies: Bodies) -> None:
    assert executor.synced(HEADERS[1], BODIES[1], None)
    assert not executor.synced(HEADERS[1], BODIES[1], None)
    headers = hold(bodies, 1, 2)
    assert executor.finalized(headers, proof(headers[-1])) == [(HEADERS[2], BODIES[2])]
    assert not executor.synced(HEADERS[2], BODIES[2], None)
    assert executor.next_height == 3
    assert bodies.drop(header_digest(HEADERS[1])) == ()


def test_a_gap_is_a_bug(executor: Executor, bodies: Bodies) -> None:
    with pytest.raises(AssertionError):
        executor.synced(HEADERS[2], BODIES[2], None)


def test_a_final_block_that_is_not_held_is_a_bug(executor: Executor) -> None:
    with pytest.raises(AssertionError):
        executor.finalized((HEADERS[1],), proof(HEADERS[1]))


def test_what_is_not_on_disk_is_named_until_it_is(executor: Executor, bodies: Bodies) -> None:
    headers = hold(bodies, 1, 2, 3)
    executor.finalized(headers, proof(headers[-1]))
    digests = tuple(header_digest(header) for header in headers)
    assert executor.unwritten(Height(0)) == digests
    executor.execute_next()
    assert executor.unwritten(Height(1)) == digests[1:]
    assert executor.unwritten(Height(3)) == ()


def test_recent_blocks_reach_down_to_what_the_tip_attests(executor: Executor) -> None:
    def synced(height: int, attested: int) -> None:
        pair = Executed(Height(attested), Digest(bytes(32)), Digest(bytes(32)))
        header = header_of(BODIES[height], height, executed=pair)
        executor.synced(header, BODIES[height], None)
        executor.execute_next()

    assert executor.recent[-1].header == genesis_header(GENESIS)
    synced(1, 0)
    synced(2, 0)
    assert [block.header.height for block in executor.recent] == [0, 1, 2]
    synced(3, 2)
    assert [block.header.height for block in executor.recent] == [2, 3]
