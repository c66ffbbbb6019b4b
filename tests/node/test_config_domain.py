"""What a key may hold, in words, for any tree of structs."""

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from moyai.node.config_domain import check_keys, describe, failure, is_text, nearest
from moyai.node.errors import ConfigError


class Inner(msgspec.Struct, frozen=True):
    size: Annotated[int, Meta(ge=1, le=9)] = 1
    least: Annotated[int, Meta(ge=5)] = 5
    name: str = ""
    kind: Literal["a", "b"] = "a"
    words: tuple[Annotated[str, Meta(max_length=3)], ...] = ()
    table: dict[str, int] = {}
    on: bool = False
    port: Annotated[str, Meta(description="a port")] | None = None


class Outer(msgspec.Struct, frozen=True):
    inner: Inner = Inner()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("inner.size", "a whole number from 1 to 9"),
        ("inner.least", "a whole number of at least 5"),
        ("inner.name", "a text"),
        ("inner.kind", 'one of "a", "b"'),
        ("inner.words", "a list of a text of at most 3 characters"),
        ("inner.table", "a table of names, each with a whole number"),
        ("inner.on", "true or false"),
        ("inner.port", "a port or nothing"),
        ("inner", "a table"),
    ],
)
def test_domains_are_said_in_words(key: str, words: str) -> None:
    assert describe(key, Outer) == words


def test_texts_are_told_from_other_values() -> None:
    assert is_text("inner.name", Outer)
    assert is_text("inner.kind", Outer)
    assert not is_text("inner.size", Outer)


def test_an_unknown_key_is_found_at_any_depth() -> None:
    check_keys({"inner": {"size": 1}}, Outer, what="file")
    with pytest.raises(ConfigError, match=r"file: no such key: inner\.sice; did you mean"):
        check_keys({"inner": {"sice": 1}}, Outer, what="file")


def test_nothing_near_lists_everything() -> None:
    assert nearest("zzz", ["alpha", "beta"]) == "use one of: alpha, beta"


@pytest.mark.parametrize(
    ("value", "key", "reason"),
    [
        ({"inner": {"size": "x"}}, "inner.size", "is a text, not an integer"),
        ({"inner": {"words": [1]}}, "inner.words", "is an integer, not a text"),
        ({"inner": {"kind": "c"}}, "inner.kind", "has a value that is not allowed"),
        (7, "the file", "is an integer, not a section"),
    ],
)
def test_messages_of_the_decoder_are_put_in_words(value: object, key: str, reason: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, Outer)
    assert failure(str(caught.value)) == (key, reason)
