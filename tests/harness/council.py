"""The officers of a core city's members, who decide whatever a scenario wants."""

import pytest

from harness.core_city import (
    GENESIS,
    KEYS,
    OFFICER,
    CoreCity,
    CoreNode,
    network_key,
    signed,
)
from moyai.ledger.membership import read_registry
from moyai.ledger.state import Values
from moyai.primitives.genesis import Role
from moyai.primitives.ids import TransactionId
from moyai.primitives.operations import Operation
from moyai.primitives.operations_accounts import (
    AccountKind,
    Controller,
    ControllerRole,
    OpenAccount,
    Thresholds,
)
from moyai.primitives.operations_governance import (
    AddMember,
    ApproveChange,
    Change,
    ProposeChange,
)
from moyai.primitives.quorum import quorum
from moyai.primitives.receipt import OK
from moyai.primitives.transaction import Scheme, opened_account


class Council:
    """The officers of the members, who sign whatever the scenario wants."""

    def __init__(self, city: CoreCity) -> None:
        self.city = city
        self.number = 10_000
        self.proposals = 0

    def act(self, member: int, operation: Operation) -> TransactionId:
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
        assert outcome.id is not None
        self.city.run(lambda: all(node.is_final(outcome) for node in self.city.running))
        with self.city.running[0].chain.snapshot() as snapshot:
            receipt = snapshot.receipt(outcome.id)
        assert receipt is not None
        assert receipt.code == OK, receipt
        return outcome.id

    def decide(self, change: Change) -> None:
        """Propose a change and approve it until it is under way."""
        self.proposals += 1
        registry = read_registry(Values(self.city.running[0].chain.states))
        accounts = [member.account for member in registry]
        founders = [place for place in range(4) if GENESIS.members[place].account in accounts]
        first, *others = founders[: quorum(len(registry))]
        self.act(first, ProposeChange(change))
        for place in others:
            self.act(place, ApproveChange(self.proposals))

    def add(self, place: int) -> None:
        """Open an account for an organisation, and decide that it joins."""
        opening = OpenAccount(
            AccountKind.ORGANISATION,
            (Controller(Scheme.ED25519, OFFICER.public, ControllerRole.OWNER, 1, None),),
            Thresholds(1, 1, 1),
        )
        account = opened_account(self.act(0, opening), 0)
        self.decide(
            AddMember(
                name=f"member-{place}",
                account=account,
                validator_key=KEYS[place].public,
                network_key=network_key(place),
                endpoint=f"127.0.0.1:{7000 + place}",
                roles=(Role.RECORDS,),
            )
        )


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
