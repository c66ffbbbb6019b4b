"""The job of the demonstration: what a city does on its first day, through the SDK alone.

Everything that is told as done was final, and proven to this client by certificates and Merkle
paths. Not here: the processes (`demo`), the telling (`demo_report`).
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from moyai.client import Client, KeySigner, Opening, load_key_file, opening_of_file
from moyai.client.errors import TransactionRefusedError
from moyai.client.proofs import FinalReceipt
from moyai.client.signers import TransactionSigner
from moyai.node.errors import DemoError
from moyai.node.key_file import new_secret
from moyai.node.testnet import City, CityNode
from moyai.primitives.ids import AccountId, TimeMs
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations import Operation
from moyai.primitives.operations_accounts import (
    AccountKind,
    Controller,
    ControllerRole,
    OpenAccount,
    Thresholds,
)
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.operations_identity import BindIdentity, Level
from moyai.primitives.operations_tokens import (
    CreateTokenClass,
    MintToken,
    TokenPolicy,
    TransferToken,
)
from moyai.primitives.transaction import Scheme, opened_account

RESIDENTS = 60
GUESTS = 4
OPERATIONS_EACH = 20
COIN = "coin"
COINS_EACH = 500
YEAR_MS = 365 * 86_400_000
AT_ONCE = 32
SEED = 2026

T = TypeVar("T")
Say = Callable[[str], None]


class Party(msgspec.Struct, frozen=True):
    """An account and those who sign for it."""

    account: AccountId
    signers: tuple[TransactionSigner, ...]


class Registered(msgspec.Struct, frozen=True):
    """A file on the ledger: its series, and the opening that its owner keeps."""

    path: Path
    series: str
    opening: Opening


class DemoJob:
    """The first day, step by step; counts and times every transaction."""

    def __init__(self, client: Client, city: City, say: Say) -> None:
        self._client = client
        self._say = say
        self._chance = random.Random(SEED)  # noqa: S311 - who pays whom, nothing secret
        self._city_hall = _member(city.nodes[0])
        self._chamber = _member(city.nodes[3])
        self._residents: list[Party] = []
        self._guests: list[Party] = []
        self.latencies_ms: list[float] = []
        self.transactions = 0
        self.refused = 0

    async def open_accounts(self) -> None:
        """City hall sponsors accounts, several openings a transaction."""
        keys = [SigningKey(new_secret()) for _ in range(RESIDENTS + GUESTS)]
        parties = []
        for group in _groups(keys):
            receipt = await self._submit(
                [_opening(key) for key in group], self._city_hall, officers=1
            )
            parties += [
                Party(opened_account(receipt.transaction, place), (KeySigner(key),))
                for place, key in enumerate(group)
            ]
        self._residents, self._guests = parties[:RESIDENTS], parties[RESIDENTS:]
        self._say(f"{len(parties)} accounts opened under the sponsor city hall")

    async def bind_levels(self) -> None:
        """City hall binds e-residents with one officer, residents with two."""
        until = TimeMs(time.time_ns() // 10**6 + YEAR_MS)
        half = RESIDENTS // 2
        for members, level, officers in (
            (self._residents[:half], Level.E_RESIDENT, 1),
            (self._residents[half:], Level.RESIDENT, 2),
        ):
            for group in _groups(members):
                binds = [BindIdentity(one.account, level, until, (), "") for one in group]
                await self._submit(binds, self._city_hall, officers=officers)
        self._say(f"{half} e-residents bound by one officer, {RESIDENTS - half} residents by two")
        alone = BindIdentity(self._guests[0].account, Level.RESIDENT, until, (), "")
        await self._expect_refusal([alone], self._city_hall, "one officer alone binds a resident")

    async def issue_coin(self) -> None:
        """The chamber creates a coin that takes a level to hold, and mints it."""
        policy = TokenPolicy(
            hold_level=Level.E_RESIDENT,
            send_level=Level.E_RESIDENT,
            mint_level=Level.GUEST,
            cap=10_000_000,
            transferable=True,
        )
        created = CreateTokenClass(COIN, "コイン", "Coin", policy, ())
        await self._submit([created], self._chamber, officers=1)
        for group in _groups(self._residents):
            mints = [MintToken(COIN, one.account, COINS_EACH) for one in group]
            await self._submit(mints, self._chamber, officers=1)
        self._say(f"{RESIDENTS * COINS_EACH:,} coins minted by the chamber of commerce")
        to_guest = TransferToken(COIN, self._guests[0].account, 1)
        await self._expect_refusal([to_guest], self._residents[0], "a coin for a guest")

    async def transfer(self, count: int) -> None:
        """Residents pay each other, many at once."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def pay() -> None:
            giver, taker = self._chance.sample(self._residents, 2)
            async with turn:
                await self._submit([TransferToken(COIN, taker.account, 1)], giver)

        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(pay())
        seconds = time.perf_counter() - began
        self._say(f"{count} transfers final and proven in {seconds:.1f} s")

    async def check_supply(self) -> None:
        """Read every balance with its proof: nothing was made or lost by transfers."""
        balances = [await self._client.balance(COIN, one.account) for one in self._residents]
        if sum(balances) != RESIDENTS * COINS_EACH:
            raise DemoError(f"the balances add up to {sum(balances)}", what="the coin")
        self._say(f"{RESIDENTS} balances read with proof, the supply is whole")

    async def register(self, paths: Sequence[Path]) -> list[Registered]:
        """City hall registers the salted digests of real files."""
        files = [
            Registered(path, f"{place + 1:02d} {path.name}"[:128], opening_of_file(path))
            for place, path in enumerate(paths)
        ]
        for group in _groups(files):
            operations = [
                RegisterDocument(one.series, one.opening.digest, one.opening.size_bytes)
                for one in group
            ]
            await self._submit(operations, self._city_hall, officers=1)
        self._say(f"{len(files)} files registered by their salted digests")
        return files

    async def read_back(self, files: Sequence[Registered]) -> None:
        """Read each digest with its proof and compare it with the file on disk."""
        for file in files:
            found = await self._client.document(file.series, 1)
            if found is None or found.digest != file.opening.digest:
                raise DemoError("is not on the ledger as registered", what=file.path.name)
            if not file.opening.opens(file.path):
                raise DemoError("was changed meanwhile", what=file.path.name)
        self._say(f"{len(files)} files read back, each with its proof")

    async def try_altered_copy(self, file: Registered, folder: Path) -> None:
        """Change one byte of a copy: it is not the registered file any more."""
        altered = folder / f"altered-{file.path.name}"
        content = bytearray(file.path.read_bytes() or b" ")
        content[len(content) // 2] ^= 1
        altered.write_bytes(content)
        found = await self._client.document(file.series, 1)
        if found is None or file.opening.opens(altered):
            raise DemoError("an altered copy was taken for the file", what=file.path.name)
        self._say(f"a copy of {file.path.name} with one bit changed is refused")

    async def _submit(
        self, operations: Sequence[Operation], party: Party, *, officers: int | None = None
    ) -> FinalReceipt:
        began = time.perf_counter()
        receipt = await self._client.submit(
            operations, account=party.account, signer=party.signers[:officers]
        )
        self.latencies_ms.append((time.perf_counter() - began) * 1000)
        self.transactions += 1
        return receipt

    async def _expect_refusal(
        self, operations: Sequence[Operation], party: Party, what: str
    ) -> None:
        try:
            await self._submit(operations, party, officers=1)
        except TransactionRefusedError as error:
            self.transactions += 1
            self.refused += 1
            self._say(f"refused by every node, as it must be: {what} ({error.reason})")
        else:
            raise DemoError("was not refused", what=what)


def _member(node: CityNode) -> Party:
    return Party(node.account, tuple(load_key_file(path) for path in node.officer_files))


def _opening(key: SigningKey) -> OpenAccount:
    owner = Controller(Scheme.ED25519, key.public, ControllerRole.OWNER, 1, None)
    return OpenAccount(AccountKind.PERSON, (owner,), Thresholds(1, 1, 1))


def _groups(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[at : at + OPERATIONS_EACH] for at in range(0, len(items), OPERATIONS_EACH)]
