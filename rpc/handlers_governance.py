"""Answers about changes of members and parameters: proposals, approvals, who is ready."""

import msgspec

from moyai.ledger.changes import Consortium, changed
from moyai.ledger.codes import Refusal
from moyai.ledger.membership import read_consortium, read_governance, read_proposal
from moyai.primitives.ids import Epoch
from moyai.primitives.quorum import quorum
from moyai.primitives.state_values import ChangeUnderWay, Proposal, ProposalStage
from moyai.rpc.readable import readable_operation
from moyai.rpc.reads import Reads
from moyai.rpc.schema_governance import ChangeShown, ChangesParams, ChangesShown, NextMember
from moyai.rpc.texts import account_text, time_text

_UNDECIDED = frozenset({ProposalStage.OPEN, ProposalStage.APPROVED, ProposalStage.PENDING})


class _Today(msgspec.Struct, frozen=True):
    """What every proposal is held against."""

    epoch: Epoch
    consortium: Consortium
    under_way: ChangeUnderWay | None


def changes_list(reads: Reads, params: ChangesParams) -> ChangesShown:
    """What members propose and have decided, newest first, and what each still needs."""
    governance = read_governance(reads)
    today = _Today(governance.epoch, read_consortium(reads), governance.under_way)
    newest = min(params.up_to or governance.proposals, governance.proposals)
    numbers = range(newest, max(0, newest - params.limit), -1)
    return ChangesShown(
        height=reads.height,
        epoch=governance.epoch,
        under_way=None if governance.under_way is None else governance.under_way.proposal,
        changes=[_shown(reads, number, today) for number in numbers],
    )


def _shown(reads: Reads, number: int, today: _Today) -> ChangeShown:
    proposal = read_proposal(reads, number)
    assert proposal is not None, "proposals are numbered without gaps"
    under_way = today.under_way
    is_under_way = under_way is not None and under_way.proposal == number
    ready = under_way.ready if under_way is not None and is_under_way else ()
    after = _after(reads, proposal, today.consortium)
    members = () if after is None else after.members
    next_set = None if after is None else after.validators(Epoch(today.epoch + 1))
    return ChangeShown(
        proposal=number,
        stage=proposal.stage.name.lower(),
        change=readable_operation(proposal.change),
        proposer=account_text(proposal.proposer),
        approvals=[account_text(account) for account in proposal.approvals],
        approvals_needed=quorum(len(today.consortium.members)),
        until=time_text(proposal.until_ms),
        next_set=None if next_set is None else next_set.digest.hex(),
        next_members=[
            NextMember(
                name=member.name,
                account=account_text(member.account),
                validator_key=member.validator_key.hex(),
                endpoint=member.endpoint,
                is_ready=member.validator_key in ready,
            )
            for member in members
        ],
        ready_needed=0 if next_set is None else next_set.quorum,
    )


def _after(reads: Reads, proposal: Proposal, today: Consortium) -> Consortium | None:
    """Return what an undecided proposal would lead to; none when it cannot be any more."""
    if proposal.stage not in _UNDECIDED:
        return None
    try:
        return changed(today, proposal.change, reads)
    except Refusal:
        return None
