"""Members, validator sets, parameters and changes under way, read from the state.

Not here: the state they start from (`genesis`), what a change makes of them (`changes`), who
decides (`rules_governance`), and when it comes into force (`epoch_end`).
"""

from collections.abc import Iterator

import msgspec

from moyai.ledger.accounts import read_account
from moyai.ledger.changes import Consortium, changed, member_of
from moyai.ledger.state import ValueReader
from moyai.primitives.genesis import FullNode, Member
from moyai.primitives.ids import AccountId, Digest, Epoch, PublicKey, TimeMs
from moyai.primitives.parameters import Parameters
from moyai.primitives.state_keys import (
    GOVERNANCE,
    PARAMETERS,
    full_node_key,
    member_key,
    proposal_key,
    validators_key,
)
from moyai.primitives.state_values import Governance, MemberEntry, Proposal
from moyai.primitives.validators import ValidatorSet

_member = msgspec.msgpack.Decoder(MemberEntry)
_full_node = msgspec.msgpack.Decoder(FullNode)
_parameters = msgspec.msgpack.Decoder(Parameters)
_governance = msgspec.msgpack.Decoder(Governance)
_proposal = msgspec.msgpack.Decoder(Proposal)
_validators = msgspec.msgpack.Decoder(tuple[PublicKey, ...])


class ReadyWanted(msgspec.Struct, frozen=True):
    """The change under way waits for a validator: as which account it says that it is ready."""

    account: AccountId
    next_set: Digest


def read_parameters(reader: ValueReader) -> Parameters:
    """Return the parameters in force."""
    value = reader.value(PARAMETERS)
    assert value is not None, "every chain has parameters from genesis on"
    return _parameters.decode(value)


def read_members(reader: ValueReader) -> Iterator[MemberEntry]:
    """Yield the members in the order of joining."""
    index = 0
    while (value := reader.value(member_key(index))) is not None:
        yield _member.decode(value)
        index += 1


def read_full_nodes(reader: ValueReader) -> Iterator[FullNode]:
    """Yield the registered nodes without a vote in the order of joining."""
    index = 0
    while (value := reader.value(full_node_key(index))) is not None:
        yield _full_node.decode(value)
        index += 1


def read_registry(reader: ValueReader) -> tuple[Member, ...]:
    """Return the members in the order of joining, with the officers and roles of today."""
    return tuple(_with_account(reader, entry) for entry in read_members(reader))


def read_governance(reader: ValueReader) -> Governance:
    """Return the epoch, the number of proposals and the change under way."""
    value = reader.value(GOVERNANCE)
    assert value is not None, "every chain has an epoch from genesis on"
    return _governance.decode(value)


def read_proposal(reader: ValueReader, number: int) -> Proposal | None:
    """Return a proposal by its number, from 1 on."""
    value = reader.value(proposal_key(number))
    return None if value is None else _proposal.decode(value)


def read_validators(reader: ValueReader, epoch: Epoch) -> ValidatorSet:
    """Return the validator set of an epoch that has begun, or follows a block executed here."""
    value = reader.value(validators_key(epoch))
    assert value is not None, f"epoch {epoch} has not begun in this state"
    return ValidatorSet(epoch, _validators.decode(value))


def read_pending_set(reader: ValueReader) -> ValidatorSet | None:
    """Return the set that the next block has to end the epoch for; none when there is none."""
    under_way = read_governance(reader).under_way
    return next_validators(reader) if under_way is not None and under_way.pending else None


def next_validators(reader: ValueReader) -> ValidatorSet | None:
    """Return the set of the change under way, pending or waiting for validators to be ready."""
    after = next_consortium(reader)
    epoch = Epoch(read_governance(reader).epoch + 1)
    return None if after is None else after.validators(epoch)


def next_consortium(reader: ValueReader) -> Consortium | None:
    """Return everything as it is after the change under way; none when there is none."""
    under_way = read_governance(reader).under_way
    if under_way is None:
        return None
    proposal = read_proposal(reader, under_way.proposal)
    assert proposal is not None, "a change under way was proposed"
    return changed(read_consortium(reader), proposal.change, reader)


def read_consortium(reader: ValueReader) -> Consortium:
    """Return the members, full nodes and parameters of today."""
    full_nodes = tuple(read_full_nodes(reader))
    return Consortium(read_registry(reader), full_nodes, read_parameters(reader))


def ready_wanted(reader: ValueReader, key: PublicKey, time_ms: TimeMs) -> ReadyWanted | None:
    """Return how the validator with `key` says that it is ready; none when nobody waits for it."""
    under_way = read_governance(reader).under_way
    if under_way is None or under_way.pending or key in under_way.ready:
        return None
    proposal = read_proposal(reader, under_way.proposal)
    assert proposal is not None, "a change under way was proposed"
    after = next_consortium(reader)
    assert after is not None, "there is a change under way"
    if proposal.until_ms < time_ms:
        return None
    for member in after.members:
        if member.validator_key == key:
            epoch = Epoch(read_governance(reader).epoch + 1)
            return ReadyWanted(member.account, after.validators(epoch).digest)
    return None


def _with_account(reader: ValueReader, entry: MemberEntry) -> Member:
    account = read_account(reader, entry.account)
    assert account is not None, "every member has an account"
    member = Member(
        name=entry.name,
        validator_key=entry.validator_key,
        network_key=entry.network_key,
        endpoint=entry.endpoint,
        account=entry.account,
        officer_keys=(),
        roles=(),
    )
    return member_of(entry.account, account, member)
