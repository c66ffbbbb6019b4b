"""One section: versions, growth, going back, and digests that were ground to begin alike."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from harness.reference_tree import ReferenceTree
from moyai.primitives.state_proof import leaf_hash
from moyai.storage.section import (
    BUCKET_LEAVES_MEAN_MAX,
    ENTRY_BYTES,
    Entry,
    Section,
    Work,
    pack,
    unpack,
)

VALUE = sha256(b"value").digest()
# Digests of one section that share long beginnings, as nobody finds them and an attacker tries to.
digests = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 31), st.integers(0, 255)), unique=True, max_size=40
).map(
    lambda drawn: sorted(
        {
            b"\x05" + bytes((kind,) * where) + bytes((last,)) + bytes(30 - where)
            for kind, where, last in drawn
            if where < 31
        }
    )
)


def applied(keys: list[bytes], height: int = 1, section: Section | None = None) -> Section:
    section = section or Section()
    section.apply([Work(key, VALUE, b"", b"") for key in keys], height, 1)
    return section


def reference_root(packed: bytes) -> bytes:
    reference = ReferenceTree()
    leaves = {}
    for place in range(0, len(packed), ENTRY_BYTES):
        entry = unpack(packed, place)
        leaves[int.from_bytes(entry.key_digest[1:], "big")] = entry.hash
    return reference._subtree(leaves, 247)


@given(digests)
def test_digests_that_begin_alike_hash_as_the_definition_says(keys: list[bytes]) -> None:
    section = applied(keys)
    assert section.root == reference_root(section.packed())
    assert section.size == len(keys)
    assert Section(section.packed()).root == section.root


@given(digests)
def test_a_path_leads_to_the_root_for_present_and_absent_keys(keys: list[bytes]) -> None:
    section = applied(keys)
    for key in [*keys, b"\x05" + bytes(31), b"\x05" + b"\xff" * 31]:
        siblings, found = section.path(key)
        node = found.hash if found else bytes(32)
        for depth in range(len(siblings) - 1, -1, -1):
            one = int.from_bytes(key, "big") >> (255 - 8 - depth) & 1
            pair = siblings[depth] + node if one else node + siblings[depth]
            node = sha256(b"\x01" + pair).digest()
        assert node == section.root
        assert (section.find(key) is not None) == (key in keys)


def test_a_second_version_names_the_first() -> None:
    key = b"\x05" * 32
    section = applied([key])
    first = section.find(key)
    (change,) = section.apply([Work(key, VALUE, b"", b"")], 9, 77)
    second = section.find(key)
    assert second == Entry(key, leaf_hash(key, VALUE, 9, 2, first.hash), 77, 2)
    assert change.new == second
    assert change.old == first
    assert section.size == 1


@given(digests, digests)
def test_undo_leads_back(before: list[bytes], after: list[bytes]) -> None:
    section = applied(before)
    packed, root = section.packed(), section.root
    replaced = section.apply([Work(key, VALUE, b"", b"") for key in after], 2, 1_000)
    section.undo((one.entry[:32], one.replaced) for one in replaced)
    assert (section.packed(), section.root, section.size) == (packed, root, len(before))


def test_a_section_grows_with_its_leaves() -> None:
    keys = sorted(b"\x05" + sha256(b"%d" % number).digest()[1:] for number in range(300))
    section = Section()
    for number, key in enumerate(keys):
        section.apply([Work(key, VALUE, b"", b"")], number + 1, number + 1)
    assert section._heap.depth > 4
    assert section.size / len(section._buckets) <= BUCKET_LEAVES_MEAN_MAX
    assert section.root == reference_root(section.packed())


def test_a_copy_is_independent() -> None:
    section = applied([b"\x05" * 32])
    copy = section.copy()
    applied([b"\x05" + bytes(31)], 2, section)
    assert copy.size == 1
    assert copy.root == copy.find(b"\x05" * 32).hash != section.root


def test_entries_keep_large_numbers() -> None:
    entry = Entry(b"\x01" * 32, b"\x02" * 32, 2**47 + 5, 2**46 + 3)
    assert unpack(b"\x00" * ENTRY_BYTES + pack(entry), ENTRY_BYTES) == entry
