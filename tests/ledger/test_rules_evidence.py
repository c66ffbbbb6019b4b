"""Scenarios of evidence: what convicts goes on record once a key, under the set of its epoch."""

import msgspec
import pytest

from harness.governed_city import CITY_HALL_VALIDATOR, GovernedCity
from harness.ledger_city import CITY_HALL, STRANGER, UTILITY, UTILITY_KEY, key, owner, signed_vote
from moyai.ledger.codes import Code
from moyai.ledger.membership import read_members, read_validators
from moyai.ledger.misconduct import read_misconduct
from moyai.primitives.ids import Epoch
from moyai.primitives.operations_evidence import SubmitEvidence
from moyai.primitives.operations_governance import RemoveMember, RotateValidatorKey
from moyai.primitives.vote import VoteKind

CITY_HALL_NUMBER = 11
NO_BLOCK, BLOCK, OTHER_BLOCK = bytes(32), b"\x01" * 32, b"\x02" * 32


def evidence(
    city: GovernedCity, *, epoch: int = 0, number: int = CITY_HALL_NUMBER
) -> SubmitEvidence:
    """Return two blocks that the validator with test key `number` voted for in one view."""
    signer = read_validators(city.state, Epoch(epoch)).index_of(key(number))
    assert signer is not None
    first, second = (
        signed_vote(VoteKind.NOTARIZE, digest, Epoch(epoch), signer, number)
        for digest in (BLOCK, OTHER_BLOCK)
    )
    return SubmitEvidence(first, second)


def test_anyone_puts_a_liar_on_record_and_nothing_else_happens() -> None:
    city = GovernedCity()
    citizen = city.open(owner(STRANGER))
    before = list(read_members(city.state))
    proof = evidence(city)
    receipt = city.must(citizen, proof, by=(STRANGER,))
    (event,) = receipt.events
    assert (event.kind, event.accounts) == ("evidence.recorded", (CITY_HALL, citizen))
    assert dict(event.fields) == {"validator_key": CITY_HALL_VALIDATOR, "epoch": 0, "view": 3}
    recorded = read_misconduct(city.state, CITY_HALL_VALIDATOR)
    assert recorded is not None
    assert (recorded.first, recorded.second) == (proof.first, proof.second)
    assert (recorded.submitter, recorded.height) == (citizen, city.height)
    assert list(read_members(city.state)) == before


def test_one_proof_convicts_a_key() -> None:
    city = GovernedCity()
    city.must(UTILITY, evidence(city), by=(UTILITY_KEY,))
    assert city.code(UTILITY, evidence(city), by=(UTILITY_KEY,)) is Code.EVIDENCE_KNOWN


def test_what_was_signed_in_a_past_epoch_convicts_the_key_of_that_epoch() -> None:
    city = GovernedCity()
    old = evidence(city)
    city.enforce(RotateValidatorKey(CITY_HALL, key(14)))
    receipt = city.must(UTILITY, old, by=(UTILITY_KEY,))
    assert receipt.events[0].accounts == (UTILITY,), "no member votes with that key any more"
    assert read_misconduct(city.state, CITY_HALL_VALIDATOR) is not None
    assert read_misconduct(city.state, key(14)) is None
    city.must(UTILITY, evidence(city, epoch=1, number=14), by=(UTILITY_KEY,))


def test_a_member_that_left_is_still_convicted() -> None:
    city = GovernedCity()
    city.enforce(RemoveMember(UTILITY))
    city.must(city.hospital, evidence(city, number=12), by=(key(4),))


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"signature": bytes(64)}, "signature"),
        ({"view": 4}, "conflict"),
        ({"digest": BLOCK}, "conflict"),
        ({"kind": VoteKind.FINALIZE}, "conflict"),
    ],
)
def test_what_convicts_nobody(fields: dict[str, object], subject: str) -> None:
    city = GovernedCity()
    proof = evidence(city)
    changed = SubmitEvidence(proof.first, msgspec.structs.replace(proof.second, **fields))
    receipt = city.do(UTILITY, changed, by=(UTILITY_KEY,))
    assert (receipt.code, receipt.subject) == (Code.EVIDENCE_INVALID, subject)


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"epoch": Epoch(1)}, "epoch"),
        ({"epoch": Epoch(2**32 - 1)}, "epoch"),
        ({"signer": 2}, "signer"),
    ],
)
def test_votes_of_no_validator(fields: dict[str, object], subject: str) -> None:
    city = GovernedCity()
    proof = evidence(city)
    votes = (msgspec.structs.replace(one, **fields) for one in (proof.first, proof.second))
    receipt = city.do(UTILITY, SubmitEvidence(*votes), by=(UTILITY_KEY,))
    assert (receipt.code, receipt.subject) == (Code.EVIDENCE_INVALID, subject)


def test_votes_of_another_chain_convict_nobody() -> None:
    """The chain's name is in what a vote signs: here it is that of the transaction."""
    city = GovernedCity()
    proof = evidence(city)
    transaction = city.transaction(UTILITY, (proof,), (UTILITY_KEY,))
    elsewhere = msgspec.structs.replace(transaction.body, chain_id="another-city")
    receipt = city.block(msgspec.structs.replace(transaction, body=elsewhere)).receipts[0]
    assert (receipt.code, receipt.subject) == (Code.EVIDENCE_INVALID, "signature")
    assert read_misconduct(city.state, CITY_HALL_VALIDATOR) is None


def test_votes_before_and_after_giving_a_view_up() -> None:
    city = GovernedCity()
    signer = read_validators(city.state, Epoch(0)).index_of(CITY_HALL_VALIDATOR)
    assert signer is not None
    nullify, finalize, notarize = (
        signed_vote(kind, digest, Epoch(0), signer, CITY_HALL_NUMBER)
        for kind, digest in (
            (VoteKind.NULLIFY, NO_BLOCK),
            (VoteKind.FINALIZE, BLOCK),
            (VoteKind.NOTARIZE, BLOCK),
        )
    )
    honest = SubmitEvidence(notarize, nullify)
    assert city.code(UTILITY, honest, by=(UTILITY_KEY,)) is Code.EVIDENCE_INVALID
    city.must(UTILITY, SubmitEvidence(nullify, finalize), by=(UTILITY_KEY,))
