"""The pair of rules that is all of safety, over every order of own votes."""

from itertools import permutations, product

import pytest

from moyai.consensus.ballots import Ballots
from moyai.primitives.ids import ZERO_DIGEST, Digest, Epoch, ValidatorIndex, View
from moyai.primitives.vote import Vote, VoteKind

VIEW = View(5)


def own(kind: VoteKind, view: View = VIEW, digest: bytes = b"\x01") -> Vote:
    subject = ZERO_DIGEST if kind is VoteKind.NULLIFY else Digest(digest * 32)
    return Vote(Epoch(0), view, kind, subject, ValidatorIndex(0), b"\x00" * 64)


@pytest.mark.parametrize("order", list(permutations(VoteKind)))
def test_nullify_and_finalize_never_meet_in_one_view(order: tuple[VoteKind, ...]) -> None:
    ballots = Ballots()
    cast = []
    for kind in order:
        if ballots.allows(kind, VIEW):
            ballots.record(own(kind))
            cast.append(kind)
    assert not {VoteKind.NULLIFY, VoteKind.FINALIZE} <= set(cast)


def test_nullify_after_notarize_is_allowed_and_needed() -> None:
    ballots = Ballots()
    ballots.record(own(VoteKind.NOTARIZE))
    assert ballots.allows(VoteKind.NULLIFY, VIEW)


@pytest.mark.parametrize("first", list(VoteKind))
def test_no_kind_is_cast_twice_in_a_view(first: VoteKind) -> None:
    ballots = Ballots()
    ballots.record(own(first))
    assert not ballots.allows(first, VIEW)
    assert ballots.allows(first, View(VIEW + 1))


@pytest.mark.parametrize(("first", "second"), list(product(VoteKind, VoteKind)))
def test_what_is_not_allowed_cannot_be_recorded(first: VoteKind, second: VoteKind) -> None:
    ballots = Ballots()
    ballots.record(own(first))
    if not ballots.allows(second, VIEW):
        with pytest.raises(AssertionError):
            ballots.record(own(second))


def test_votes_of_before_a_restart_bind_as_well() -> None:
    ballots = Ballots()
    ballots.restore(own(VoteKind.NULLIFY))
    assert not ballots.allows(VoteKind.FINALIZE, VIEW)
    assert not ballots.allows(VoteKind.NOTARIZE, VIEW)
    assert ballots.highest_view == VIEW


def test_only_the_same_subject_counts_as_contained() -> None:
    ballots = Ballots()
    ballots.record(own(VoteKind.NOTARIZE))
    assert ballots.contains(own(VoteKind.NOTARIZE))
    assert not ballots.contains(own(VoteKind.NOTARIZE, digest=b"\x02"))


def test_views_up_to_the_floor_are_forgotten() -> None:
    ballots = Ballots()
    for view in (4, 5, 6):
        ballots.record(own(VoteKind.FINALIZE, View(view)))
    ballots.prune(VIEW)
    assert [vote.view for vote in ballots.all()] == [6]
    assert [vote.view for vote in ballots.finalizes()] == [6]
    assert [vote.view for vote in ballots.in_view(View(6))] == [6]
