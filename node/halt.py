"""Why a running node stops itself: going on could break what others rely on."""

from moyai.primitives.certificate import Certificate
from moyai.primitives.errors import MoyaiError


class NodeHalted(MoyaiError):
    """Safety is broken or this node disagrees with what is final: it must not go on."""

    code = "halted"

    def __init__(self, reason: str, *, certificates: tuple[Certificate, ...] = ()) -> None:
        super().__init__(
            reason,
            what="node",
            next="keep the data directory and the log, and compare with the other operators",
        )
        self.certificates = certificates


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that ended the node; the others only followed from it."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
