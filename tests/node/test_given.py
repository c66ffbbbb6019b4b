"""Scenarios of what a command is given: in an argument, in a file, on standard input."""

import io
from pathlib import Path

import pytest

from moyai.node.errors import OperationTextError
from moyai.node.given import GIVEN_BYTES_MAX, given_bytes, given_text


def test_an_argument_stands_for_itself_and_a_file_for_its_text(tmp_path: Path) -> None:
    file = tmp_path / "操作.json"
    file.write_text('{"series": "道路"}', encoding="utf-8")
    assert given_text('{"a": 1}') == '{"a": 1}'
    assert given_text(f"@{file}") == '{"series": "道路"}'


def test_standard_input_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff{}")))
    assert given_bytes("-") == b"\xff{}"


def test_what_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(bytes(GIVEN_BYTES_MAX + 1))
    for name, reason in (
        ("missing", "No such file"),
        ("bytes", "not UTF-8"),
        ("large", "larger than"),
        (".", "directory"),
    ):
        with pytest.raises(OperationTextError, match=reason) as refused:
            given_text(f"@{tmp_path / name}")
        assert str(tmp_path / name) in refused.value.what
        assert refused.value.next
