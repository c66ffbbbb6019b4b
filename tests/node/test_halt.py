"""A node that halts says why, what to do, and keeps both sides."""

from moyai.node.halt import NodeHalted, first_of
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, Epoch, View
from moyai.primitives.vote import VoteKind
from moyai.storage.errors import MissingStoreError


def test_it_names_the_reason_and_the_next_step_and_keeps_the_certificates() -> None:
    digest = Digest(b"\x01" * 32)
    proof = Certificate(Epoch(0), View(1), VoteKind.FINALIZE, digest, b"\x07", (bytes(64),) * 3)
    halted = NodeHalted("two final blocks at height 7", certificates=(proof,))
    assert halted.code == "halted"
    assert "two final blocks at height 7" in str(halted)
    assert "compare with the other operators" in halted.next
    assert halted.certificates == (proof,)


def test_of_several_faults_the_first_is_told() -> None:
    first, second = NodeHalted("why"), MissingStoreError("then", what="x", next="y")
    inner = BaseExceptionGroup("core", [first])
    assert first_of(BaseExceptionGroup("tasks", [inner, second])) is first
