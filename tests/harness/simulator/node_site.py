"""The network that level 2 simulates: its genesis, its members' keys, and fresh stores for them.

Stores are made once a process and copied for each history, since making them costs more than most
histories. Not here: nodes (`node_process`).
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from moyai.ledger.genesis import genesis_state
from moyai.node.identity import OwnIdentity
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Genesis, Member, Role, genesis_digest
from moyai.primitives.ids import ZERO_DIGEST, AccountId, Digest, NetworkKey, TimeMs
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations import Operation
from moyai.primitives.parameters import Parameters
from moyai.primitives.transaction import (
    Body,
    Scheme,
    Signer,
    assemble,
    body_id,
    signing_message,
)
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal
from moyai.storage.tree import StateTree

CHAIN_ID = "simulated"
START_MS = 1_790_000_000_000
MAP_BYTES = 32 * 1024 * 1024
VALID_MS = 120_000
STORES = ("journal", "chain")


class Site(msgspec.Struct, frozen=True):
    """One network and the keys of everybody in it."""

    genesis: Genesis
    digest: Digest
    identities: tuple[OwnIdentity, ...]
    officer: SigningKey

    def account(self, member: int) -> AccountId:
        return self.genesis.members[member % len(self.genesis.members)].account

    def transaction(
        self, number: int, account: AccountId, operation: Operation, wall_ms: int
    ) -> bytes:
        """Return a transaction of a member, signed by its officer."""
        body = Body(
            chain_id=CHAIN_ID,
            account=account,
            signers=(Signer(Scheme.ED25519, self.officer.public),),
            operations=(operation,),
            valid_until_ms=TimeMs(wall_ms + VALID_MS),
            nonce=number.to_bytes(8, "big"),
            memo=None,
        )
        message = signing_message(CHAIN_ID, body_id(encode(body)))
        return assemble(body, (self.officer.sign(message),))


@cache
def make_site(count: int, delta_ms: int) -> Site:
    """Return the network of so many members; to be called with the stand-in for signatures."""
    identities = tuple(_identity(place) for place in range(count))
    officer = SigningKey(b"\x77" * 32)
    members = tuple(
        Member(
            name=identity.name,
            validator_key=identity.journal_key,
            network_key=identity.network_key,
            endpoint=f"127.0.0.1:{7000 + place}",
            account=AccountId(bytes([place + 1]) * 20),
            officer_keys=(officer.public,),
            roles=(Role.SPONSOR, Role.REGISTRAR, Role.ISSUER, Role.RECORDS),
        )
        for place, identity in enumerate(identities)
    )
    parameters = Parameters(delta_ms=delta_ms)
    draft = Genesis(CHAIN_ID, TimeMs(START_MS), parameters, members, (), ZERO_DIGEST)
    tree = StateTree(roots_kept=1, height=-1, next_sequence=0)
    tree.apply(dict(genesis_state(draft)), 0)
    genesis = msgspec.structs.replace(draft, state_root=tree.root)
    return Site(genesis, genesis_digest(genesis), identities, officer)


def _identity(place: int) -> OwnIdentity:
    secret = X25519PrivateKey.from_private_bytes(bytes([place + 11]) * 32)
    key = NetworkKey(secret.public_key().public_bytes_raw())
    return OwnIdentity(f"member-{place}", secret, key, SigningKey(bytes([place + 1]) * 32))


@cache
def fresh_stores(count: int, delta_ms: int, place: int, *, lost: bool) -> dict[str, bytes]:
    """Return the data files of a member's stores before its first start, or after `lost` ones."""
    site = make_site(count, delta_ms)
    key = site.identities[place].journal_key
    with TemporaryDirectory(prefix="moyai-site-") as folder:
        journal, chain = (Path(folder) / name for name in STORES)
        create = Journal.create_abstaining if lost else Journal.create
        create(journal, key, site.digest, map_bytes=MAP_BYTES).close()
        ChainStore.create(chain, site.genesis, map_bytes=MAP_BYTES).close()
        return read_stores(Path(folder))


def read_stores(folder: Path) -> dict[str, bytes]:
    """Return the data files of stores that nobody has open."""
    return {name: (folder / name / "data.mdb").read_bytes() for name in STORES}


def write_stores(folder: Path, files: dict[str, bytes]) -> None:
    """Put data files where stores are, which nobody has open."""
    for name, data in files.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "data.mdb").write_bytes(data)
