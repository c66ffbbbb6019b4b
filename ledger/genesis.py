"""The state that a genesis document leads to: members, their accounts and the parameters."""

from moyai.ledger.epoch_end import entry_of
from moyai.ledger.officers import with_officers
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Genesis, Member
from moyai.primitives.ids import Epoch
from moyai.primitives.operations_accounts import (
    AccountKind,
    Thresholds,
)
from moyai.primitives.state_keys import (
    GOVERNANCE,
    PARAMETERS,
    account_key,
    full_node_key,
    member_key,
    validators_key,
)
from moyai.primitives.state_values import Account, Governance


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
    for index, node in enumerate(genesis.full_nodes):
        state[full_node_key(index)] = encode(node)
    return state


def _member_account(genesis: Genesis, member: Member) -> Account:
    account = Account(
        kind=AccountKind.ORGANISATION,
        controllers=(),
        thresholds=Thresholds(1, 1, 1),
        frozen=False,
        roles=member.roles,
        member=True,
        sponsor=member.account,
        opened_ms=genesis.time_ms,
    )
    return with_officers(account, member.officer_keys)
