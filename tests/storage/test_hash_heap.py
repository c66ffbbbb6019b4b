"""The heap of hashes: the root of any row, and the paths through it, as the definition has them."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from moyai.storage.hash_heap import MANY, HashHeap

ZERO = bytes(32)
DEPTH = 4
rows = st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=1 << DEPTH, max_size=1 << DEPTH)


def node(index: int, count: int) -> bytes:
    return sha256(bytes((index, count))).digest() if count else ZERO


def subtree(counts: list[int], start: int = 0) -> tuple[bytes, int]:
    if len(counts) == 1:
        return node(start, counts[0]), counts[0]
    half = len(counts) // 2
    left, left_count = subtree(counts[:half], start)
    right, right_count = subtree(counts[half:], start + half)
    if left_count + right_count > 1:
        return sha256(b"\x01" + left + right).digest(), MANY
    return (left if left_count else right), left_count + right_count


def heap_of(counts: list[int]) -> HashHeap:
    heap = HashHeap(DEPTH)
    for index, count in enumerate(counts):
        heap.put(index, node(index, count), count)
    heap.update(range(len(counts)))
    return heap


@given(rows)
def test_the_root_is_that_of_the_definition(counts: list[int]) -> None:
    heap = heap_of(counts)
    assert (heap.root, heap.leaf_count) == subtree(counts)


@given(rows, rows)
def test_leaves_may_come_and_go(counts: list[int], after: list[int]) -> None:
    heap = heap_of(counts)
    changed = [index for index in range(1 << DEPTH) if counts[index] != after[index]]
    for index in changed:
        heap.put(index, node(index, after[index]), after[index])
    heap.update_after_removal(changed)
    assert (heap.root, heap.leaf_count) == subtree(after)


@given(rows, st.integers(0, (1 << DEPTH) - 1))
def test_a_path_leads_from_its_end_to_the_root(counts: list[int], index: int) -> None:
    heap = heap_of(counts)
    siblings = list(heap.path(index))
    start, end = heap.path_end(index)
    assert start <= index < end == start + (1 << DEPTH - len(siblings))
    found, count = subtree(counts[start:end], start)
    assert count < MANY or len(siblings) == DEPTH
    place = index >> DEPTH - len(siblings)
    for sibling in reversed(siblings):
        pair = sibling + found if place & 1 else found + sibling
        found = sha256(b"\x01" + pair).digest()
        place >>= 1
    assert found == heap.root


def test_a_copy_and_a_loaded_row_are_independent_of_the_first() -> None:
    heap = heap_of([2] * 16)
    root = heap.root
    copy, loaded = heap.copy(), HashHeap(DEPTH)
    loaded.load_lowest_row(*heap.lowest_row())
    heap.put(3, ZERO, 0)
    heap.update_after_removal([3])
    assert copy.root == loaded.root == root != heap.root
    assert copy.node(1) == root


def test_a_heap_of_depth_zero_is_its_one_place() -> None:
    heap = HashHeap(0)
    heap.put(0, b"\x07" * 32, 1)
    heap.update([0])
    assert heap.root == b"\x07" * 32
    assert list(heap.path(0)) == []
    assert heap.path_end(0) == (0, 1)
