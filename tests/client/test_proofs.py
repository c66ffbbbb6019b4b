"""Scenarios for proofs: an answer is what was asked for, in every part, or it is a lie."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.loopback_node import LoopbackNode
from harness.proven_city import ProvenCity
from moyai.client import opening_of_bytes
from moyai.client.answers import (
    BlockProofAnswer,
    HistoryProofAnswer,
    StateProofAnswer,
    TransactionProofAnswer,
)
from moyai.client.errors import LyingNodeError
from moyai.client.proofs import prove_block, prove_history, prove_state, prove_transaction
from moyai.client.trust import CertifiedHeader, TrustedChain
from moyai.primitives.codec import encode
from moyai.primitives.ids import TransactionId
from moyai.primitives.operations import RegisterDocument, ReplaceDocument
from moyai.primitives.state_keys import version_key
from moyai.primitives.transaction import parse_transaction

OPENING = opening_of_bytes(b"minutes", salt=bytes(32))
KEY = version_key("minutes", 1)
OTHER = version_key("minutes", 9)
PATHS = ("path", "log_path", "receipt_path", "receipts_log_path")


class Scene:
    """Honest answers of a node, and the certified header they hang on."""

    def __init__(self, city: ProvenCity) -> None:
        raw = city.sign(RegisterDocument("minutes", OPENING.digest, 7))
        raws = [city.sign(RegisterDocument(f"s{n}", OPENING.digest, 7)) for n in range(2)]
        city.commit_and_attest(raws[0], raw, raws[1])
        city.commit_and_attest(city.sign(ReplaceDocument("minutes", OPENING.digest, 7, 1)))
        self.node = LoopbackNode(city)
        self.id = parse_transaction(raw).id
        chain = TrustedChain(city.genesis)
        certificate = city.snapshot_of(lambda view: view.certificate(city.tip.height))
        self.certified: CertifiedHeader = chain.verify(encode(city.tip), encode(certificate))

    def transaction(self, **changes: Any) -> TransactionProofAnswer:
        answer = {**self.node.chain_prove(transaction=self.id.hex()), **changes}
        return msgspec.convert(answer, TransactionProofAnswer)

    def state(self, key: bytes = KEY, **changes: Any) -> StateProofAnswer:
        return msgspec.convert({**self.node.state_prove(key.hex()), **changes}, StateProofAnswer)

    def history(self, **changes: Any) -> HistoryProofAnswer:
        answer = {**self.node.state_prove(KEY.hex(), history=True), **changes}
        return msgspec.convert(answer, HistoryProofAnswer)

    def block(self, height: int, **changes: Any) -> BlockProofAnswer:
        return msgspec.convert(
            {**self.node.chain_prove(height=height), **changes}, BlockProofAnswer
        )


@pytest.fixture
def scene(city: ProvenCity) -> Scene:
    return Scene(city)


def test_an_honest_transaction(scene: Scene) -> None:
    receipt = prove_transaction(scene.transaction(), scene.id, scene.certified)
    assert receipt.is_ok
    assert (receipt.height, receipt.index) == (1, 1)
    assert receipt.certified_height == 4


def test_another_transaction_than_asked_for(scene: Scene) -> None:
    with pytest.raises(LyingNodeError, match="another transaction"):
        prove_transaction(scene.transaction(), TransactionId(bytes(32)), scene.certified)


@pytest.mark.parametrize("name", PATHS)
def test_a_path_that_leads_astray(scene: Scene, name: str) -> None:
    for path in ((), ("00" * 32,) * 3, ("zz",)):
        with pytest.raises(LyingNodeError):
            prove_transaction(scene.transaction(**{name: path}), scene.id, scene.certified)


@pytest.mark.parametrize("index", [-1, 0, 2, 3, 2**40])
def test_another_place_in_the_block(scene: Scene, index: int) -> None:
    with pytest.raises(LyingNodeError):
        prove_transaction(scene.transaction(index=index), scene.id, scene.certified)


@given(place=st.integers(0, 10_000), field=st.sampled_from(("transaction", "header", "receipt")))
def test_any_flipped_byte(shared: Scene, place: int, field: str) -> None:
    honest = shared.transaction()
    data = bytearray(getattr(honest, field))
    signed = len(data) - 70 if field == "transaction" else len(data)
    data[place % signed] ^= 1  # the signature at the end is judged by nodes, not by this proof
    answer = msgspec.structs.replace(honest, **{field: bytes(data)})
    with pytest.raises(LyingNodeError):
        prove_transaction(answer, shared.id, shared.certified)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    city = ProvenCity(tmp_path_factory.mktemp("shared") / "chain")
    yield Scene(city)
    city.close()


def test_blocks(scene: Scene) -> None:
    for height in range(5):
        assert prove_block(scene.block(height), height, scene.certified).height == height
    for lie in (scene.block(2), scene.block(1, log_path=()), scene.block(1, header=b"")):
        with pytest.raises(LyingNodeError):
            prove_block(lie, 1, scene.certified)


def test_values_and_absence(scene: Scene) -> None:
    proven = prove_state(scene.state(), KEY, scene.certified)
    assert (proven.version, proven.changed_height, proven.height) == (2, 3, 3)
    absent = prove_state(scene.state(OTHER), OTHER, scene.certified)
    assert (absent.value, absent.version) == (None, 0)
    lies = [
        (scene.state(value=None), KEY),
        (scene.state(value=b"x"), KEY),
        (scene.state(proof=b""), KEY),
        (scene.state(OTHER), KEY),
        (scene.state(), OTHER),
        (scene.state(OTHER, value=b"x"), OTHER),
    ]
    for lie, key in lies:
        with pytest.raises(LyingNodeError):
            prove_state(lie, key, scene.certified)


def test_histories(scene: Scene) -> None:
    proven = prove_history(scene.history(), KEY, 1, scene.certified)
    assert [(one.version, one.height) for one in proven.versions] == [(1, 1), (2, 3)]
    values = scene.history().values
    lies = [
        (scene.history(), 2),
        (scene.history(values=values[:1]), 1),
        (scene.history(values=values[::-1]), 1),
        (scene.history(history=b""), 1),
    ]
    for lie, first in lies:
        with pytest.raises(LyingNodeError):
            prove_history(lie, KEY, first, scene.certified)
