"""Scenarios of chain parameters: no value outside its domain decodes."""

import msgspec
import pytest

from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError
from moyai.primitives.parameters import Parameters

codec = Codec(Parameters, name="parameters")


def test_the_defaults_are_in_their_domains() -> None:
    assert codec.decode(encode(Parameters())) == Parameters()


@pytest.mark.parametrize("field", Parameters.__struct_fields__)
def test_zero_is_in_no_domain(field: str) -> None:
    wrong = msgspec.structs.replace(Parameters(), **{field: 0})
    with pytest.raises(CodecError, match="parameters"):
        codec.decode(encode(wrong))
