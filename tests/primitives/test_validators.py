"""Scenarios of validator sets and their turns."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.errors import GenesisError
from moyai.primitives.ids import Epoch, PublicKey, View
from moyai.primitives.validators import ValidatorSet

keys = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=12, unique=True)


@given(keys, st.integers(0, 1000))
def test_the_leaders_take_turns_in_the_order_of_their_hashes(raw: list[bytes], epoch: int) -> None:
    ordered = tuple(PublicKey(key) for key in sorted(raw))
    validators = ValidatorSet(Epoch(epoch), ordered)
    turns = [validators.leader(View(view)) for view in range(len(ordered))]
    ranks = [
        sha256(b"moyai/leader/1\x00" + epoch.to_bytes(8, "big") + ordered[index]).digest()
        for index in turns
    ]
    assert ranks == sorted(ranks)
    assert sorted(turns) == list(range(len(ordered)))
    assert validators.leader(View(len(ordered))) == turns[0]


@given(keys)
def test_the_digest_names_epoch_and_keys(raw: list[bytes]) -> None:
    ordered = tuple(PublicKey(key) for key in sorted(raw))
    digest = ValidatorSet(Epoch(0), ordered).digest
    assert digest == ValidatorSet(Epoch(0), ordered).digest
    assert digest != ValidatorSet(Epoch(1), ordered).digest


def test_unsorted_doubled_and_empty_sets_are_refused() -> None:
    one, two = PublicKey(bytes(32)), PublicKey(b"\x01" * 32)
    for wrong in ((two, one), (one, one), ()):
        with pytest.raises(GenesisError, match="sorted"):
            ValidatorSet(Epoch(0), wrong)


def test_a_key_knows_its_index() -> None:
    one, two = PublicKey(bytes(32)), PublicKey(b"\x01" * 32)
    validators = ValidatorSet(Epoch(0), (one, two))
    assert validators.index_of(two) == 1
    assert validators.index_of(PublicKey(b"\x02" * 32)) is None
