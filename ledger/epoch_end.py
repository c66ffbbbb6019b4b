"""The end of an epoch: the change that its last block names comes into force after that block.

Not here: which block ends an epoch (consensus), and what the change is (`changes`).
"""

import msgspec

from moyai.ledger.accounts import read_account
from moyai.ledger.changes import Consortium
from moyai.ledger.former_keys import write_former_keys
from moyai.ledger.membership import (
    next_consortium,
    read_consortium,
    read_governance,
    read_members,
    read_proposal,
)
from moyai.ledger.officers import with_officers
from moyai.ledger.state import Overlay
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Member, Role
from moyai.primitives.ids import AccountId, Digest, Epoch, TimeMs
from moyai.primitives.operations_governance import RecoverOfficers
from moyai.primitives.state_keys import (
    GOVERNANCE,
    PARAMETERS,
    account_key,
    full_node_key,
    member_key,
    proposal_key,
    validators_key,
)
from moyai.primitives.state_values import Governance, MemberEntry, Proposal, ProposalStage


def end_epoch(overlay: Overlay, next_set: Digest, time_ms: TimeMs) -> None:
    """Bring the pending change into force if `next_set` names it; otherwise nothing changes.

    `time_ms` is that of the block which ends the epoch.
    """
    governance = read_governance(overlay)
    under_way = governance.under_way
    if under_way is None or not under_way.pending:
        return
    before, after = read_consortium(overlay), next_consortium(overlay)
    assert after is not None, "a pending change is under way"
    epoch = Epoch(governance.epoch + 1)
    validators = after.validators(epoch)
    if validators.digest != next_set:
        return
    _write_members(overlay, after)
    _write_full_nodes(overlay, before, after)
    write_former_keys(overlay, before, after, time_ms)
    overlay.put(PARAMETERS, encode(after.parameters))
    overlay.put(validators_key(epoch), encode(validators.keys))
    overlay.put(GOVERNANCE, encode(Governance(epoch, governance.proposals, None)))
    proposal = _close_proposal(overlay, under_way.proposal)
    if isinstance(proposal.change, RecoverOfficers):
        _write_officers(overlay, proposal.change)
    overlay.commit()


def _write_members(overlay: Overlay, after: Consortium) -> None:
    before = {entry.account: place for place, entry in enumerate(read_members(overlay))}
    for place, member in enumerate(after.members):
        overlay.put(member_key(place), encode(entry_of(member)))
        if before.pop(member.account, None) is None:
            _write_account(overlay, member.account, member.roles, member=True)
    for place in range(len(after.members), len(after.members) + len(before)):
        overlay.delete(member_key(place))
    for account in before:
        _write_account(overlay, account, (), member=False)


def _write_full_nodes(overlay: Overlay, before: Consortium, after: Consortium) -> None:
    for place, node in enumerate(after.full_nodes):
        if before.full_nodes[place : place + 1] != (node,):
            overlay.put(full_node_key(place), encode(node))
    for place in range(len(after.full_nodes), len(before.full_nodes)):
        overlay.delete(full_node_key(place))


def entry_of(member: Member) -> MemberEntry:
    """Return what the registry keeps of a member."""
    return MemberEntry(
        name=member.name,
        account=member.account,
        validator_key=member.validator_key,
        network_key=member.network_key,
        endpoint=member.endpoint,
    )


def _write_account(
    overlay: Overlay, account_id: AccountId, roles: tuple[Role, ...], *, member: bool
) -> None:
    account = read_account(overlay, account_id)
    assert account is not None, "members have accounts"
    overlay.put(
        account_key(account_id),
        encode(msgspec.structs.replace(account, roles=roles, member=member)),
    )


def _write_officers(overlay: Overlay, change: RecoverOfficers) -> None:
    account = read_account(overlay, change.account)
    assert account is not None, "members have accounts"
    recovered = with_officers(account, change.officer_keys)
    overlay.put(account_key(change.account), encode(recovered))


def _close_proposal(overlay: Overlay, number: int) -> Proposal:
    proposal = read_proposal(overlay, number)
    assert proposal is not None, "a change under way was proposed"
    closed = msgspec.structs.replace(proposal, stage=ProposalStage.IN_FORCE)
    overlay.put(proposal_key(number), encode(closed))
    return proposal
