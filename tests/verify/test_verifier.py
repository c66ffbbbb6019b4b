"""Scenarios for the offline verifier: what is proven, and every way to tamper with evidence."""

import asyncio
import base64
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.loopback_node import LoopbackNode
from harness.proven_city import (
    ACCOUNTS,
    NEXT_SET,
    NEXT_VALIDATORS,
    OFFICER_KEYS,
    VALIDATORS,
    ProvenCity,
    certify,
    epoch_end_headers,
    header_after,
    make_genesis,
)
from moyai.client import Client, ClientSettings, Evidence, opening_of_bytes
from moyai.client.evidence import EpochPart, StateSubject
from moyai.primitives.block import Header, header_digest
from moyai.primitives.codec import encode
from moyai.primitives.genesis import genesis_digest, genesis_header
from moyai.primitives.ids import format_account
from moyai.primitives.merkle import list_inclusion_path
from moyai.primitives.operations import RegisterDocument, ReplaceDocument
from moyai.primitives.state_keys import account_key, balance_key, record_key, version_key
from moyai.primitives.state_proof import HistoryProof, StateProof
from moyai.primitives.vote import VoteKind
from moyai.verify import verifier
from moyai.verify.verifier import Mismatch, Unreadable, verify

CONTENT = b"minutes of the council of 3 March"
OPENING = opening_of_bytes(CONTENT, salt=bytes(range(32)))
GENESIS = genesis_digest(make_genesis())
KEY = version_key("minutes", 1)


class Proofs(msgspec.Struct):
    transaction: Evidence
    state: Evidence
    history: Evidence
    absence: Evidence


async def gather(city: ProvenCity) -> Proofs:
    register = RegisterDocument("minutes", OPENING.digest, OPENING.size_bytes)
    raw = city.sign(register)
    city.commit_and_attest(city.sign(RegisterDocument("other", OPENING.digest, 1)), raw)
    patient = ClientSettings(now_ms=lambda: city.now_ms)
    async with (
        LoopbackNode(city).running() as node,
        Client.connect(node.url, trust=city.genesis, settings=patient) as client,
    ):
        identity = (await client.send(raw)).transaction
        later = opening_of_bytes(b"corrected", salt=bytes(32))
        city.commit_and_attest(city.sign(ReplaceDocument("minutes", later.digest, 9, 1)))
        await client.refresh()
        return Proofs(
            transaction=await client.transaction_evidence(identity, opening=OPENING),
            state=await client.state_evidence(KEY, opening=OPENING),
            history=await client.state_evidence(KEY, history=True, opening=OPENING),
            absence=await client.state_evidence(version_key("minutes", 7)),
        )


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    city = ProvenCity(tmp_path_factory.mktemp("city") / "chain")
    try:
        return asyncio.run(gather(city))
    finally:
        city.close()


def test_a_transaction_is_proven_with_who_and_when(proofs: Proofs) -> None:
    verdict = verify(proofs.transaction.to_bytes(), genesis=GENESIS)
    assert verdict.anchored
    assert verdict.facts["code"] == 0
    assert verdict.facts["account"] == format_account(ACCOUNTS["city-hall"])
    assert verdict.since is not None
    assert verdict.since[0] == 1
    assert len(verdict.signers) == 3
    assert verdict.validators == 4


def test_a_document_is_proven_with_when_it_was_in_force(proofs: Proofs) -> None:
    verdict = verify(proofs.state.to_bytes(), genesis=GENESIS)
    assert verdict.facts["about"] == "document minutes, version 1"
    assert verdict.facts["document"]["registered"] == "2026-01-01T00:00:01Z"
    assert verdict.facts["document"]["replaced"] is not None
    assert verdict.since is not None
    assert verdict.since[0] == 3
    assert verdict.facts["first_version"] == 2


def test_the_whole_history_of_a_key_is_proven(proofs: Proofs) -> None:
    verdict = verify(proofs.history.to_bytes(), genesis=GENESIS)
    assert verdict.facts["first_version"] == 1
    assert [height for height, _ in verdict.facts["versions"]] == [1, 3]


def test_absence_is_proven(proofs: Proofs) -> None:
    verdict = verify(proofs.absence.to_bytes(), genesis=GENESIS)
    assert verdict.facts["value"] is None
    assert verdict.since is None


def test_without_a_digest_to_compare_nothing_is_called_proven(proofs: Proofs) -> None:
    assert not verify(proofs.transaction.to_bytes()).anchored


def test_evidence_of_another_city_is_refused(proofs: Proofs) -> None:
    with pytest.raises(Mismatch) as caught:
        verify(proofs.transaction.to_bytes(), genesis=bytes(32))
    assert caught.value.part == "genesis"


