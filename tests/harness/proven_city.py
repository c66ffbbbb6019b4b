"""A city in one process: real ledger, real store, four validator keys that sign real certificates.

Blocks are made one after the other by hand; there is no consensus, network or clock in it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from moyai.client.builder import Terms, draft_transaction
from moyai.client.signers import KeySigner
from moyai.ledger.apply import BlockContext, apply_block
from moyai.ledger.genesis import genesis_state
from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.certificate import Certificate, make_certificate
from moyai.primitives.genesis import Genesis, Member, Role, genesis_block_digest, genesis_header
from moyai.primitives.hashing import Tag, tagged
from moyai.primitives.ids import (
    AccountId,
    Digest,
    Epoch,
    Height,
    NetworkKey,
    TimeMs,
    ValidatorIndex,
    View,
)
from moyai.primitives.keys import SigningKey
from moyai.primitives.merkle import EMPTY_ROOT, Frontier, merkle_root
from moyai.primitives.operations import Operation
from moyai.primitives.parameters import Parameters
from moyai.primitives.transaction import (
    CheckedTransaction,
    Scheme,
    Signer,
    parse_transaction,
    verify_signatures,
)
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote, VoteKind, vote_message
from moyai.storage.blocks import FinalBlock
from moyai.storage.chain import ChainStore
from moyai.storage.snapshot import ChainSnapshot
from moyai.storage.tree import StateTree

T = TypeVar("T")

CHAIN_ID = "test-city"
START_MS = 1_767_225_600_000  # 2026-01-01
BLOCK_MS = 1_000
MAP_BYTES = 64 * 1024**2
NAMES = ("city-hall", "utility", "hospital", "chamber")
ALL_ROLES = (Role.SPONSOR, Role.REGISTRAR, Role.ISSUER, Role.RECORDS)


def seed(text: str) -> bytes:
    return tagged(Tag.LEADER, text.encode())


VALIDATORS = sorted(
    (SigningKey(seed(f"{name} validator")) for name in NAMES), key=lambda k: k.public
)
OFFICER_KEYS = {name: SigningKey(seed(f"{name} officer")) for name in NAMES}
OFFICERS = {name: KeySigner(key) for name, key in OFFICER_KEYS.items()}
ACCOUNTS = {name: AccountId(seed(f"{name} account")[:20]) for name in NAMES}


def make_genesis(chain_id: str = CHAIN_ID) -> Genesis:
    """Return a genesis document with the root of the state that it leads to."""
    genesis = Genesis(
        chain_id=chain_id,
        time_ms=TimeMs(START_MS),
        parameters=Parameters(),
        members=tuple(
            Member(
                name=name,
                validator_key=SigningKey(seed(f"{name} validator")).public,
                network_key=NetworkKey(seed(f"{name} network")),
                endpoint="127.0.0.1:1",
                account=ACCOUNTS[name],
                officer_keys=(SigningKey(seed(f"{name} officer")).public,),
                roles=ALL_ROLES,
            )
            for name in NAMES
        ),
        full_nodes=(),
        state_root=Digest(bytes(32)),
    )
    tree = StateTree(roots_kept=1, height=-1, next_sequence=1)
    tree.apply(dict(genesis_state(genesis)), 0)
    return msgspec.structs.replace(genesis, state_root=tree.root)


def certify(
    header: Header, *, keys: Sequence[SigningKey] = VALIDATORS, kind: VoteKind = VoteKind.FINALIZE
) -> Certificate:
    """Return a certificate of `header` by the first three of `keys`, real signatures."""
    digest = header_digest(header)
    message = vote_message(header.chain_id, header.epoch, header.view, kind, digest)
    votes = [
        Vote(
            header.epoch,
            header.view,
            kind,
            digest,
            ValidatorIndex(index),
            key.sign(message),
        )
        for index, key in enumerate(keys[:3])
    ]
    return make_certificate(votes, make_genesis().validators())


class ProvenCity:
    """A chain that grows by `commit`."""

    def __init__(self, path: Path, genesis: Genesis | None = None) -> None:
        self.genesis = genesis or make_genesis()
        self.store = ChainStore.create(path, self.genesis, map_bytes=MAP_BYTES)
        self.headers = [genesis_header(self.genesis)]
        self._executed = Executed(Height(0), self.genesis.state_root, EMPTY_ROOT)
        self._log = Frontier().append(genesis_block_digest(self.genesis))
        self._nonce = 0

    @property
    def tip(self) -> Header:
        return self.headers[-1]

    @property
    def now_ms(self) -> int:
        return self.tip.time_ms + 1

    def sign(
        self, *operations: Operation, by: str = "city-hall", key: SigningKey | None = None
    ) -> bytes:
        """Return a transaction of a member, signed by its officer or by another key."""
        self._nonce += 1
        key = key or OFFICER_KEYS[by]
        terms = Terms(
            chain_id=self.genesis.chain_id,
            valid_until_ms=self.now_ms + 60_000,
            nonce=self._nonce.to_bytes(8, "big"),
        )
        name = Signer(Scheme.ED25519, key.public)
        draft = draft_transaction(operations, account=ACCOUNTS[by], signers=[name], terms=terms)
        return draft.assemble({key.public: key.sign(draft.message)})

    def commit(self, *raws: bytes, time_ms: int | None = None) -> Header:
        """Make one block of these transactions final."""
        transactions = [verify_signatures(parse_transaction(raw)) for raw in raws]
        header = self._header(transactions, time_ms)
        context = BlockContext(header.height, header.time_ms, header.epoch, header.epoch_end)
        outcome = apply_block(self.store.states, context, transactions)
        digest = header_digest(header)
        self._executed = self.store.append(
            FinalBlock(
                header=header,
                digest=digest,
                certificate=certify(header),
                transactions=tuple(transactions),
                outcome=outcome,
            )
        )
        batch = self.store.take_pending()
        assert batch is not None
        self.store.write(batch)
        self._log = self._log.append(digest)
        self.headers.append(header)
        return header

    def commit_and_attest(self, *raws: bytes) -> Header:
        """Make a block, and the empty one after it that carries its roots; return the first."""
        header = self.commit(*raws)
        self.commit()
        return header

    def snapshot_of(self, read: Callable[[ChainSnapshot], T]) -> T:
        """Return what `read` finds in one snapshot."""
        with self.store.snapshot() as snapshot:
            return read(snapshot)

    def close(self) -> None:
        self.store.close()

    def _header(self, transactions: Sequence[CheckedTransaction], time_ms: int | None) -> Header:
        parent = self.tip
        return Header(
            chain_id=self.genesis.chain_id,
            epoch=Epoch(0),
            view=View(parent.view + 1),
            height=Height(parent.height + 1),
            parent=header_digest(parent),
            parent_view=parent.view,
            time_ms=TimeMs(parent.time_ms + BLOCK_MS if time_ms is None else time_ms),
            proposer=ValidatorIndex(0),
            tx_root=merkle_root([one.id for one in transactions]),
            tx_count=len(transactions),
            tx_bytes=sum(len(one.body_bytes) for one in transactions),
            executed=self._executed,
            epoch_end=None,
            filler_of=None,
            log_root=self._log.root,
        )


NEXT_VALIDATORS = sorted((SigningKey(seed(f"next {n}")) for n in range(4)), key=lambda k: k.public)
NEXT_SET = ValidatorSet(Epoch(1), tuple(key.public for key in NEXT_VALIDATORS))


def header_after(parents: Sequence[Header], **changes: object) -> Header:
    """Return the empty header after `parents`, which begin with genesis."""
    log = Frontier()
    for parent in parents:
        log = log.append(header_digest(parent))
    last = parents[-1]
    following = msgspec.structs.replace(
        last,
        height=Height(last.height + 1),
        view=View(last.view + 1),
        parent=header_digest(last),
        time_ms=TimeMs(last.time_ms + 1),
        log_root=log.root,
    )
    return msgspec.structs.replace(following, **changes)


def epoch_end_headers(first: Header, *, fillers: int) -> list[Header]:
    """Return `first`, which then announces `NEXT_SET`, and the fillers after it."""
    headers = [msgspec.structs.replace(first, epoch_end=NEXT_SET.digest)]
    for _ in range(fillers):
        parent = headers[-1]
        headers.append(
            msgspec.structs.replace(
                parent,
                parent=header_digest(parent),
                view=View(parent.view + 1),
                epoch_end=None,
                filler_of=header_digest(headers[0]),
            )
        )
    return headers
