"""Bad input by name, against real processes: one line that says what is wrong and what to do."""

import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.real_city import CHAIN_ID, CallFailed, RealCity, post
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.testnet import City, CityNode, CityPlan, make_city
from moyai.primitives.codec import encode
from moyai.primitives.ids import AccountId, TimeMs
from moyai.primitives.operations_accounts import FreezeAccount
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.transaction import parse_transaction

START_SECONDS_MAX = 20.0


def found(directory: Path) -> City:
    plan = CityPlan(directory, CHAIN_ID, TimeMs(1_800_000_000_000), free_ports(4))
    return make_city(plan, genesis_root, create_journal)


@pytest.fixture
def founded(tmp_path: Path) -> City:
    return found(tmp_path / "city")


def run(node: CityNode, **environment: str) -> tuple[int, str]:
    """Start a node that cannot start; return its exit code and its last line."""
    done = subprocess.run(
        [sys.executable, "-m", "moyai.node", "run", "--config", str(node.config_file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS_MAX,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip().splitlines()[-1]


def refused(node: CityNode, *words: str, **environment: str) -> None:
    code, line = run(node, **environment)
    assert code == 1, line
    assert line.startswith("error: ")
    for word in words:
        assert word in line


def edit(node: CityNode, old: str, new: str) -> None:
    text = node.config_file.read_text()
    assert old in text
    node.config_file.write_text(text.replace(old, new))


class TestStarting:
    def test_an_unknown_key(self, founded: City) -> None:
        edit(founded.nodes[0], "data_dir", "data_folder")
        refused(founded.nodes[0], "no such key: data_folder", "did you mean data_dir?")

    def test_a_wrong_value(self, founded: City) -> None:
        refused(
            founded.nodes[0],
            "MOYAI_MODE",
            'set it to one of "full", "validator"',
            MOYAI_MODE="observer",
        )

    @pytest.mark.parametrize("which", ["p2p", "rpc", "metrics"])
    def test_a_port_in_use(self, founded: City, which: str) -> None:
        node = founded.nodes[0]
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", getattr(node.ports, which)))
            taken.listen()
            refused(node, str(getattr(node.ports, which)), "in use")

    def test_a_key_that_others_can_read(self, founded: City) -> None:
        key = founded.nodes[0].folder / "validator.key"
        key.chmod(0o644)
        refused(founded.nodes[0], "can be read by others", f"chmod 600 {key}")

    def test_keys_of_another_city(self, founded: City, tmp_path: Path) -> None:
        other = found(tmp_path / "other")
        shutil.copy(other.genesis_file, founded.genesis_file)
        refused(founded.nodes[0], "genesis")

    def test_a_genesis_that_somebody_changed(self, founded: City) -> None:
        text = founded.genesis_file.read_text()
        founded.genesis_file.write_text(text.replace('"delta_ms": 250', '"delta_ms": 251'))
        refused(founded.nodes[0], "genesis", "says its digest is")

    def test_a_data_folder_of_another_network(self, founded: City, tmp_path: Path) -> None:
        other = found(tmp_path / "other")
        shutil.rmtree(founded.nodes[0].folder / "data")
        shutil.copytree(other.nodes[0].folder / "data", founded.nodes[0].folder / "data")
        refused(founded.nodes[0], "journal", "network")

    def test_a_data_folder_of_another_key(self, founded: City) -> None:
        shutil.rmtree(founded.nodes[0].folder / "data")
        shutil.copytree(founded.nodes[1].folder / "data", founded.nodes[0].folder / "data")
        refused(founded.nodes[0], "belongs to the key")

    def test_a_lost_data_folder(self, founded: City) -> None:
        shutil.rmtree(founded.nodes[0].folder / "data")
        refused(founded.nodes[0], "journal", "moyai init")

    def test_a_sealed_key_without_its_passphrase(self, founded: City) -> None:
        key = founded.nodes[0].folder / "validator.key"
        command = [sys.executable, "-m", "moyai.node", "keys", "encrypt", str(key)]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "MOYAI_PASSPHRASE": "correct horse",
        }
        subprocess.run(command, check=True, capture_output=True, env=environment)
        refused(founded.nodes[0], "passphrase", "MOYAI_PASSPHRASE")


class TestRunning:
    def test_a_second_process_with_the_same_key(self, city: RealCity) -> None:
        process = city.nodes[2]
        refused(process.node, "in use", f"pid {process.pid}")
        city.make_final(process.node, "after the second process")

    @pytest.mark.parametrize(
        ("case", "code"),
        [
            ("bad signature", "bad_signature"),
            ("wrong chain", "wrong_chain"),
            ("expired", "expired"),
            ("too far ahead", "too_far_ahead"),
            ("too large", "invalid_params"),
            ("unknown operation", "bad_encoding"),
            ("no transaction at all", "bad_encoding"),
        ],
    )
    def test_a_bad_transaction(self, city: RealCity, case: str, code: str) -> None:
        with pytest.raises(CallFailed) as refusal:
            city.submit(city.nodes[0].node, bad_transaction(city, case))
        assert refusal.value.data["code"] == code
        assert refusal.value.data["reason"]
        assert refusal.value.data["next"]

    def test_a_repeated_transaction_is_known_and_has_one_effect(self, city: RealCity) -> None:
        transaction_id, raw = city.document("repeated")
        for _ in range(3):
            assert city.submit(city.nodes[0].node, raw)["id"] == transaction_id.hex()
        assert city.wait_final(city.nodes[0].node, transaction_id, 5.0)["status"] == "final"
        assert city.submit(city.nodes[1].node, raw)["id"] == transaction_id.hex()

    def test_what_a_rule_refuses_is_final_and_says_why(self, city: RealCity) -> None:
        stranger = FreezeAccount(AccountId(bytes(20)))
        transaction_id, raw = city.sign((stranger,))
        city.submit(city.nodes[0].node, raw)
        status = city.wait_final(city.nodes[0].node, transaction_id, 5.0)
        assert (status["status"], status["code_name"]) == ("refused", "account_unknown")
        assert status["next"]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"not json", "parse_error"),
            (b"7", "invalid_request"),
            (b'{"jsonrpc":"2.0","id":1,"method":"no_such"}', "method_not_found"),
            (b'{"jsonrpc":"2.0","id":1,"method":"tx_status","params":{"id":7}}', "invalid_params"),
            (b"[" * 40 + b"]" * 40, "parse_error"),
            (b'{"a":1,"a":2}', "parse_error"),
        ],
    )
    def test_a_bad_request(self, city: RealCity, body: bytes, code: str) -> None:
        answer: Any = post(city.nodes[0].node, body)
        assert answer["error"]["data"]["code"] == code
        assert answer["error"]["data"]["next"]

    def test_a_request_too_large(self, city: RealCity) -> None:
        with pytest.raises(CallFailed):
            city.submit(city.nodes[0].node, bytes(2 * 1024 * 1024))
        city.make_final(city.nodes[0].node, "after a large request")


