"""Key files: private, never overwritten, sealed when asked, held by one process at a time."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.node.errors import InUseError, KeyFileError
from moyai.node.key_file import (
    KEY_FILE_BYTES_MAX,
    KeyKind,
    NetworkSecret,
    key_lock,
    load_network_secret,
    load_signing_key,
    make_key_file,
    new_secret,
    open_secret,
    read_key_file,
    replace_key_file,
    write_key_file,
)
from moyai.primitives.keys import SigningKey

SECRET = bytes(range(32))


@pytest.fixture
def key_path(tmp_path: Path) -> Path:
    path = tmp_path / "validator.key"
    write_key_file(path, make_key_file(KeyKind.VALIDATOR, SECRET))
    return path


def test_a_written_key_is_read_back_and_private(key_path: Path) -> None:
    assert key_path.stat().st_mode & 0o777 == 0o600
    assert load_signing_key(key_path, KeyKind.VALIDATOR).public == SigningKey(SECRET).public


def test_a_network_key_names_the_peer(tmp_path: Path) -> None:
    path = tmp_path / "network.key"
    write_key_file(path, make_key_file(KeyKind.NETWORK, SECRET))
    assert load_network_secret(path).public == NetworkSecret(SECRET).public


def test_a_key_readable_by_others_is_refused_with_the_command_that_helps(key_path: Path) -> None:
    key_path.chmod(0o640)
    with pytest.raises(KeyFileError, match=r"mode 0640") as refusal:
        read_key_file(key_path)
    assert refusal.value.next == f"run: chmod 600 {key_path}"


def test_an_existing_key_is_never_overwritten(key_path: Path) -> None:
    before = key_path.read_bytes()
    with pytest.raises(KeyFileError, match="File exists"):
        write_key_file(key_path, make_key_file(KeyKind.VALIDATOR, new_secret()))
    assert key_path.read_bytes() == before


def test_a_key_of_another_kind_is_refused(key_path: Path) -> None:
    with pytest.raises(KeyFileError, match="holds a validator key, a network key belongs here"):
        read_key_file(key_path, KeyKind.NETWORK)


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="moyai keys new"):
        read_key_file(tmp_path / "absent.key")


def test_a_sealed_key_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    path = tmp_path / "sealed.key"
    write_key_file(path, make_key_file(KeyKind.ACCOUNT, SECRET, "correct horse"))
    assert SECRET.hex() not in path.read_text()
    opened = load_signing_key(path, KeyKind.ACCOUNT, "correct horse")
    assert opened.public == SigningKey(SECRET).public
    with pytest.raises(KeyFileError, match="does not open"):
        load_signing_key(path, KeyKind.ACCOUNT, "wrong horse")
    with pytest.raises(KeyFileError, match="sealed by a passphrase"):
        load_signing_key(path, KeyKind.ACCOUNT)


def test_sealing_replaces_the_plain_file(key_path: Path) -> None:
    replace_key_file(key_path, make_key_file(KeyKind.VALIDATOR, SECRET, "p"))
    assert load_signing_key(key_path, KeyKind.VALIDATOR, "p").public == SigningKey(SECRET).public
    assert key_path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key_path.parent.iterdir()] == [key_path.name]


def test_a_public_key_of_another_secret_is_noticed(key_path: Path) -> None:
    content = read_key_file(key_path)
    other = msgspec.structs.replace(content, secret=new_secret().hex())
    with pytest.raises(KeyFileError, match="does not belong"):
        open_secret(other, None, what="key file")


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_and_never_crash(data: bytes) -> None:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"moyai-key-{os.getpid()}"  # noqa: S108 - removed below
    path.touch(mode=0o600)
    try:
        path.write_bytes(data)
        with pytest.raises(KeyFileError):
            read_key_file(path)
    finally:
        path.unlink()


def test_a_file_too_large_is_not_read_whole(key_path: Path) -> None:
    key_path.write_bytes(b" " * (KEY_FILE_BYTES_MAX + 1))
    with pytest.raises(KeyFileError, match="not a key file"):
        read_key_file(key_path)


def test_a_file_that_asks_for_much_memory_is_refused(key_path: Path) -> None:
    content = make_key_file(KeyKind.VALIDATOR, SECRET, "p")
    assert content.sealed is not None
    greedy = msgspec.structs.replace(content.sealed, memory_bytes=2**40)
    key_path.write_bytes(msgspec.json.encode(msgspec.structs.replace(content, sealed=greedy)))
    with pytest.raises(KeyFileError, match="not a key file"):
        read_key_file(key_path)


def test_a_second_process_with_the_same_key_is_refused_by_name(key_path: Path) -> None:
    holder = (
        "import sys; from pathlib import Path; from moyai.node.key_file import key_lock\n"
        "with key_lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(key_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(InUseError, match=rf"pid {process.pid}"), key_lock(key_path):
            pass
        process.kill()
    with key_lock(key_path):
        pass


def test_no_text_form_shows_the_secret() -> None:
    content = make_key_file(KeyKind.VALIDATOR, SECRET)
    shown = repr(content) + repr(NetworkSecret(SECRET)) + repr(SigningKey(SECRET))
    assert SECRET.hex() not in shown


def test_a_pipe_in_the_place_of_a_key_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "validator.key"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(KeyFileError):
        read_key_file(pipe, KeyKind.VALIDATOR)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"format": "\xff"}', b"[" * 100_000])
def test_bytes_that_are_no_key_file_are_refused_as_one(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "validator.key"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"validator\.key"):
        read_key_file(path)
