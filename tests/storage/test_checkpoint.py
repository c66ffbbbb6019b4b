"""Which sections are written: as much as the changes have earned, the oldest debt first."""

from moyai.storage.checkpoint import LEAVES_AT_ONCE, Checkpoint, decode_section, encode_section
from moyai.storage.tree import StateTree


def changed(tree: StateTree, checkpoint: Checkpoint, keys: range, height: int) -> None:
    first = tree.next_sequence
    changes = tree.apply({b"key%d" % key: b"%d" % height for key in keys}, height)
    checkpoint.changed((change.entry[0] for change in changes), first)


def test_a_small_state_is_written_whole() -> None:
    tree, checkpoint = StateTree(roots_kept=2, height=-1, next_sequence=1), Checkpoint()
    for height in range(LEAVES_AT_ONCE // 2 // 10 + 1):
        assert dict(checkpoint.take_due(tree)) == {}, "what is little waits for more"
        changed(tree, checkpoint, range(10), height)
    due = dict(checkpoint.take_due(tree))
    assert sum(len(decode_section(value)[1]) for value in due.values()) == 10 * 76
    assert checkpoint.replay_from(tree.next_sequence) == tree.next_sequence


def test_a_large_state_is_written_a_little_at_a_time_and_replay_stays_bounded() -> None:
    tree, checkpoint = StateTree(roots_kept=2, height=-1, next_sequence=1), Checkpoint()
    changed(tree, checkpoint, range(8_000), 0)
    list(checkpoint.take_due(tree))
    written = behind = 0
    for height in range(1, 200):
        start = height * 97 % 7_900
        changed(tree, checkpoint, range(start, start + 100), height)
        written += sum(len(section) for _, section in checkpoint.take_due(tree))
        behind = max(behind, tree.next_sequence - checkpoint.replay_from(tree.next_sequence))
    assert written / (199 * 100) <= 2 * 76 + 16
    assert behind <= 8_000 / 2 + LEAVES_AT_ONCE / 2 + 500


def test_what_a_start_finds_behind_earns_its_sections() -> None:
    tree, checkpoint = StateTree(roots_kept=2, height=-1, next_sequence=1), Checkpoint()
    tree.apply({b"key": b"value"}, 0)
    for sequence in range(LEAVES_AT_ONCE):
        checkpoint.behind(7, sequence)
    assert [index for index, _ in checkpoint.take_due(tree)] == [7]


def test_a_section_says_up_to_where_it_is_complete() -> None:
    assert decode_section(encode_section(b"leaves", 7)) == (7, b"leaves")
