"""The state that a genesis document leads to: members, their accounts and the parameters."""

from moyai.ledger.epoch_end import entry_of
from moyai.ledger.identity import OFFICERS_FOR_PREMIUM
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Genesis, Member
from moyai.primitives.ids import Epoch
from moyai.primitives.operations_accounts import (
    AccountKind,
    Controller,
    ControllerRole,
    Thresholds,
)
from moyai.primitives.state_keys import (
    GOVERNANCE,
    PARAMETERS,
    account_key,
    member_key,
    validators_key,
)
from moyai.primitives.state_values import Account, Governance
from moyai.primitives.transaction import Scheme


def genesis_state(genesis: Genesis) -> dict[bytes, bytes]:
    """Return the state at height 0, without looking at the document's state root."""
    state = {
        PARAMETERS: encode(genesis.parameters),
        GOVERNANCE: encode(Governance(Epoch(0), 0, None)),
        validators_key(Epoch(0)): encode(genesis.validators().keys),
    }
    for index, member in enumerate(genesis.members):
        state[member_key(index)] = encode(entry_of(member))
        state[account_key(member.account)] = encode(_member_account(genesis, member))
    return state


def _member_account(genesis: Genesis, member: Member) -> Account:
    officers = tuple(
        Controller(Scheme.ED25519, key, ControllerRole.OWNER, 1, None)
        for key in member.officer_keys
    )
    return Account(
        kind=AccountKind.ORGANISATION,
        controllers=officers,
        # One officer alone could add a key of their own and sign as two.
        thresholds=Thresholds(1, 1, min(OFFICERS_FOR_PREMIUM, len(officers))),
        frozen=False,
        roles=member.roles,
        member=True,
        sponsor=member.account,
        opened_ms=genesis.time_ms,
    )
