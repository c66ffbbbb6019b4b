"""Scenarios of quorum arithmetic against its definition."""

import pytest

from moyai.primitives.quorum import faulty_max, one_honest, quorum


@pytest.mark.parametrize("validators", range(1, 65))
def test_two_quorums_share_an_honest_validator_and_the_faulty_cannot_block(validators: int) -> None:
    faulty = max(f for f in range(validators) if 3 * f < validators)
    assert faulty_max(validators) == faulty
    overlap = 2 * quorum(validators) - validators
    assert overlap >= faulty + 1
    assert validators - faulty >= quorum(validators)
    assert one_honest(validators) == faulty + 1


def test_four_validators_tolerate_one() -> None:
    assert (faulty_max(4), quorum(4)) == (1, 3)
