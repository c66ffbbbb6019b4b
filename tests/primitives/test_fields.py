"""Scenarios of bounded fields: what no rule can use does not decode."""

import msgpack
import pytest

from moyai.primitives.codec import Codec
from moyai.primitives.errors import CodecError
from moyai.primitives.vote import Vote

codec = Codec(Vote, name="vote")
GOOD = [0, 5, 1, bytes(32), 3, bytes(64)]


def test_a_vote_within_its_bounds_decodes() -> None:
    assert codec.decode(msgpack.packb(GOOD)).view == 5


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, 2**32),
        (1, 2**63),
        (1, -1),
        (1, 1.0),
        (2, 0),
        (2, 4),
        (3, bytes(31)),
        (4, 64),
        (4, -1),
        (5, bytes(65)),
    ],
)
def test_a_field_out_of_its_bounds_does_not(place: int, value: object) -> None:
    fields = [*GOOD]
    fields[place] = value
    with pytest.raises(CodecError, match="vote"):
        codec.decode(msgpack.packb(fields))
