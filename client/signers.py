"""Who signs: an Ed25519 key, a passkey, or anything of the caller's (a card, a vault, a person).

Not here: what is signed (`builder`), and key files (`key_files`).
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from moyai.primitives.codec import encode
from moyai.primitives.keys import SigningKey
from moyai.primitives.transaction import Scheme, Signer
from moyai.primitives.webauthn import Assertion, challenge_of


class TransactionSigner(Protocol):
    """Anything that signs for one key."""

    @property
    def name(self) -> Signer:
        """Return the scheme and the public key, as transactions list them."""
        ...

    async def sign(self, message: bytes) -> bytes:
        """Return the signature of a transaction's signing message."""
        ...


class KeySigner:
    """Signs with an Ed25519 key in memory."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self.name = Signer(Scheme.ED25519, key.public)

    @staticmethod
    def from_seed(seed: bytes) -> "KeySigner":
        """Return the signer of the key with this 32-byte seed."""
        return KeySigner(SigningKey(seed))

    async def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


AskPasskey = Callable[[bytes], Awaitable[Assertion]]
"""Shows the 32-byte challenge to an authenticator and returns what it answers."""


class PasskeySigner:
    """Signs with a WebAuthn authenticator; its user must be verified by it."""

    def __init__(self, public_key: bytes, ask: AskPasskey) -> None:
        """Take the compressed P-256 point ‖ SHA-256 of the relying party id, 65 bytes in all."""
        self.name = Signer(Scheme.WEBAUTHN_P256, public_key)
        self._ask = ask

    async def sign(self, message: bytes) -> bytes:
        return encode(await self._ask(challenge_of(message)))


class CustomSigner:
    """Signs by a function of the caller's."""

    def __init__(self, name: Signer, sign: Callable[[bytes], Awaitable[bytes]]) -> None:
        self.name = name
        self._sign = sign

    async def sign(self, message: bytes) -> bytes:
        return await self._sign(message)
