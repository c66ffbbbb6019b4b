"""State proofs: what they show under one root, and that no altered proof shows anything else."""

import hashlib
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError, ProofError
from moyai.primitives.ids import Digest
from moyai.primitives.state_proof import (
    EMPTY,
    HistoryProof,
    Leaf,
    StateProof,
    Version,
    leaf_hash,
    state_inner_hash,
    value_digest,
    verify_absence,
    verify_history,
    verify_leaf,
    verify_value,
    version_at,
)

KEYS = [b"key%d" % number for number in range(12)]


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class City:
    """Twelve keys, three versions of each, the last of `key0` a deletion; built from the rule."""

    def __init__(self) -> None:
        self.versions: dict[bytes, list[Leaf]] = {}
        for key in KEYS:
            for number in (1, 2, 3):
                value = None if key == b"key0" and number == 3 else key + b"%d" % number
                known = self.versions.setdefault(key, [])
                digest = bytes(32) if value is None else sha(b"\x02" + value)
                previous = self.hash(known[-1]) if known else bytes(32)
                known.append(Leaf(sha(key), digest, number * 10, number, previous))

    @staticmethod
    def hash(leaf: Leaf) -> bytes:
        numbers = struct.pack(">QQ", leaf.height, leaf.version)
        return sha(b"\x00" + leaf.key_digest + leaf.value_digest + numbers + leaf.previous)

    def newest(self) -> dict[bytes, Leaf]:
        return {known[-1].key_digest: known[-1] for known in self.versions.values()}

    def node(self, prefix: str) -> bytes:
        below = [leaf for digest, leaf in self.newest().items() if bits(digest).startswith(prefix)]
        if len(below) <= 1:
            return self.hash(below[0]) if below else bytes(32)
        return sha(b"\x01" + self.node(prefix + "0") + self.node(prefix + "1"))

    @property
    def root(self) -> Digest:
        return Digest(self.node(""))

    def prove(self, key: bytes) -> StateProof:
        path = bits(sha(key))
        siblings: list[bytes] = []
        while True:
            prefix = path[: len(siblings)]
            below = [
                leaf for digest, leaf in self.newest().items() if bits(digest).startswith(prefix)
            ]
            if len(below) <= 1:
                return StateProof(tuple(siblings), below[0] if below else None)
            turn = path[len(siblings)]
            sibling = self.node(prefix + ("1" if turn == "0" else "0"))
            siblings.append(b"" if sibling == bytes(32) else sibling)

    def prove_history(self, key: bytes, first: int = 1) -> HistoryProof:
        known = self.versions[key][first - 1 :]
        listed = tuple(Version(leaf.value_digest, leaf.height) for leaf in known)
        return HistoryProof(first, known[0].previous, listed, self.prove(key))


def bits(digest: bytes) -> str:
    return f"{int.from_bytes(digest, 'big'):0256b}"


CITY = City()
ROOT = CITY.root
ABSENT = [b"never%d" % number for number in range(20)]


def test_hashes_are_those_of_the_definition() -> None:
    leaf = CITY.versions[b"key1"][1]
    assert leaf.hash == City.hash(leaf)
    assert leaf_hash(b"a" * 32, b"b" * 32, 1, 2, b"c" * 32) == sha(
        b"\x00" + b"a" * 32 + b"b" * 32 + struct.pack(">QQ", 1, 2) + b"c" * 32
    )
    assert state_inner_hash(b"l" * 32, b"r" * 32) == sha(b"\x01" + b"l" * 32 + b"r" * 32)
    assert value_digest(b"") == sha(b"\x02")
    assert value_digest(None) == EMPTY == bytes(32)


@pytest.mark.parametrize("key", KEYS[1:])
def test_a_value_is_proved_with_its_version_and_height(key: bytes) -> None:
    leaf = verify_value(ROOT, key, key + b"3", CITY.prove(key))
    assert (leaf.version, leaf.height) == (3, 30)
    with pytest.raises(ProofError, match="is of another value"):
        verify_value(ROOT, key, key + b"2", CITY.prove(key))
    with pytest.raises(ProofError, match="holds a value"):
        verify_absence(ROOT, key, CITY.prove(key))


@pytest.mark.parametrize("key", ABSENT)
def test_a_key_that_never_was_is_proved_absent(key: bytes) -> None:
    verify_absence(ROOT, key, CITY.prove(key))
    assert verify_leaf(ROOT, key, CITY.prove(key)) is None
    with pytest.raises(ProofError, match="holds nothing"):
        verify_value(ROOT, key, b"", CITY.prove(key))


def test_absence_is_shown_by_an_empty_place_and_by_another_leaf() -> None:
    ends = {CITY.prove(key).leaf is None for key in ABSENT}
    assert ends == {True, False}


