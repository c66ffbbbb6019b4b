"""Everything the SDK raises on purpose: a stable code, what is wrong, about what, what to do next.

Not here: refusals of malformed values, which primitives raise while a transaction is built.
"""

from collections.abc import Sequence
from typing import ClassVar

from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import TransactionId
from moyai.primitives.receipt import Receipt


class ClientError(MoyaiError):
    """Whatever keeps the SDK from giving a checked answer."""

    code: ClassVar[str] = "client_error"


class SettingsError(ClientError):
    """The client was asked for something that cannot be meant: no node, no signer, a wrong URL."""

    code = "bad_settings"


class KeyFileError(ClientError):
    """A key file that cannot be used: unreadable, readable by others, sealed, damaged."""

    code = "bad_key_file"


class NodeUnreachableError(ClientError):
    """A node that does not answer, or not in time, or not in JSON-RPC."""

    code = "unreachable"


class NodeRefusalError(ClientError):
    """An error that a node answered; `name` is its stable code, as docs/rpc.md lists them."""

    code = "node_refusal"

    def __init__(
        self, name: str, texts: tuple[str, str, str], *, retry_after_ms: int | None = None
    ) -> None:
        reason, what, advice = texts
        super().__init__(reason, what=what, next=advice)
        self.name = name
        self.retry_after_ms = retry_after_ms


class NodePrunedError(NodeRefusalError):
    """A node that no longer has what was asked for, or never had it; another one may."""

    code = "node_pruned"


class LyingNodeError(ClientError):
    """An answer that contradicts its own proof or the trusted chain; it is never passed on."""

    code = "lying_node"


class StaleNodeError(ClientError):
    """A node that answers from before a block this client has already seen final."""

    code = "stale_node"


class NoNodeAnsweredError(ClientError):
    """No node gave an answer that could be trusted; `failures` says why, node by node."""

    code = "no_node_answered"

    def __init__(self, failures: Sequence[tuple[str, ClientError]]) -> None:
        said = "; ".join(f"{url}: {error}" for url, error in failures)
        super().__init__(
            f"no node gave an answer to trust ({said})",
            what=f"{len(failures)} nodes",
            next="check the addresses and that a quorum of the city is up",
        )
        self.failures = tuple(failures)


class ForkError(ClientError):
    """Two certified blocks that cannot both be final: more than a third of the validators lied.

    `ours` and `theirs` are the canonical bytes (header, certificate) of the two sides; keep them.
    """

    code = "fork"

    def __init__(
        self,
        what: str,
        ours: tuple[bytes, bytes | None],
        theirs: tuple[bytes, bytes | None],
    ) -> None:
        super().__init__(
            "two histories are certified, and at most one can be true",
            what=what,
            next="stop relying on this city, keep both sides and show them to its members",
        )
        self.ours = ours
        self.theirs = theirs


class HeadFileError(ClientError):
    """A file of the trusted head that cannot be used: of another city, damaged, not writable."""

    code = "bad_head_file"


class TransactionRefusedError(ClientError):
    """The transaction is final and was refused: it changed nothing. `receipt` is proven.

    `rule` is the name of the rule that refused it.
    """

    code = "transaction_refused"

    def __init__(self, receipt: Receipt, rule: str, texts: tuple[str, str]) -> None:
        reason, advice = texts
        subject = f", {receipt.subject}" if receipt.subject else ""
        what = f"transaction {receipt.transaction.hex()}, operation {receipt.operation}{subject}"
        super().__init__(reason, what=what, next=advice)
        self.receipt = receipt
        self.rule = rule


class TransactionExpiredError(ClientError):
    """Its time ran out and no node knows of a block that took it: it will have no effect."""

    code = "transaction_expired"

    def __init__(self, transaction: TransactionId) -> None:
        super().__init__(
            "was in no block when its time ran out",
            what=f"transaction {transaction.hex()}",
            next="build and sign a new one",
        )
        self.transaction = transaction


class OutcomeUnknownError(ClientError):
    """The client stopped waiting; the transaction may still become final, and once at most."""

    code = "outcome_unknown"

    def __init__(self, transaction: TransactionId, cause: str) -> None:
        super().__init__(
            f"its outcome is not known yet ({cause})",
            what=f"transaction {transaction.hex()}",
            next="ask for its receipt later, or send the same bytes again",
        )
        self.transaction = transaction
