"""Members of the consortium and chain parameters read from the state.

Not here: the state they start from (`genesis`).
"""

from collections.abc import Iterator

import msgspec

from moyai.ledger.state import ValueReader
from moyai.primitives.parameters import Parameters
from moyai.primitives.state_keys import PARAMETERS, member_key
from moyai.primitives.state_values import MemberEntry

_member = msgspec.msgpack.Decoder(MemberEntry)
_parameters = msgspec.msgpack.Decoder(Parameters)


def read_parameters(reader: ValueReader) -> Parameters:
    """Return the parameters in force."""
    value = reader.value(PARAMETERS)
    assert value is not None, "every chain has parameters from genesis on"
    return _parameters.decode(value)


def read_members(reader: ValueReader) -> Iterator[MemberEntry]:
    """Yield the members in the order of genesis."""
    index = 0
    while (value := reader.value(member_key(index))) is not None:
        yield _member.decode(value)
        index += 1
