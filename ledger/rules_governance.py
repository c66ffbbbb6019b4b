"""Governance: members propose and approve changes, validators of the next set say they are ready.

An approved change becomes pending only when a quorum of the next set is ready in time, so that no
change hands the chain to members who are not there. Not here: what a change makes of the members
(`changes`), and its coming into force (`epoch_end`).
"""

import msgspec

from moyai.ledger.changes import changed
from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import Context
from moyai.ledger.membership import (
    next_validators,
    read_consortium,
    read_governance,
    read_members,
    read_parameters,
    read_proposal,
)
from moyai.primitives.codec import encode
from moyai.primitives.ids import PublicKey, TimeMs, format_account
from moyai.primitives.operations_governance import (
    AddFullNode,
    AddMember,
    ApproveChange,
    MembersReady,
    ProposeChange,
)
from moyai.primitives.quorum import quorum
from moyai.primitives.state_keys import GOVERNANCE, proposal_key
from moyai.primitives.state_values import ChangeUnderWay, Proposal, ProposalStage
from moyai.primitives.transaction import Scheme


def propose_change(context: Context, operation: ProposeChange) -> None:
    """A member proposes a change that could come into force today."""
    _require_member(context)
    if isinstance(operation.change, AddMember | AddFullNode):
        context.require_name(operation.change.name)
    changed(read_consortium(context.overlay), operation.change, context.overlay)
    governance = read_governance(context.overlay)
    number = governance.proposals + 1
    context.overlay.put(GOVERNANCE, encode(msgspec.structs.replace(governance, proposals=number)))
    proposal = Proposal(
        change=operation.change,
        proposer=context.account_id,
        approvals=(context.account_id,),
        stage=ProposalStage.OPEN,
        until_ms=_end_of_notice(context),
    )
    context.say("change.proposed", (context.account_id,), ("proposal", number))
    _write_or_accept(context, number, proposal)


def approve_change(context: Context, operation: ApproveChange) -> None:
    """A member approves; the approval that makes a quorum of the members accepts the change."""
    _require_member(context)
    proposal = read_proposal(context.overlay, operation.proposal)
    if proposal is None:
        raise Refusal(Code.PROPOSAL_UNKNOWN, str(operation.proposal))
    if proposal.stage is not ProposalStage.OPEN or proposal.until_ms < context.time_ms:
        raise Refusal(Code.PROPOSAL_CLOSED, str(operation.proposal))
    if context.account_id in proposal.approvals:
        raise Refusal(Code.ALREADY_APPROVED, format_account(context.account_id))
    approved = msgspec.structs.replace(
        proposal, approvals=(*proposal.approvals, context.account_id)
    )
    context.say("change.approved", (context.account_id,), ("proposal", operation.proposal))
    _write_or_accept(context, operation.proposal, approved)


def members_ready(context: Context, operation: MembersReady) -> None:
    """Validators of the next set sign with their own keys; a quorum of them makes it pending."""
    if context.account.frozen:
        raise Refusal(Code.ACCOUNT_FROZEN, format_account(context.account_id))
    governance = read_governance(context.overlay)
    under_way, next_set = governance.under_way, next_validators(context.overlay)
    if under_way is None or next_set is None or next_set.digest != operation.next_set:
        raise Refusal(Code.NO_SUCH_CHANGE, operation.next_set.hex())
    signing = tuple(
        PublicKey(signer.public_key)
        for signer in context.signers
        if signer.scheme == Scheme.ED25519 and signer.public_key in next_set.keys
    )
    if not signing:
        raise Refusal(Code.SIGNATURES_INSUFFICIENT, format_account(context.account_id))
    if under_way.pending:
        raise Refusal(Code.ALREADY_READY, operation.next_set.hex())
    if _lapses(context, under_way):
        return
    new = tuple(key for key in signing if key not in under_way.ready)
    if not new:
        raise Refusal(Code.ALREADY_READY, signing[0].hex())
    ready = (*under_way.ready, *new)
    for key in new:
        context.say("members.ready", (context.account_id,), ("validator_key", key))
    is_pending = len(ready) >= next_set.quorum
    if is_pending:
        _set_stage(context, under_way.proposal, ProposalStage.PENDING)
        context.say(
            "change.pending",
            (context.account_id,),
            ("proposal", under_way.proposal),
            ("next_set", next_set.digest),
        )
    _put_under_way(context, ChangeUnderWay(under_way.proposal, ready, is_pending))


def _require_member(context: Context) -> None:
    context.require_weight(context.account.thresholds.control)
    if not context.account.member:
        raise Refusal(Code.NOT_A_MEMBER, format_account(context.account_id))


def _write_or_accept(context: Context, number: int, proposal: Proposal) -> None:
    """Keep a proposal; with the approvals of a quorum of today's members it is under way."""
    members = [entry.account for entry in read_members(context.overlay)]
    counted = [account for account in proposal.approvals if account in members]
    if len(counted) < quorum(len(members)):
        _put_proposal(context, number, proposal)
        return
    under_way = read_governance(context.overlay).under_way
    if under_way is not None and not _lapses(context, under_way):
        raise Refusal(Code.CHANGE_UNDER_WAY, str(under_way.proposal))
    changed(read_consortium(context.overlay), proposal.change, context.overlay)
    accepted = msgspec.structs.replace(
        proposal, stage=ProposalStage.APPROVED, until_ms=_end_of_notice(context)
    )
    _put_proposal(context, number, accepted)
    _put_under_way(context, ChangeUnderWay(number, (), pending=False))
    next_set = next_validators(context.overlay)
    assert next_set is not None, "this change is under way"
    context.say(
        "change.accepted",
        (proposal.proposer,),
        ("proposal", number),
        ("next_set", next_set.digest),
        ("until_ms", accepted.until_ms),
    )


def _lapses(context: Context, under_way: ChangeUnderWay) -> bool:
    """Let the change under way lapse if its time is over; return whether it was."""
    proposal = read_proposal(context.overlay, under_way.proposal)
    assert proposal is not None, "a change under way was proposed"
    if under_way.pending or context.time_ms <= proposal.until_ms:
        return False
    _set_stage(context, under_way.proposal, ProposalStage.LAPSED)
    _put_under_way(context, None)
    context.say("change.lapsed", (proposal.proposer,), ("proposal", under_way.proposal))
    return True


def _end_of_notice(context: Context) -> TimeMs:
    return TimeMs(context.time_ms + read_parameters(context.overlay).change_notice_ms)


def _set_stage(context: Context, number: int, stage: ProposalStage) -> None:
    proposal = read_proposal(context.overlay, number)
    assert proposal is not None, "only a known proposal changes its stage"
    _put_proposal(context, number, msgspec.structs.replace(proposal, stage=stage))


def _put_proposal(context: Context, number: int, proposal: Proposal) -> None:
    context.overlay.put(proposal_key(number), encode(proposal))


def _put_under_way(context: Context, under_way: ChangeUnderWay | None) -> None:
    governance = read_governance(context.overlay)
    context.overlay.put(
        GOVERNANCE, encode(msgspec.structs.replace(governance, under_way=under_way))
    )
