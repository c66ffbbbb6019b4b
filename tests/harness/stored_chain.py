"""Final blocks made up for tests of storage: real headers in a real chain, outcomes as asked for.

Storage never looks into a transaction, so these carry no operations and no signatures.
"""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import msgspec

from moyai.ledger.apply import BlockOutcome
from moyai.ledger.context import IndexChange
from moyai.ledger.genesis import genesis_state
from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Genesis, Member, Role, genesis_block_digest, genesis_header
from moyai.primitives.ids import (
    ZERO_DIGEST,
    AccountId,
    Digest,
    Epoch,
    Height,
    NetworkKey,
    TransactionId,
    ValidatorIndex,
    View,
)
from moyai.primitives.keys import SigningKey
from moyai.primitives.merkle import EMPTY_ROOT, Frontier, merkle_root
from moyai.primitives.parameters import Parameters
from moyai.primitives.receipt import Event, Receipt
from moyai.primitives.transaction import Body, CheckedTransaction, Envelope, body_id
from moyai.primitives.vote import VoteKind
from moyai.storage.blocks import FinalBlock
from moyai.storage.chain import ChainStore
from moyai.storage.tree import state_root

MAP_BYTES = 64 * 1024**2
KEY = SigningKey(bytes(31) + b"\x01").public
ALICE = AccountId(b"a" * 20)
BOB = AccountId(b"b" * 20)
Changes = dict[bytes, bytes | None]


def small_genesis(chain_id: str = "test-city") -> Genesis:
    member = Member(
        name="city hall",
        validator_key=KEY,
        network_key=NetworkKey(b"\x05" * 32),
        endpoint="127.0.0.1:7000",
        account=AccountId(b"\x07" * 20),
        officer_keys=(SigningKey(bytes(31) + b"\x02").public,),
        roles=(Role.SPONSOR, Role.REGISTRAR),
    )
    draft = Genesis(
        chain_id=chain_id,
        time_ms=1_700_000_000_000,
        parameters=Parameters(),
        members=(member,),
        full_nodes=(),
        state_root=ZERO_DIGEST,
    )
    return msgspec.structs.replace(draft, state_root=state_root(genesis_state(draft)))


def transaction(number: int) -> CheckedTransaction:
    body = Body("test-city", ALICE, (), (), 1, number.to_bytes(8, "big"), None)
    body_bytes = encode(body)
    raw = encode(Envelope(body_bytes, (b"signature",)))
    return CheckedTransaction(body_id(body_bytes), body, body_bytes, (b"signature",), raw)


class ChainBuilder:
    """Makes blocks on top of a store and appends them."""

    def __init__(self, path: Path, genesis: Genesis | None = None) -> None:
        self.path = path
        self.genesis = genesis or small_genesis()
        self.store = ChainStore.create(path, self.genesis, map_bytes=MAP_BYTES)
        self.headers = [genesis_header(self.genesis)]
        self.frontier = Frontier().append(genesis_block_digest(self.genesis))
        self.executed = [Executed(Height(0), self.genesis.state_root, EMPTY_ROOT)]
        self.transactions = 0

    def reopen(self) -> ChainStore:
        self.store.close()
        self.store = ChainStore.open(self.path, self.genesis, map_bytes=MAP_BYTES)
        return self.store

    def block(
        self,
        changes: Changes,
        *,
        count: int = 1,
        indexes: Iterable[IndexChange] = (),
        certified: bool = True,
    ) -> FinalBlock:
        """Return the next block with `count` transactions and these changes."""
        first = self.transactions
        self.transactions += count
        body = tuple(transaction(number) for number in range(first, self.transactions))
        header = self._header(body)
        digest = header_digest(header)
        certificate = Certificate(
            Epoch(0), View(header.view), VoteKind.FINALIZE, digest, b"\x01", (b"\x00" * 64,)
        )
        return FinalBlock(
            header=header,
            digest=digest,
            certificate=certificate if certified else None,
            transactions=body,
            outcome=BlockOutcome(
                receipts=tuple(receipt(one.id, header.height) for one in body),
                changes=changes,
                indexes=tuple(indexes),
                touched=tuple((ALICE, BOB) if place % 2 else (ALICE,) for place in range(count)),
            ),
        )

    def append(self, changes: Changes, **kind: object) -> FinalBlock:
        """Append the next block, in memory."""
        block = self.block(changes, **kind)  # type: ignore[arg-type]
        self.executed.append(self.store.append(block))
        self.headers.append(block.header)
        self.frontier = self.frontier.append(block.digest)
        return block

    def write(self) -> None:
        """Write what is pending."""
        batch = self.store.take_pending()
        if batch is not None:
            self.store.write(batch)

    def add(self, changes: Changes, **kind: object) -> FinalBlock:
        """Append the next block and write it."""
        block = self.append(changes, **kind)
        self.write()
        return block

    def _header(self, body: tuple[CheckedTransaction, ...]) -> Header:
        parent = self.headers[-1]
        return Header(
            chain_id=self.genesis.chain_id,
            epoch=Epoch(0),
            view=View(parent.view + 1),
            height=Height(parent.height + 1),
            parent=header_digest(parent),
            parent_view=parent.view,
            time_ms=parent.time_ms + 1,
            proposer=ValidatorIndex(0),
            tx_root=merkle_root([one.id for one in body]),
            tx_count=len(body),
            tx_bytes=sum(len(one.raw) for one in body),
            executed=self.executed[-1],
            epoch_end=None,
            filler_of=None,
            log_root=self.frontier.root,
        )


def receipt(transaction_id: TransactionId, height: int) -> Receipt:
    event = Event("test.happened", (ALICE,), (("height", height),))
    return Receipt(transaction_id, 0, 0, "", (event,))


def digest_of(number: int) -> Digest:
    return Digest(sha256(b"%d" % number).digest())
