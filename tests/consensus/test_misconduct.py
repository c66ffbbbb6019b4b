"""Evidence is a function of two votes; what no honest validator signs convicts, nothing else."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from moyai.consensus.limits import EVIDENCE_PER_VALIDATOR_MAX
from moyai.consensus.messages import Evidence
from moyai.consensus.misconduct import EvidenceBook, is_conflict, make_evidence
from moyai.primitives.ids import ZERO_DIGEST, Digest, Epoch, ValidatorIndex, View
from moyai.primitives.vote import Vote, VoteKind


def vote(kind: VoteKind, view: int = 1, signer: int = 1, block: int = 1) -> Vote:
    digest = ZERO_DIGEST if kind is VoteKind.NULLIFY else Digest(bytes([block]) * 32)
    return Vote(Epoch(0), View(view), kind, digest, ValidatorIndex(signer), bytes(64))


VOTES = st.builds(vote, st.sampled_from(list(VoteKind)), st.just(1), st.just(1), st.integers(1, 2))


@given(VOTES, VOTES)
def test_the_order_of_finding_does_not_matter(one: Vote, other: Vote) -> None:
    assert make_evidence(one, other) == make_evidence(other, one)


def test_exactly_these_pairs_convict() -> None:
    convicting = set()
    for first, second, block in product(VoteKind, VoteKind, (1, 2)):
        if is_conflict(make_evidence(vote(first), vote(second, block=block))):
            convicting.add((first.name, second.name, block == 1))
    assert convicting == {
        ("NOTARIZE", "NOTARIZE", False),
        ("FINALIZE", "FINALIZE", False),
        ("NULLIFY", "FINALIZE", True),
        ("NULLIFY", "FINALIZE", False),
        ("FINALIZE", "NULLIFY", True),
        ("FINALIZE", "NULLIFY", False),
    }


def test_other_signers_views_or_orders_prove_nothing() -> None:
    one = vote(VoteKind.NOTARIZE, block=1)
    assert not is_conflict(Evidence(one, vote(VoteKind.NOTARIZE, signer=2, block=2)))
    assert not is_conflict(Evidence(one, vote(VoteKind.NOTARIZE, view=2, block=2)))
    assert not is_conflict(Evidence(vote(VoteKind.NOTARIZE, block=2), one))
    assert not is_conflict(Evidence(one, one))


def test_the_book_keeps_so_much_of_each_validator() -> None:
    book = EvidenceBook()
    for view in range(EVIDENCE_PER_VALIDATOR_MAX + 3):
        each = make_evidence(vote(VoteKind.NULLIFY, view), vote(VoteKind.FINALIZE, view))
        if book.wants(each):
            book.add(each)
            assert not book.wants(each)
    assert len(book.all()) == EVIDENCE_PER_VALIDATOR_MAX


def test_equivocation_is_of_one_leader_in_one_view() -> None:
    book = EvidenceBook()
    pair = make_evidence(vote(VoteKind.NOTARIZE, 4), vote(VoteKind.NOTARIZE, 4, block=2))
    book.add(pair)
    assert book.equivocated(ValidatorIndex(1), View(4))
    assert not book.equivocated(ValidatorIndex(1), View(5))
    assert not book.equivocated(ValidatorIndex(2), View(4))
