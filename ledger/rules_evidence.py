"""Evidence: anyone may put on record what convicts a validator key; the first proof stays.

Nothing follows by itself: whether a member goes, or gets a new key, its fellow members decide
(`rules_governance`). One proof a key is kept, so that a liar who signs without end cannot fill the
state.
"""

from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import Context
from moyai.ledger.membership import read_governance, read_members, read_validators
from moyai.ledger.misconduct import read_misconduct
from moyai.primitives.codec import encode
from moyai.primitives.ids import PublicKey
from moyai.primitives.misconduct import is_conflict
from moyai.primitives.operations_evidence import SubmitEvidence
from moyai.primitives.state_keys import misconduct_key
from moyai.primitives.state_values import Misconduct
from moyai.primitives.vote import vote_is_valid


def submit_evidence(context: Context, operation: SubmitEvidence) -> None:
    """Anyone shows two signed votes of a validator of this epoch or an earlier one."""
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    key = _convicted(context, operation)
    if read_misconduct(context.overlay, key) is not None:
        raise Refusal(Code.EVIDENCE_KNOWN, key.hex())
    first, second = operation.first, operation.second
    for vote in (first, second):
        if not vote_is_valid(vote, context.chain_id, key):
            raise Refusal(Code.EVIDENCE_INVALID, "signature")
    entry = Misconduct(first, second, context.account_id, context.height)
    context.overlay.put(misconduct_key(key), encode(entry))
    accused = tuple(
        one.account for one in read_members(context.overlay) if one.validator_key == key
    )
    context.say(
        "evidence.recorded",
        (*accused, context.account_id),
        ("validator_key", key),
        ("epoch", first.epoch),
        ("view", first.view),
    )


def _convicted(context: Context, operation: SubmitEvidence) -> PublicKey:
    """Return the key that both votes are said to be signed with."""
    vote = operation.first
    if not is_conflict(vote, operation.second):
        raise Refusal(Code.EVIDENCE_INVALID, "conflict")
    if vote.epoch > read_governance(context.overlay).epoch:
        raise Refusal(Code.EVIDENCE_INVALID, "epoch")
    validators = read_validators(context.overlay, vote.epoch)
    if vote.signer >= len(validators):
        raise Refusal(Code.EVIDENCE_INVALID, "signer")
    return validators.keys[vote.signer]