class TestPeers:
    @pytest.fixture
    def link(self, city: RealCity) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", city.nodes[0].node.ports.p2p), 5.0) as link:
            link.settimeout(10.0)
            yield link
        city.make_final(city.nodes[0].node, f"after a bad peer {os.urandom(4).hex()}")

    def test_a_stranger_is_cut(self, link: socket.socket) -> None:
        link.sendall(bytes(200))
        assert was_cut(link)

    def test_half_a_handshake_is_cut(self, link: socket.socket) -> None:
        link.sendall(b"\x00")
        link.shutdown(socket.SHUT_WR)
        assert was_cut(link)

    def test_a_frame_of_four_gibibytes_is_cut_before_it_is_read(self, link: socket.socket) -> None:
        link.sendall(struct.pack(">I", 2**32 - 1) + bytes(64))
        assert was_cut(link)


def was_cut(link: socket.socket) -> bool:
    """Return whether the other side closes, without having said anything."""
    try:
        return link.recv(1024) == b""
    except ConnectionResetError:
        return True


def bad_transaction(city: RealCity, case: str) -> bytes:
    document = RegisterDocument("bad", parse_transaction(city.document("x")[1]).id, 1)  # type: ignore[arg-type]
    match case:
        case "bad signature":
            raw = city.document("bad signature")[1]
            return raw[:-1] + bytes([raw[-1] ^ 1])
        case "wrong chain":
            return city.sign((document,), chain_id="another-city")[1]
        case "expired":
            return city.sign((document,), valid_ms=-60_000)[1]
        case "too far ahead":
            return city.sign((document,), valid_ms=3_600_000)[1]
        case "too large":
            return bytes(70 * 1024)
        case "unknown operation":
            envelope = parse_transaction(city.document("unknown")[1])
            old, new = (encode(tag) + encode("unknown") for tag in (50, 99))
            body = envelope.body_bytes.replace(old, new)
            assert body != envelope.body_bytes
            return encode((body, envelope.signatures))
        case _:
            return b"hello"