def test_the_registered_file_is_recognised_and_an_altered_one_refused(proofs: Proofs) -> None:
    right, wrong = sha256(CONTENT).digest(), sha256(CONTENT + b".").digest()
    for evidence in (proofs.transaction, proofs.state, proofs.history):
        assert verify(evidence.to_bytes(), genesis=GENESIS, file_sha256=right).file_checked
        with pytest.raises(Mismatch) as caught:
            verify(evidence.to_bytes(), genesis=GENESIS, file_sha256=wrong)
        assert caught.value.part == "file"


def test_evidence_that_names_no_file_proves_no_file(proofs: Proofs) -> None:
    with pytest.raises(Mismatch) as caught:
        verify(proofs.absence.to_bytes(), genesis=GENESIS, file_sha256=bytes(32))
    assert caught.value.reason == "no opening"


@pytest.mark.parametrize("kind", ["transaction", "state", "history"])
def test_every_flipped_byte_is_refused(proofs: Proofs, kind: str) -> None:
    data = getattr(proofs, kind).to_bytes()
    accepted = [place for place in range(len(data)) if accepts(flipped(data, place))]
    assert accepted == []


def test_a_flipped_byte_of_an_absence_is_refused_or_the_absence_of_another_key(
    proofs: Proofs,
) -> None:
    data = proofs.absence.to_bytes()
    for place in range(len(data)):
        if accepts(changed := flipped(data, place)):
            key = verify(changed, genesis=GENESIS).facts["key"]
            assert key != proofs.absence.subject.key, f"byte {place}"
            assert len(key) == len(proofs.absence.subject.key)


def test_every_flipped_byte_of_the_json_form_is_refused_or_blank(proofs: Proofs) -> None:
    data = proofs.state.to_json()
    meant = verifier.read(data)
    for place in range(len(data)):
        changed = flipped(data, place)
        assert not accepts(changed) or verifier.read(changed) == meant, f"byte {place}"


def test_both_forms_say_the_same(proofs: Proofs) -> None:
    for evidence in (proofs.transaction, proofs.state, proofs.history, proofs.absence):
        assert verify(evidence.to_json()) == verify(evidence.to_bytes())


def flipped(data: bytes, place: int) -> bytes:
    bit = 1 << place % 8
    return data[:place] + bytes((data[place] ^ bit,)) + data[place + 1 :]


def accepts(data: bytes) -> bool:
    try:
        verify(data)
    except (Mismatch, Unreadable):
        return False
    return True


def altered(evidence: Evidence, **changes: Any) -> bytes:
    return encode(msgspec.structs.replace(evidence, **changes))


def with_subject(evidence: Evidence, **changes: Any) -> bytes:
    subject = msgspec.structs.replace(evidence.subject, **changes)
    return altered(evidence, subject=subject)


def refusal(data: bytes) -> tuple[str, str]:
    with pytest.raises(Mismatch) as caught:
        verify(data, genesis=GENESIS)
    return caught.value.part, caught.value.reason


def test_a_certificate_of_too_few_is_named(proofs: Proofs) -> None:
    header = msgspec.msgpack.decode(proofs.state.header, type=Header)
    short = certify(header, keys=VALIDATORS[:2])
    assert refusal(altered(proofs.state, certificate=encode(short))) == ("certificate", "too few")


def test_a_certificate_by_strangers_is_named(proofs: Proofs) -> None:
    header = msgspec.msgpack.decode(proofs.state.header, type=Header)
    strangers = certify(header, keys=list(OFFICER_KEYS.values()))
    tampered = altered(proofs.state, certificate=encode(strangers))
    assert refusal(tampered) == ("certificate", "bad signature")


def test_a_notarization_is_no_finalization(proofs: Proofs) -> None:
    header = msgspec.msgpack.decode(proofs.state.header, type=Header)
    notarized = certify(header, kind=VoteKind.NOTARIZE)
    tampered = altered(proofs.state, certificate=encode(notarized))
    assert refusal(tampered) == ("certificate", "other block")


def test_another_value_is_named(proofs: Proofs) -> None:
    assert refusal(with_subject(proofs.state, values=(b"other",))) == ("value", "other value")


def test_a_value_where_there_is_none_is_named(proofs: Proofs) -> None:
    assert refusal(with_subject(proofs.absence, values=(b"invented",)))[0] == "proof"


def test_a_hidden_version_is_named(proofs: Proofs) -> None:
    values = proofs.history.subject.values[1:]
    assert refusal(with_subject(proofs.history, values=values))[0] == "proof"


