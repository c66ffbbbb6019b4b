"""Scenarios of a start: from genesis, from a chain, with a journal ahead of the chain store."""

from functools import partial

import pytest

from harness.core_city import GENESIS, CoreCity, CoreNode, CrashAt, document
from moyai.node.ingest import Submitted
from moyai.node.starting import read_recent_ids, read_start
from moyai.node.tip import read_tip
from moyai.primitives.block import header_digest
from moyai.primitives.genesis import genesis_header
from moyai.primitives.ids import Height
from moyai.primitives.transaction import parse_transaction
from moyai.storage.pruning import Pruner


def make_final(city: CoreCity, number: int, **content: int) -> Submitted:
    (outcome,) = city.nodes[0].submit(document(number, **content))
    city.run(partial(city.nodes[0].is_final, outcome))
    return outcome


def open_again(node: CoreNode) -> None:
    """Open the stores of a dead node without starting it."""
    node.start()
    node.core = None


def shut(node: CoreNode) -> None:
    node.chain.close()
    node.journal.close()


def test_a_new_chain_starts_from_genesis(city: CoreCity) -> None:
    tip = read_tip(city.nodes[0].chain)
    assert tip.header == genesis_header(GENESIS)
    assert tip.certificate is None
    assert [block.header.height for block in tip.recent] == [0]


def test_the_tip_comes_with_every_block_whose_root_is_not_attested(city: CoreCity) -> None:
    for number in range(5):
        make_final(city, number)
    chain = city.nodes[0].chain
    tip = read_tip(chain)
    assert tip.header == chain.tip_header
    assert tip.recent[0].header.height == min(tip.header.executed.height + 1, tip.header.height)
    assert [block.executed.height for block in tip.recent] == [
        block.header.height for block in tip.recent
    ]
    assert tip.frontier.root == tip.header.log_root


def test_the_ids_of_the_last_window_are_remembered_and_older_ones_not(city: CoreCity) -> None:
    window_ms = GENESIS.parameters.tx_window_ms
    old = make_final(city, 1)
    city.run_for(window_ms)
    late = {"valid_until_ms": city.wall_ms + 60_000}
    middle = make_final(city, 2, **late)
    city.run_for(window_ms - 5_000)
    new = make_final(city, 3, valid_until_ms=city.wall_ms + 60_000)
    recent = read_recent_ids(city.nodes[0].chain, window_ms)
    assert old.id not in recent
    assert middle.id in recent
    assert new.id in recent
    core = city.nodes[0].core
    assert core is not None
    assert len(core.final_ids) == len(recent)


def test_what_the_chain_store_lacks_is_read_from_the_journal(city: CoreCity) -> None:
    node = city.nodes[0]
    make_final(city, 1)
    node.crash(CrashAt.BEFORE_WRITE)
    (outcome,) = city.nodes[1].submit(document(2))
    city.run(lambda: node.core is None)
    open_again(node)
    start = read_start(node.identity, node.chain, node.journal)
    ahead = [
        record for record in start.recovered.blocks if record.header.height > node.chain.height
    ]
    assert any(outcome.id in record.transaction_ids for record in ahead)
    for record in ahead:
        body = start.bodies[header_digest(record.header)]
        assert tuple(transaction.id for transaction in body) == record.transaction_ids
    shut(node)


def test_a_node_alone_executes_from_its_journal_what_it_had_not_written(city: CoreCity) -> None:
    node = city.nodes[0]
    make_final(city, 1)
    node.crash(CrashAt.BEFORE_WRITE)
    (outcome,) = city.nodes[1].submit(document(2))
    city.run(lambda: node.core is None)
    node.is_cut = True
    node.restart()
    city.run(lambda: node.is_final(outcome))


@pytest.mark.parametrize("where", [CrashAt.BEFORE_WRITE, CrashAt.AFTER_WRITE])
def test_nothing_is_executed_twice_wherever_it_died(city: CoreCity, where: CrashAt) -> None:
    node = city.nodes[0]
    make_final(city, 1)
    node.crash(where)
    (outcome,) = city.nodes[1].submit(document(2))
    city.run(lambda: node.core is None)
    node.restart()
    city.run(lambda: all(each.is_final(outcome) for each in city.nodes))
    city.run(lambda: len({each.chain.committed_height for each in city.nodes}) == 1)
    assert node.history() == city.nodes[1].history()


def test_a_restart_knows_again_what_is_final(city: CoreCity) -> None:
    final = make_final(city, 1)
    node = city.nodes[0]
    node.kill()
    node.restart()
    (again,) = node.submit(document(1))
    assert again.known
    assert again.id == final.id == parse_transaction(document(1)).id


def test_a_node_that_pruned_starts_from_what_it_kept(city: CoreCity) -> None:
    outcomes = [make_final(city, number) for number in range(4)]
    chain = city.nodes[0].chain
    whole = read_tip(chain)
    pruner = Pruner(chain)
    pruner.raise_base(Height(chain.committed_height - 1))
    while pruner.step().more:
        pass
    assert read_tip(chain) == whole
    recent = read_recent_ids(chain, 10**9)
    known = [one.id in recent for one in outcomes if one.id is not None]
    assert known[-1]
    assert not known[0]
