"""Which two signed votes convict their signer: an honest validator never signs both.

A function of the two votes alone. Not here: whether the signatures are good (`vote`).
"""

from moyai.primitives.vote import Vote, VoteKind


def is_conflict(first: Vote, second: Vote) -> bool:
    """Return whether two votes, if well signed, convict their signer.

    They stand in the one order that such a pair has: by kind, then by digest.
    """
    if (first.epoch, first.view, first.signer) != (second.epoch, second.view, second.signer):
        return False
    if (first.kind, first.digest) >= (second.kind, second.digest):
        return False
    if first.kind is second.kind:
        return first.kind is not VoteKind.NULLIFY
    return (first.kind, second.kind) == (VoteKind.NULLIFY, VoteKind.FINALIZE)