def test_an_altered_receipt_is_named(proofs: Proofs) -> None:
    receipt = bytearray(proofs.transaction.subject.receipt)
    receipt[35] ^= 1  # the code follows the id of 32 bytes in its array
    assert refusal(with_subject(proofs.transaction, receipt=bytes(receipt)))[0] == "receipt"


def test_another_signature_is_named(proofs: Proofs) -> None:
    transaction = bytearray(proofs.transaction.subject.transaction)
    transaction[-1] ^= 1
    tampered = with_subject(proofs.transaction, transaction=bytes(transaction))
    assert refusal(tampered) == ("signature", "bad signature")


def test_another_opening_is_named(proofs: Proofs) -> None:
    opening = msgspec.structs.replace(proofs.state.opening, salt=bytes(32))
    assert refusal(altered(proofs.state, opening=opening)) == ("opening", "not registered")


def second_epoch(fillers: int) -> Evidence:
    """Return evidence, under validators that the first ones chose, that an empty state is empty."""
    genesis = genesis_header(make_genesis())
    ended = epoch_end_headers(header_after([genesis]), fillers=fillers)
    empty = msgspec.structs.replace(genesis.executed, state_root=bytes(32))
    changes = {"epoch": 1, "epoch_end": None, "executed": empty}
    first = header_after([genesis, ended[0]], **changes)
    digests = [header_digest(one) for one in (genesis, ended[0])]
    header, *rest = map(encode, ended)
    end = EpochPart(header, tuple(rest), encode(certify(ended[-1])), NEXT_SET.keys)
    proof = HistoryProof(1, bytes(32), (), StateProof((), None))
    return Evidence(
        format="moyai-evidence/1",
        genesis=encode(make_genesis()),
        genesis_path=tuple(list_inclusion_path(0, digests)),
        epochs=(end,),
        header=encode(first),
        certificate=encode(certify(first, keys=NEXT_VALIDATORS)),
        kind="state",
        subject=StateSubject(b"k", (), encode(proof), None),
        opening=None,
    )


@pytest.mark.parametrize("fillers", [0, 1, 3])
def test_validators_are_followed_into_the_next_epoch(fillers: int) -> None:
    verdict = verify(second_epoch(fillers).to_bytes(), genesis=GENESIS)
    assert verdict.signers == [key.hex() for key in NEXT_SET.keys[:3]]
    assert verify(second_epoch(fillers).to_json(), genesis=GENESIS) == verdict


def test_every_flipped_byte_of_a_change_of_validators_is_refused() -> None:
    data = second_epoch(1).to_bytes()
    key = data.index(b"state") + 8  # the subject's key, of one byte: absence of another key
    assert data[key : key + 1] == b"k"
    assert [place for place in range(len(data)) if accepts(flipped(data, place))] == [key]


def test_validators_that_nobody_chose_are_named() -> None:
    good = second_epoch(2)
    (end,) = good.epochs
    for wrong in (
        msgspec.structs.replace(end, keys=end.keys[::-1]),
        msgspec.structs.replace(end, fillers=end.fillers[1:]),
        msgspec.structs.replace(end, fillers=end.fillers[:1]),
    ):
        assert refusal(altered(good, epochs=(wrong,)))[0] == "epoch"
    assert refusal(altered(good, epochs=())) == ("header", "other chain")


@given(st.binary(max_size=200))
def test_noise_is_unreadable(noise: bytes) -> None:
    with pytest.raises(Unreadable):
        verify(noise)


@given(st.recursive(st.none() | st.integers(0, 9) | st.text(max_size=3), st.lists, max_leaves=20))
def test_json_noise_is_unreadable(noise: Any) -> None:
    with pytest.raises(Unreadable):
        verify(json.dumps({"format": noise}).encode())


def test_a_key_that_stands_twice_is_unreadable(proofs: Proofs) -> None:
    twice = proofs.state.to_json().replace(b"{", b'{"format": "moyai-evidence/1",', 1)
    with pytest.raises(Unreadable):
        verify(twice)


def test_deep_nesting_is_unreadable() -> None:
    for data in (b"\x91" * 100_000, b'{"a":' * 100_000):
        with pytest.raises(Unreadable):
            verify(data)


