"""Every door through which bytes come in: the one form of a value, or the error of that door.

Decoders of the canonical encoding are found in the code, so none is left out. Not here: what each
format means (the tests beside each), and sockets (`tests/rpc/test_any_bytes.py`).
"""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import moyai
from harness.wire_examples import EXAMPLES
from moyai.node.config import load_config
from moyai.node.genesis_file import genesis_from_json
from moyai.node.key_file import read_key_file
from moyai.p2p.messages import WIRE_TYPES, decode_message, encode_message, wire_type
from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError, MoyaiError, TransactionError
from moyai.primitives.transaction import parse_transaction
from moyai.rpc.errors import ParseFailedError
from moyai.rpc.strict_json import parse_strict

DEEP = 100_000
LEAST_CODECS = 30

HOSTILE = {
    "nothing": b"",
    "deep arrays": b"\x91" * DEEP + b"\xc0",
    "deep maps": b"\x81\xa0" * DEEP + b"\xc0",
    "an array of four billion": b"\xdd\xff\xff\xff\xff",
    "a map of four billion": b"\xdf\xff\xff\xff\xff",
    "bytes of four billion": b"\xc6\xff\xff\xff\xff",
    "text of four billion": b"\xdb\xff\xff\xff\xff",
    "text that is no UTF-8": b"\x92\xa2\xff\xfe\xa2\xc3\x28",
    "half a surrogate pair": b"\x91\xa3\xed\xa0\x80",
    "no such type": b"\xc1" * 8,
    "an extension": b"\xc7\x02\x05ab",
    "not a number": b"\x91\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
    "deep JSON arrays": b"[" * DEEP,
    "deep JSON objects": b'{"a":' * DEEP,
    "JSON that is no UTF-8": b'{"\xff":"\xfe"}',
    "JSON with half a surrogate pair": b'{"a":"\\ud800"}',
    "a JSON number without end": b"9" * DEEP,
    "TOML that nests": b"a = " + b"[" * DEEP,
    "zeros": bytes(4_096),
}


def every_codec() -> dict[str, Codec[Any]]:
    """Return the decoders of the packages by the name of their module and their own."""
    found: dict[str, Codec[Any]] = {}
    for package in pkgutil.iter_modules(moyai.__path__, "moyai."):
        path = importlib.import_module(package.name).__path__
        for module in pkgutil.iter_modules(path, package.name + "."):
            if not module.name.endswith("__main__"):
                content = vars(importlib.import_module(module.name))
                found |= {
                    f"{module.name}.{name}": value
                    for name, value in content.items()
                    if isinstance(value, Codec)
                }
    return found


CODECS = every_codec()
MESSAGES = {type(message): encode_message(message) for message in EXAMPLES.values()}


def decode_transaction(data: bytes) -> bytes:
    return parse_transaction(data).raw


def read_file(read: Callable[[Path], object], name: str) -> Callable[[Path, bytes], object]:
    def write_and_read(folder: Path, data: bytes) -> object:
        path = folder / name
        path.write_bytes(data)
        path.chmod(0o600)
        return read(path)

    return write_and_read


FILES = {
    "genesis": read_file(lambda path: genesis_from_json(path.read_bytes()), "genesis.json"),
    "key file": read_file(read_key_file, "validator.key"),
    "settings": read_file(lambda path: load_config(path, {}), "node.toml"),
}


def test_the_decoders_are_found() -> None:
    assert len(CODECS) >= LEAST_CODECS
    packages = {name.split(".")[1] for name in CODECS}
    assert packages >= {"client", "node", "p2p", "primitives", "storage"}


@pytest.mark.parametrize("name", sorted(CODECS))
def test_hostile_bytes_are_refused_by_every_decoder(name: str) -> None:
    for data in HOSTILE.values():
        with pytest.raises(CodecError):
            CODECS[name].decode(data)


@given(st.sampled_from(sorted(CODECS)), st.binary(max_size=300))
def test_any_bytes_are_refused_or_the_one_form_of_what_they_say(name: str, data: bytes) -> None:
    try:
        value = CODECS[name].decode(data)
    except CodecError:
        return
    assert encode(value) == data


@pytest.mark.parametrize("row", WIRE_TYPES, ids=lambda row: row.struct.__name__)
def test_hostile_bytes_are_refused_as_every_message(row: Any) -> None:
    for data in (
        *HOSTILE.values(),
        *(b"\x92" + bytes([row.kind]) + each for each in HOSTILE.values()),
    ):
        try:
            message = decode_message(row.kind, data)
        except MoyaiError:
            continue
        assert encode_message(message) == data


@given(st.sampled_from(sorted(MESSAGES, key=lambda kind: kind.__name__)), st.data())
def test_a_message_cut_or_stuffed_is_refused_or_the_one_form(
    kind: Any, data: st.DataObject
) -> None:
    payload = MESSAGES[kind]
    place = data.draw(st.integers(0, len(payload)))
    stuffing = data.draw(st.binary(max_size=40) | st.sampled_from(sorted(HOSTILE.values())))
    skipped = data.draw(st.integers(0, 8))
    changed = payload[:place] + stuffing + payload[place + skipped :]
    number = next(row.kind for row in WIRE_TYPES if row.struct is kind)
    try:
        message = decode_message(number, changed)
    except MoyaiError:
        return
    assert wire_type(message).kind == number
    assert encode_message(message) == changed


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_no_transaction_and_no_call(data: bytes) -> None:
    with pytest.raises((CodecError, TransactionError)):
        decode_transaction(data)
    with pytest.raises(ParseFailedError):
        parse_strict(data)


@pytest.mark.parametrize("file", sorted(FILES))
@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - {"nothing"}))
def test_hostile_files_are_refused_with_words(file: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(MoyaiError):
        FILES[file](tmp_path, HOSTILE[name])


@pytest.mark.parametrize("file", ["genesis", "key file"])  # settings may be left to the defaults
def test_an_empty_file_is_refused_with_words(file: str, tmp_path: Path) -> None:
    with pytest.raises(MoyaiError):
        FILES[file](tmp_path, b"")
