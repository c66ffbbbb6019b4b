"""Cursors come back whole, or are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.rpc.cursors import (
    AccountCursor,
    BlockCursor,
    CursorReader,
    EventCursor,
    bad_cursor,
    cursor_text,
    question_mark,
)
from moyai.rpc.errors import BadCursorError

events = CursorReader(EventCursor)
whole = st.integers(0, 2**53 - 1)


@given(whole, whole, whole)
def test_a_cursor_comes_back(height: int, position: int, number: int) -> None:
    cursor = EventCursor(height, position, number)
    text = cursor_text(cursor)
    assert text.isascii()
    assert "=" not in text
    assert events.read(text) == cursor


@given(st.text(max_size=40))
def test_any_other_text_is_refused(text: str) -> None:
    try:
        cursor = events.read(text)
    except BadCursorError:
        return
    assert events.read(cursor_text(cursor)) == cursor


@pytest.mark.parametrize(
    "cursor", [BlockCursor(3), AccountCursor(b"x", 1, 2), EventCursor(-1, 0, 0)]
)
def test_a_cursor_of_another_kind_or_of_impossible_numbers_is_refused(
    cursor: BlockCursor | AccountCursor | EventCursor,
) -> None:
    with pytest.raises(BadCursorError):
        events.read(cursor_text(cursor))


def test_other_questions_have_other_marks() -> None:
    assert question_mark("a", 1) == question_mark("a", 1)
    assert question_mark("a", 1) != question_mark("a", 2)
    assert bad_cursor().next


def test_a_cursor_knows_its_place() -> None:
    assert AccountCursor(b"x", 4, 2).place == (4, 2)
