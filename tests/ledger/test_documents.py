"""Scenarios of the version in force: found by halving, the same as by looking at each."""

from hypothesis import given
from hypothesis import strategies as st

from harness.ledger_city import MemoryState
from moyai.ledger.documents import read_series, read_version, version_in_force
from moyai.primitives.codec import encode
from moyai.primitives.ids import AccountId, Digest, TimeMs
from moyai.primitives.state_keys import series_key, version_key
from moyai.primitives.state_values import DocumentVersion, Series

OWNER = AccountId(bytes(20))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 20)), max_size=9),
    st.integers(0, 50),
)
def test_halving_finds_what_looking_at_each_version_finds(
    steps: list[tuple[int, int | None]], time_ms: int
) -> None:
    versions: list[DocumentVersion] = []
    starts = [10]
    for gap, _ in steps:
        starts.append(starts[-1] + gap)
    for place, (_, revoked_after) in enumerate(steps):
        start, last = starts[place], place + 1 == len(steps)
        revoked_ms = None if revoked_after is None else TimeMs(start + revoked_after)
        replaced_ms = None if last else TimeMs(starts[place + 1])
        digest = Digest(bytes([place]) * 32)
        versions.append(DocumentVersion(digest, 1, TimeMs(start), replaced_ms, revoked_ms))
    values = {version_key("s", number): encode(one) for number, one in enumerate(versions, 1)}
    if versions:
        values[series_key("s")] = encode(Series(OWNER, len(versions)))
    state = MemoryState(values)
    numbered = list(enumerate(versions, 1))
    expected = [pair for pair in numbered if pair[1].was_in_force(TimeMs(time_ms))]
    found = version_in_force(state, "s", TimeMs(time_ms))
    assert [found] == expected or (found is None and not expected)


def test_what_was_never_registered() -> None:
    state = MemoryState({})
    assert read_series(state, "s") is None
    assert read_version(state, "s", 1) is None
    assert version_in_force(state, "s", TimeMs(0)) is None
