"""What is on record against a key is read back as it was written."""

from harness.ledger_city import CITY_HALL, MemoryState, key, signed_vote
from moyai.ledger.misconduct import read_misconduct
from moyai.primitives.codec import encode
from moyai.primitives.ids import Epoch, Height
from moyai.primitives.state_keys import misconduct_key
from moyai.primitives.state_values import Misconduct
from moyai.primitives.vote import VoteKind


def test_evidence_stands_under_the_key_it_convicts() -> None:
    votes = [signed_vote(VoteKind.FINALIZE, bytes([n]) * 32, Epoch(0), 0, 11) for n in (1, 2)]
    entry = Misconduct(votes[0], votes[1], CITY_HALL, Height(7))
    state = MemoryState({misconduct_key(key(11)): encode(entry)})
    assert read_misconduct(state, key(11)) == entry
    assert read_misconduct(state, key(12)) is None
