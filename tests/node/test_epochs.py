"""Members and parameters change while the city works: real cores, stores and keys."""

from collections.abc import Iterator

import pytest

from harness.core_city import (
    GENESIS,
    KEYS,
    OFFICER,
    CoreCity,
    CoreNode,
    document,
    fast_folder,
    network_key,
    signed,
)
from moyai.ledger.membership import read_parameters, read_registry, read_validators
from moyai.ledger.state import Values
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, Epoch
from moyai.primitives.operations import Operation
from moyai.primitives.operations_governance import (
    AddMember,
    ApproveChange,
    Change,
    ParameterSetting,
    ProposeChange,
    RemoveMember,
    RotateNetworkKey,
    SetParameters,
)


@pytest.fixture
def city() -> Iterator[CoreCity]:
    with fast_folder() as folder:
        made = CoreCity(folder)
        made.start()
        yield made
        made.close()


class Council:
    """The officers of the members, who sign whatever the scenario wants."""

    def __init__(self, city: CoreCity) -> None:
        self.city = city
        self.number = 10_000
        self.proposals = 0

    def act(self, member: int, operation: Operation) -> None:
        """Let a member's officer do something, and wait until it is final everywhere."""
        self.number += 1
        raw = signed(
            self.number,
            operation,
            valid_until_ms=self.city.wall_ms + 60_000,
            account=GENESIS.members[member].account,
        )
        (outcome,) = self.city.running[0].submit(raw)
        assert outcome.refusal is None
        self.city.run(lambda: all(node.is_final(outcome) for node in self.city.running))

    def decide(self, change: Change) -> None:
        """Propose a change and approve it until it is under way."""
        self.proposals += 1
        self.act(0, ProposeChange(change))
        self.act(1, ApproveChange(self.proposals))
        self.act(2, ApproveChange(self.proposals))


def epoch_of(node: CoreNode) -> int:
    assert node.core is not None
    return node.core.config.validators.epoch


def reach_epoch(city: CoreCity, epoch: int) -> None:
    """Let seconds pass until every running node is in the epoch."""
    for _ in range(40):
        if all(epoch_of(node) == epoch for node in city.running):
            return
        city.keep_house()
        city.run_for(1_000)
    pytest.fail(f"epochs {[epoch_of(node) for node in city.running]}, not {epoch}")


def make_final(city: CoreCity, number: int) -> None:
    raw = document(number, valid_until_ms=city.wall_ms + 60_000)
    (outcome,) = city.running[-1].submit(raw)
    assert outcome.refusal is None
    city.run(lambda: all(node.is_final(outcome) for node in city.running))


def assert_same(city: CoreCity) -> None:
    histories = [node.history() for node in city.running]
    shortest = min(len(history) for history in histories)
    assert all(history[:shortest] == histories[0][:shortest] for history in histories)


def test_parameters_change_at_the_end_of_an_epoch(city: CoreCity) -> None:
    council = Council(city)
    council.decide(SetParameters((ParameterSetting("block_interval_max_ms", 300),)))
    reach_epoch(city, 1)
    make_final(city, 1)
    for node in city.running:
        assert node.core is not None
        assert node.core.config.parameters.block_interval_max_ms == 300
        assert read_parameters(Values(node.chain.states)).block_interval_max_ms == 300
    assert_same(city)
