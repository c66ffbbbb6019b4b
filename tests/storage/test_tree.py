"""The state trie against its naive reference: roots, proofs under old roots, restart."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.reference_tree import ReferenceTree
from moyai.primitives.codec import encode
from moyai.primitives.errors import ProofError
from moyai.primitives.ids import Digest
from moyai.primitives.state_proof import Leaf, StateProof, value_digest, verify_leaf
from moyai.storage.section import Entry
from moyai.storage.tree import SECTIONS, Past, StateTree, state_root

KEYS = [b"key%d" % number for number in range(40)]
Blocks = list[dict[bytes, bytes | None]]

blocks = st.lists(
    st.dictionaries(st.sampled_from(KEYS), st.none() | st.binary(max_size=3), max_size=12),
    min_size=1,
    max_size=12,
)


class Kept:
    """A tree, its reference, and the leaf of every sequence, as a store would keep it."""

    def __init__(self, changes: Blocks, roots_kept: int = 256) -> None:
        self.tree = StateTree(roots_kept=roots_kept, height=-1, next_sequence=1)
        self.reference = ReferenceTree()
        self.leaves: dict[int, Leaf] = {}
        for height, change in enumerate(changes):
            self.add(change, height)

    def add(self, changes: dict[bytes, bytes | None], height: int) -> None:
        self.reference.apply(changes, height)
        for change in self.tree.apply(changes, height):
            old = change.old
            previous = old.hash if old else bytes(32)
            digest = sha256(change.key).digest()
            entry = change.new
            leaf = Leaf(digest, value_digest(change.value), height, entry.version, previous)
            assert leaf.hash == entry.hash
            self.leaves[entry.sequence] = leaf

    def leaf(self, entry: Entry) -> Leaf:
        return self.leaves[entry.sequence]

    def prove(self, key: bytes, height: int) -> StateProof:
        return self.tree.prove(key, height, self.leaf)


@given(blocks)
def test_every_root_is_that_of_the_reference(changes: Blocks) -> None:
    kept = Kept([])
    for height, change in enumerate(changes):
        kept.add(change, height)
        assert kept.tree.root == kept.reference.root(height)


@given(blocks)
@settings(max_examples=60)
def test_every_key_can_be_proved_under_every_kept_root(changes: Blocks) -> None:
    kept = Kept(changes)
    for height in range(len(changes)):
        root = Digest(kept.reference.root(height))
        for key in [*KEYS[:10], b"never there"]:
            leaf = verify_leaf(root, key, kept.prove(key, height))
            value = kept.reference.get(key, height)
            if value is None:
                assert leaf is None or leaf.is_deleted
            else:
                assert leaf is not None
                assert leaf.value_digest == value_digest(value)


def test_many_keys_split_buckets_and_keep_the_root() -> None:
    everything = {b"%d" % number: b"v" for number in range(20_000)}
    kept = Kept([everything, {b"7": None, b"new": b"n"}])
    assert kept.tree.leaf_count == 20_001
    assert kept.tree.root == kept.reference.root(1)
    proof = kept.prove(b"12345", 0)
    assert verify_leaf(Digest(kept.reference.root(0)), b"12345", proof) is not None
    assert verify_leaf(Digest(kept.reference.root(1)), b"7", kept.prove(b"7", 1)).is_deleted
    assert len(encode(proof)) < 1_000


def test_keys_whose_digests_begin_alike_are_told_apart_far_below() -> None:
    tree = StateTree(roots_kept=4, height=-1, next_sequence=1)
    stem = bytes(31)
    digests = [stem + bytes((last,)) for last in (0, 1, 128, 255)]
    packed = b"".join(digest + sha256(digest).digest() + bytes(12) for digest in digests)
    tree.load_sections([(0, packed)])
    reference = ReferenceTree()
    reference.versions = {digest: [(b"", 0, sha256(digest).digest())] for digest in digests}
    assert tree.root == reference.root(0)


def test_only_the_last_roots_are_kept() -> None:
    kept = Kept([{KEYS[0]: b"%d" % height} for height in range(10)], roots_kept=3)
    assert kept.tree.oldest_height == 7
    assert verify_leaf(Digest(kept.reference.root(7)), KEYS[0], kept.prove(KEYS[0], 7))
    for height in (6, 10):
        with pytest.raises(ProofError, match="proofs are kept for heights 7 to 9"):
            kept.prove(KEYS[0], height)


@given(blocks)
@settings(max_examples=40)
def test_a_tree_loaded_from_its_sections_is_the_same_and_can_go_back(changes: Blocks) -> None:
    kept = Kept(changes)
    tree = kept.tree
    last = len(changes) - 1
    again = StateTree(roots_kept=256, height=last, next_sequence=tree.next_sequence)
    again.load_sections([(index, tree.section(index)) for index in range(SECTIONS)])
    again.load_past([Past(past.height, past.replaced) for past in reversed(tree.past())])
    assert again.root == tree.root
    for height in range(len(changes)):
        for key in KEYS[:5]:
            assert again.prove(key, height, kept.leaf) == kept.prove(key, height)


def test_the_tree_never_goes_back() -> None:
    kept = Kept([{KEYS[0]: b"1"}])
    with pytest.raises(AssertionError):
        kept.tree.apply({}, 0)


def test_the_root_of_a_state_from_nothing() -> None:
    reference = ReferenceTree()
    reference.apply({b"a": b"1", b"b": b"2"}, 0)
    assert state_root({b"a": b"1", b"b": b"2"}) == reference.root(0)
