"""A library that judges one edge case otherwise stops the node before it opens anything."""

import json
from pathlib import Path

import pytest

from moyai.primitives import signature_edges
from moyai.primitives.errors import SignatureLibraryError
from moyai.primitives.signature_edges import EDGE_CASES, EdgeCase, check_signature_library

VECTORS = Path(__file__).parents[1] / "vectors" / "ed25519_edge_cases.json"


def test_the_library_here_is_the_right_one() -> None:
    check_signature_library()


def test_the_cases_are_the_published_ones() -> None:
    published = json.loads(VECTORS.read_text())["cases"]
    assert [
        EdgeCase(
            case["message"],
            case["pub_key"],
            case["signature"],
            case["libsodium_strict"],
            case["key_is_valid_point"],
        )
        for case in published
    ] == list(EDGE_CASES)


@pytest.mark.parametrize("number", range(len(EDGE_CASES)))
def test_one_case_judged_otherwise_is_enough(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    judged, odd = signature_edges.signature_is_valid, bytes.fromhex(EDGE_CASES[number].signature)

    def lenient(public: bytes, message: bytes, signature: bytes) -> bool:
        return judged(public, message, signature) is not (signature == odd)

    monkeypatch.setattr(signature_edges, "signature_is_valid", lenient)
    with pytest.raises(SignatureLibraryError, match=r"edge case \d+ otherwise"):
        check_signature_library()


def test_a_library_that_registers_bad_points_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature_edges, "check_public_key", lambda key, *, what: key)
    with pytest.raises(SignatureLibraryError, match="edge case"):
        check_signature_library()


def test_a_library_that_refuses_everything_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature_edges, "EDGE_CASES", ())
    monkeypatch.setattr(signature_edges, "signature_is_valid", lambda *_: False)
    with pytest.raises(SignatureLibraryError, match="its own signature"):
        check_signature_library()
