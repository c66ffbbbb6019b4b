"""Scenarios for values read from proven bytes: the forms are those that the ledger writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.client.errors import LyingNodeError
from moyai.client.proofs import ProvenHistory, ProvenValue, ProvenVersion
from moyai.client.values import (
    DocumentVersion,
    read_balance,
    read_document,
    read_record,
    read_records,
)
from moyai.ledger import documents as ledger
from moyai.primitives.codec import encode
from moyai.primitives.ids import Digest, Height, TimeMs

DIGEST = Digest(bytes(32))


def proven(value: bytes | None) -> ProvenValue:
    return ProvenValue(b"k", value, 1, Height(1), Height(2))


def test_a_document_version_is_that_of_the_ledger() -> None:
    written = ledger.DocumentVersion(DIGEST, 7, TimeMs(10), TimeMs(20), None)
    read = read_document(proven(encode(written)))
    assert read == DocumentVersion(DIGEST, 7, TimeMs(10), TimeMs(20), None)
    assert DocumentVersion.__struct_fields__ == ledger.DocumentVersion.__struct_fields__
    assert read_document(proven(None)) is None


@given(st.integers(0, 40), st.none() | st.integers(11, 30), st.none() | st.integers(11, 30))
def test_in_force_from_registration_to_the_first_end(
    time: int, replaced: int | None, revoked: int | None
) -> None:
    ends = [None if end is None else TimeMs(end) for end in (replaced, revoked)]
    version = DocumentVersion(DIGEST, 7, TimeMs(10), *ends)
    end = min([replaced or 99, revoked or 99])
    assert version.was_in_force(time) == (10 <= time < end)
    assert version.is_in_force == (replaced is None and revoked is None)


def test_balances_and_records() -> None:
    assert read_balance(proven((7).to_bytes(8, "big"))) == 7
    assert read_balance(proven(None)) == 0
    assert read_record(proven(b'{"a":1}')).value == {"a": 1}
    versions = (ProvenVersion(1, Height(1), b"{}"), ProvenVersion(2, Height(2), None))
    assert [one.value for one in read_records(ProvenHistory(b"k", versions, Height(3)))] == [
        {},
        None,
    ]


def test_forms_of_a_later_version_are_told() -> None:
    for read in (read_balance, read_record, read_document):
        with pytest.raises(LyingNodeError, match="install"):
            read(proven(b"\xc4\xc0\xff"))
