"""The root of every error Moyai raises on purpose: what is wrong, with which object, what to do.

Not here: the codes of one topic; each package has an errors file of its own.
"""

from typing import ClassVar

from typing_extensions import override


class MoyaiError(Exception):
    """Something is wrong that a caller can act on.

    `code` is stable and documented, `reason` says what is wrong, `what` names the object, `next`
    says what to do. None of them ever holds a secret or a path of the host.
    """

    code: ClassVar[str] = "error"

    def __init__(self, reason: str, *, what: str = "", next: str = "") -> None:  # noqa: A002 - the documented field name
        super().__init__(reason)
        self.reason = reason
        self.what = what
        self.next = next

    @override
    def __str__(self) -> str:
        parts = [f"{self.what}: {self.reason}" if self.what else self.reason]
        if self.next:
            parts.append(self.next)
        return "; ".join(parts)


class CodecError(MoyaiError):
    """Bytes that are not the one canonical form of the type they claim to be."""

    code = "bad_encoding"


class IdentifierError(MoyaiError):
    """Text that does not name an account, a digest or a key."""

    code = "bad_identifier"


class PublicKeyError(MoyaiError):
    """A key that no signature may be checked with."""

    code = "bad_key"


class SignatureLibraryError(MoyaiError):
    """The library that judges signatures judges otherwise than that of other nodes."""

    code = "bad_signature_library"


class TransactionError(MoyaiError):
    """A transaction that breaks a rule which needs no state to see."""

    code = "bad_transaction"


class SignatureError(TransactionError):
    """A signature that does not verify under the key it names."""

    code = "bad_signature"


class CertificateError(MoyaiError):
    """A certificate that proves nothing: wrong shape, too few signers or one bad signature."""

    code = "bad_certificate"


class ProofError(MoyaiError):
    """A Merkle proof that does not lead to the root it was given for."""

    code = "bad_proof"


class GenesisError(MoyaiError):
    """A genesis document that cannot start a chain."""

    code = "bad_genesis"


class PrunedError(MoyaiError):
    """It was final before the first block that this node still has, or ever had."""

    code = "pruned"