def test_exit_codes(proofs: Proofs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, file = tmp_path / "good.moyai", tmp_path / "bad.moyai", tmp_path / "minutes.txt"
    good.write_bytes(proofs.state.to_bytes())
    bad.write_bytes(flipped(proofs.state.to_bytes(), 900))
    file.write_bytes(CONTENT)
    anchored = ["--genesis", GENESIS.hex()]
    assert verifier.main([str(good), *anchored]) == 0
    assert verifier.main([str(good), *anchored, "--file", str(file)]) == 0
    assert verifier.main([str(bad), *anchored]) == 1
    assert verifier.main([str(good), *anchored, "--file", str(good)]) == 1
    assert verifier.main([str(tmp_path / "none"), *anchored]) == 2
    with pytest.raises(SystemExit, match="2"):
        verifier.main([str(good), "--genesis", "genesis.json"])
    assert verifier.main([str(file), *anchored]) == 2
    assert verifier.main([str(good)]) == 3
    said = capsys.readouterr().out
    assert "PROVEN" in said
    assert "by 3 of 4 validators: " in said


def test_it_speaks_japanese_and_json(
    proofs: Proofs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "e.moyai"
    path.write_bytes(proofs.transaction.to_bytes())
    anchored = ["--genesis", GENESIS.hex()]
    assert verifier.main([str(path), *anchored, "--lang", "ja"]) == 0
    assert "証明されました" in capsys.readouterr().out
    assert verifier.main([str(path), *anchored, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "proven"
    path.write_bytes(flipped(proofs.transaction.to_bytes(), 900))
    assert verifier.main([str(path), *anchored, "--json"]) == 1
    assert set(json.loads(capsys.readouterr().out)) == {"verdict", "part", "reason"}


def test_the_one_file_runs_alone(proofs: Proofs, tmp_path: Path) -> None:
    copy, evidence = tmp_path / "check.py", tmp_path / "e.moyai"
    copy.write_bytes(Path(verifier.__file__).read_bytes())
    evidence.write_bytes(proofs.state.to_bytes())
    answer = subprocess.run(
        [sys.executable, str(copy), str(evidence), "--genesis", GENESIS.hex()],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={},
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("PROVEN")


@pytest.mark.parametrize("name", ["bad form", *verifier.TEXTS])
def test_every_text_is_there_in_both_languages(name: str) -> None:
    english, japanese = verifier.TEXTS[name]
    assert english
    assert japanese


def test_keys_are_explained() -> None:
    account = ACCOUNTS["utility"]
    assert verifier.meaning(record_key("c", "k")) == "record k of collection c"
    assert verifier.meaning(balance_key("coin", account)).endswith("in coin")
    assert verifier.meaning(account_key(account)) == f"account {format_account(account)}"
    assert verifier.meaning(b"p") == ""


@given(st.binary(min_size=20, max_size=20))
def test_addresses_are_those_of_the_sdk(account: bytes) -> None:
    assert verifier.address(account) == format_account(account)


CURVE = ec.SECP256R1()


def passkey(number: int) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    private = ec.derive_private_key(number, CURVE)
    point = private.public_key().public_numbers()
    return private, bytes((2 + (point.y & 1),)) + point.x.to_bytes(32, "big")


@settings(max_examples=25)  # each takes 16 ms of pure Python
@given(st.integers(1, 2**200), st.binary(max_size=40))
def test_p256_accepts_what_another_implementation_signs(number: int, message: bytes) -> None:
    private, public = passkey(number)
    signature = private.sign(message, ec.ECDSA(SHA256()))
    assert verifier.p256_valid(public, message, signature)
    assert not verifier.p256_valid(public, message + b"x", signature)
    assert not verifier.p256_valid(public, message, signature[:-1])
    assert not verifier.p256_valid(public, message, b"\x30" + signature)


def test_a_passkey_assertion_is_checked_in_all_its_parts() -> None:
    private, public = passkey(7)
    key, message = public + bytes(32), b"the signing message"
    challenge = base64.urlsafe_b64encode(sha256(message).digest()).rstrip(b"=").decode()

    def assertion(*, flags: int = 5, kind: str = "webauthn.get", asked: str = challenge) -> bytes:
        data = bytes(32) + bytes((flags,)) + bytes(4)
        client = json.dumps({"type": kind, "challenge": asked, "origin": "https://city"}).encode()
        signed = private.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return encode((data, client, signed))

    assert verifier.passkey_valid(key, message, assertion())
    assert not verifier.passkey_valid(key, b"another", assertion())
    assert not verifier.passkey_valid(key, message, assertion(flags=1))
    assert not verifier.passkey_valid(key, message, assertion(kind="webauthn.create"))
    assert not verifier.passkey_valid(key, message, assertion(asked=challenge[:-2]))
    assert not verifier.passkey_valid(public + b"\x01" * 32, message, assertion())
    assert not verifier.passkey_valid(key, message, b"noise")