def test_a_deleted_value_is_absent_and_its_history_remains() -> None:
    verify_absence(ROOT, b"key0", CITY.prove(b"key0"))
    leaves = verify_history(ROOT, b"key0", CITY.prove_history(b"key0"))
    assert [leaf.is_deleted for leaf in leaves] == [False, False, True]


def test_the_state_without_any_key() -> None:
    nothing = StateProof((), None)
    verify_absence(Digest(EMPTY), b"key", nothing)
    with pytest.raises(ProofError):
        verify_absence(ROOT, b"key", nothing)


@pytest.mark.parametrize("first", [1, 2, 3])
def test_history_counts_versions_exactly_and_says_what_was_in_force(first: int) -> None:
    leaves = verify_history(ROOT, b"key5", CITY.prove_history(b"key5", first))
    assert [leaf.version for leaf in leaves] == list(range(first, 4))
    assert version_at(leaves, 10**9).version == 3
    assert version_at(leaves, first * 10).version == first
    if first == 1:
        assert version_at(leaves, 9) is None
    else:
        with pytest.raises(ProofError, match="start after this height"):
            version_at(leaves, 9)


def test_a_history_with_a_version_left_out_added_or_altered_is_refused() -> None:
    proof = CITY.prove_history(b"key5")
    one, two, three = proof.versions
    for versions in ((), (one, three), (one, two), (one, two, two, three), (two, one, three)):
        with pytest.raises(ProofError):
            verify_history(ROOT, b"key5", msgspec.structs.replace(proof, versions=versions))
    for other in (
        msgspec.structs.replace(proof, first_version=2),
        msgspec.structs.replace(proof, first_version=0),
        msgspec.structs.replace(proof, previous=b"\x01" * 32),
        msgspec.structs.replace(proof, newest=CITY.prove(b"key6")),
        msgspec.structs.replace(proof, versions=(one, two, Version(three.value_digest, 31))),
        msgspec.structs.replace(proof, versions=(one, Version(b"short", 20), three)),
    ):
        with pytest.raises(ProofError):
            verify_history(ROOT, b"key5", other)
    with pytest.raises(ProofError, match="never was in the state"):
        verify_history(
            ROOT, ABSENT[0], msgspec.structs.replace(proof, newest=CITY.prove(ABSENT[0]))
        )


def test_a_proof_of_one_key_says_nothing_about_another() -> None:
    with pytest.raises(ProofError):
        verify_leaf(ROOT, b"key2", CITY.prove(b"key1"))
    with pytest.raises(ProofError):
        verify_leaf(Digest(b"\x01" * 32), b"key1", CITY.prove(b"key1"))


@pytest.mark.parametrize(
    "change",
    [
        {"key_digest": b"short"},
        {"value_digest": b""},
        {"previous": b"\x00" * 33},
        {"height": -1},
        {"height": 2**64},
        {"version": 0},
        {"version": 2**64},
    ],
)
def test_fields_out_of_range_are_refused_by_name(change: dict[str, object]) -> None:
    proof = CITY.prove(b"key1")
    leaf = msgspec.structs.replace(proof.leaf, **change)
    with pytest.raises(ProofError, match=r"length|out of range"):
        verify_leaf(ROOT, b"key1", msgspec.structs.replace(proof, leaf=leaf))


def test_siblings_of_a_wrong_form_are_refused() -> None:
    proof = CITY.prove(b"key1")
    for sibling in (EMPTY, b"\x01" * 31, b"\x01" * 33):
        siblings = (sibling, *proof.siblings[1:])
        with pytest.raises(ProofError, match="sibling of a wrong form"):
            verify_leaf(ROOT, b"key1", msgspec.structs.replace(proof, siblings=siblings))
    with pytest.raises(ProofError, match="longer than a key digest"):
        verify_leaf(ROOT, b"key1", StateProof((b"\x01" * 32,) * 257, None))


_codec = Codec(HistoryProof, name="history proof")


@given(st.sampled_from(KEYS), st.data())
def test_no_flipped_byte_shows_another_history(key: bytes, data: st.DataObject) -> None:
    proof = CITY.prove_history(key)
    encoded = bytearray(encode(proof))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    try:
        altered = _codec.decode(bytes(encoded))
        shown = verify_history(ROOT, key, altered)
    except (CodecError, ProofError):
        return
    assert shown == tuple(CITY.versions[key])


@given(
    st.binary(max_size=8),
    st.lists(st.binary(max_size=33), max_size=5),
    st.none()
    | st.builds(
        Leaf,
        st.binary(max_size=33),
        st.binary(max_size=33),
        st.integers(),
        st.integers(),
        st.binary(max_size=33),
    ),
)
def test_proofs_made_up_are_refused(key: bytes, siblings: list[bytes], leaf: Leaf | None) -> None:
    with pytest.raises(ProofError):
        verify_leaf(ROOT, key, StateProof(tuple(siblings), leaf))
