"""The state that a genesis document leads to: members, their accounts and the parameters."""

from moyai.ledger.epoch_end import entry_of
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
        thresholds=Thresholds(1, 1, 1),
        frozen=False,
        roles=member.roles,
        member=True,
        sponsor=member.account,
        opened_ms=genesis.time_ms,
    )
