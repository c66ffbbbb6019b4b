"""Four real processes: they start, finalize, agree, lose members and take them back."""

import pytest

from harness.real_city import CallFailed, RealCity, until

BACK_SECONDS_MAX = 5.0


def test_what_one_node_takes_all_nodes_call_final(city: RealCity) -> None:
    transaction_id = city.make_final(city.nodes[0].node, "road plan")
    for process in city.nodes:
        city.wait_final(process.node, transaction_id, 5.0)


def test_every_node_takes_transactions(city: RealCity) -> None:
    for place, process in enumerate(city.nodes):
        city.make_final(process.node, f"from {place}")


def test_all_nodes_have_the_same_blocks_and_state(city: RealCity) -> None:
    city.make_final(city.nodes[1].node, "equal")
    head = city.wait_equal_heads(5.0)
    for process in city.nodes:
        block = city.call(
            process.node, "chain_block", height=head["height"], include=["ids", "codes"]
        )
        assert block["digest"] == head["digest"]


def test_the_same_bytes_have_one_effect(city: RealCity) -> None:
    transaction_id, raw = city.document("only once")
    for process in city.nodes:
        city.submit(process.node, raw)
    first = city.wait_final(city.nodes[0].node, transaction_id, 5.0)
    for process in city.nodes:
        assert city.wait_final(process.node, transaction_id, 5.0)["height"] == first["height"]
    assert city.submit(city.nodes[2].node, raw)["id"] == transaction_id.hex()


def test_a_resting_chain_makes_no_blocks_and_wakes_at_once(city: RealCity) -> None:
    city.make_final(city.nodes[0].node, "before the rest")
    resting = city.wait_equal_heads(5.0)["height"]
    with pytest.raises(AssertionError, match="a block nobody needs"):
        until(lambda: city.head(city.nodes[0].node) > resting + 1, 1.0, what="a block nobody needs")
    city.make_final(city.nodes[3].node, "after the rest", 2.0)


def test_one_dead_validator_of_four_stops_nothing(own_city: RealCity) -> None:
    own_city["hospital"].kill()
    alive = [process for process in own_city.nodes if process.running]
    for place in range(4):
        own_city.make_final(alive[place % 3].node, f"without the hospital {place}")
    until(lambda: "hospital" in alive[0].health().text, 5.0, what="health that names the hospital")
    own_city["hospital"].start()
    returned = own_city["hospital"].node
    last = own_city.make_final(alive[0].node, "and back")
    own_city.wait_final(returned, last, BACK_SECONDS_MAX)
    own_city.wait_equal_heads(5.0)


def test_two_dead_validators_stop_finality_but_not_reads(own_city: RealCity) -> None:
    before = own_city.make_final(own_city.nodes[0].node, "before")
    own_city["hospital"].kill()
    own_city["utility"].kill()
    survivor = own_city["city-hall"]
    health = until(
        lambda: (asked := survivor.health()).status == 503 and asked, 10.0, what="readiness lost"
    )
    assert "hospital" in health.text
    assert "utility" in health.text
    transaction_id, raw = own_city.document("in vain for now")
    own_city.submit(survivor.node, raw)
    with pytest.raises(AssertionError, match="not within"):
        own_city.wait_final(survivor.node, transaction_id, 1.5)
    status = own_city.call(survivor.node, "tx_status", id=before.hex())
    assert status["status"] == "final"
    node_status = own_city.call(survivor.node, "node_status")
    assert node_status["ready"] is False
    own_city["utility"].start()
    own_city.wait_final(survivor.node, transaction_id, BACK_SECONDS_MAX)
    own_city["hospital"].start()
    own_city.wait_equal_heads(10.0)


def test_a_city_that_is_stopped_goes_on_where_it_was(own_city: RealCity) -> None:
    acknowledged = [own_city.make_final(own_city.nodes[0].node, f"kept {n}") for n in range(3)]
    height = own_city.wait_equal_heads(5.0)["height"]
    for process in own_city.nodes:
        process.terminate()
    codes = [process.join(10.0) for process in own_city.nodes]
    assert codes == [0, 0, 0, 0]
    own_city.processes.start()
    own_city.processes.wait_ready()
    for process in own_city.nodes:
        assert own_city.head(process.node) >= height
        for transaction_id in acknowledged:
            status = own_city.call(process.node, "tx_status", id=transaction_id.hex())
            assert status["status"] == "final"
    own_city.make_final(own_city.nodes[1].node, "after the night", BACK_SECONDS_MAX)


def test_a_node_that_does_not_answer_is_told_apart(own_city: RealCity) -> None:
    own_city["chamber"].kill()
    with pytest.raises(CallFailed, match="does not answer"):
        own_city.head(own_city["chamber"].node)
