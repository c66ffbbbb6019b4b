"""A ledger city that changes its members: a hospital that wants to join, and who must agree.

Not here: how the chain ends an epoch; `LedgerCity.end_epoch` executes what consensus would order.
"""

from harness.ledger_city import (
    CITY_HALL,
    OFFICER,
    SECOND_OFFICER,
    UTILITY,
    UTILITY_KEY,
    LedgerCity,
    key,
    owner,
)
from moyai.ledger.membership import next_validators, read_governance
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, NetworkKey, PublicKey
from moyai.primitives.operations_accounts import AccountKind, OpenAccount, Thresholds
from moyai.primitives.operations_governance import (
    AddMember,
    ApproveChange,
    Change,
    MembersReady,
    ProposeChange,
)
from moyai.primitives.receipt import Receipt
from moyai.primitives.transaction import opened_account

CITY_HALL_VALIDATOR, UTILITY_VALIDATOR, HOSPITAL_VALIDATOR = key(11), key(12), key(13)
HOSPITAL_KEY = key(4)
OFFICERS = (OFFICER, SECOND_OFFICER)
HOSPITAL_NETWORK = NetworkKey(b"\x07" * 32)


class GovernedCity(LedgerCity):
    """City hall and utility decide; their quorum is both of them."""

    def __init__(self) -> None:
        super().__init__()
        opening = OpenAccount(AccountKind.ORGANISATION, (owner(HOSPITAL_KEY),), Thresholds(1, 1, 1))
        receipt = self.must(CITY_HALL, opening, by=(OFFICER,))
        self.hospital: AccountId = opened_account(receipt.transaction, 0)

    def joining(self, *roles: Role) -> AddMember:
        """Return the change by which the hospital joins."""
        return AddMember(
            name="hospital",
            account=self.hospital,
            validator_key=HOSPITAL_VALIDATOR,
            network_key=HOSPITAL_NETWORK,
            endpoint="hospital.example:7000",
            roles=roles,
        )

    def propose(self, change: Change) -> int:
        """Let the city hall propose; return the number of the proposal."""
        self.must(CITY_HALL, ProposeChange(change), by=OFFICERS)
        return read_governance(self.state).proposals

    def accept(self, change: Change) -> int:
        """Let both members agree on a change; return the number of the proposal."""
        number = self.propose(change)
        self.must(UTILITY, ApproveChange(number), by=(UTILITY_KEY,))
        return number

    def ready(self, *validators: PublicKey) -> Receipt:
        """Let validators of the next set say that they are ready."""
        return self.must(CITY_HALL, self.readiness(), by=validators)

    def readiness(self) -> MembersReady:
        """Return what the validators of the next set sign."""
        next_set = next_validators(self.state)
        assert next_set is not None, "no change is under way"
        return MembersReady(next_set.digest)

    def enforce(self, change: Change) -> None:
        """Take a change all the way: agreed, everyone ready, the epoch ended."""
        self.accept(change)
        next_set = next_validators(self.state)
        assert next_set is not None, "a change is under way"
        self.ready(*next_set.keys)
        self.end_epoch()
