"""Which votes convict is a matter of the two votes, in one order, whoever asks."""

from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.ids import Digest, Epoch, ValidatorIndex, View
from moyai.primitives.misconduct import is_conflict
from moyai.primitives.vote import Vote, VoteKind

FEW = st.integers(0, 1)
VOTES = st.builds(
    lambda epoch, view, kind, block, signer: Vote(
        Epoch(epoch),
        View(view),
        kind,
        Digest(bytes([block]) * 32),
        ValidatorIndex(signer),
        bytes(64),
    ),
    FEW,
    FEW,
    st.sampled_from(VoteKind),
    FEW,
    FEW,
)


@given(VOTES, VOTES)
def test_a_pair_convicts_in_one_order_at_most(one: Vote, other: Vote) -> None:
    assert not (is_conflict(one, other) and is_conflict(other, one))


@given(VOTES, VOTES)
def test_an_honest_pair_never_convicts(one: Vote, other: Vote) -> None:
    """Notarize, then nullify or finalize the same; one of each kind a view, in each slot."""
    apart = (one.epoch, one.view, one.signer) != (other.epoch, other.view, other.signer)
    kinds = {one.kind, other.kind}
    honest = apart or one == other or kinds == {VoteKind.NOTARIZE, VoteKind.NULLIFY}
    if honest or kinds == {VoteKind.NOTARIZE, VoteKind.FINALIZE}:
        assert not is_conflict(one, other)


def test_nothing_else_goes_free() -> None:
    def vote(kind: VoteKind, block: int) -> Vote:
        digest = Digest(bytes([block]) * 32)
        return Vote(Epoch(1), View(2), kind, digest, ValidatorIndex(3), bytes(64))

    assert is_conflict(vote(VoteKind.NOTARIZE, 1), vote(VoteKind.NOTARIZE, 2))
    assert is_conflict(vote(VoteKind.FINALIZE, 1), vote(VoteKind.FINALIZE, 2))
    assert is_conflict(vote(VoteKind.NULLIFY, 0), vote(VoteKind.FINALIZE, 1))
    assert not is_conflict(vote(VoteKind.NULLIFY, 0), vote(VoteKind.NULLIFY, 1))
