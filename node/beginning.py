"""What comes before a node can run: a state to take over where there is no chain, and its gap.

Not here: how a state is proven (`p2p.snapshot_sync`), and the running node (`assembly`).
"""

from collections.abc import Callable
from pathlib import Path

import structlog

from moyai.ledger.genesis import genesis_state
from moyai.ledger.membership import read_registry, read_validators
from moyai.ledger.state import ValueReader, Values
from moyai.node.bootstrap import Bootstrap, ClosingGap, Ending, Phase, TakingOver
from moyai.node.clock import SystemClock
from moyai.node.config import NodeConfig
from moyai.node.errors import FolderError
from moyai.node.gap import Gap, Goal, forget_goal, note_goal, read_goal
from moyai.node.halt import first_of
from moyai.node.horizon import BelowHorizonError
from moyai.node.identity import OwnIdentity, directory_of, hub_config
from moyai.node.state_place import adopt, forget_height, import_place, note_height, read_height
from moyai.node.take_over import TakeOver
from moyai.node.tip import epoch_after
from moyai.p2p.hub import Hub
from moyai.p2p.peers import Directory
from moyai.p2p.ports import HubConfig
from moyai.p2p.snapshot_search import SearchPlan
from moyai.primitives.genesis import Genesis, genesis_header
from moyai.primitives.ids import Height
from moyai.primitives.state_snapshot import SnapshotDescription
from moyai.storage.chain import ChainStore
from moyai.storage.environment import DATA_FILE
from moyai.storage.snapshot_import import SnapshotImport


class Beginning:
    """Brings the data folder of one node to where consensus can start."""

    def __init__(
        self,
        config: NodeConfig,
        genesis: Genesis,
        identity: OwnIdentity,
        clock: SystemClock | None = None,
    ) -> None:
        self._config = config
        self._genesis = genesis
        self._identity = identity
        self._clock = clock or SystemClock()
        self._folder = Path(config.data_dir)
        self._is_left_behind = False
        self._log = structlog.get_logger()

    @property
    def may_take_over(self) -> bool:
        """Return whether the operator lets a state take the place of blocks."""
        return self._config.sync_from == "snapshot"

    def left_behind(self) -> None:
        """The blocks that the chain store needs next are gone everywhere."""
        self._is_left_behind = True

    async def prepare(self) -> bool:
        """Take over a state where that is wanted and needed; return false when told to stop."""
        adopt(self._folder, self._config.chain_path)
        while True:
            if self._wants_state():
                ending = await self._take_over()
                if ending is not Ending.DONE:
                    return ending is Ending.NOTHING_OFFERED
                self._is_left_behind = False
            try:
                return await self._close_gap()
            except BelowHorizonError:
                if not self.may_take_over:
                    raise
                self._is_left_behind = True

    def _wants_state(self) -> bool:
        if not self.may_take_over:
            return False
        return self._is_left_behind or self._own_chain()[0] == 0

    def _own_chain(self) -> tuple[Height, Directory]:
        """Return the height that is here, and whom to link to as it has it."""
        if not (self._config.chain_path / DATA_FILE).exists():
            state: ValueReader = _GenesisValues(self._genesis)
            tip = genesis_header(self._genesis)
            return Height(0), directory_of(state, tip, self._config.p2p)
        chain = self._open_chain()
        try:
            return chain.height, self._directory(chain)
        finally:
            chain.close()

    async def _take_over(self) -> Ending:
        height, directory = self._own_chain()
        self._log.info("taking_over_state", above=height)
        own = self._identity.network_key
        contacts = directory.contacts.values()
        others = tuple(one.key for one in contacts if one.validator is not None and one.key != own)
        wanted = read_height(self._folder)
        plan = SearchPlan(validators=others, above=height, wanted=wanted)
        runs: list[TakeOver] = []

        def begin(hub: Hub, now_ms: int) -> TakingOver:
            run = TakeOver(
                self._genesis, plan, open_import=self._open_import, transport=hub, now_ms=now_ms
            )
            runs.append(run)
            return TakingOver(run, or_genesis=height == 0)

        try:
            ending = await self._run(directory, begin)
            if ending is Ending.DONE:
                self._complete(runs[0])
        finally:
            for run in runs:
                run.close()
        return ending

    def _open_import(self, description: SnapshotDescription) -> SnapshotImport:
        note_height(self._folder, description.header.height)
        map_bytes = self._config.storage.chain_map_bytes
        place = import_place(self._folder)
        return SnapshotImport.open(place, self._genesis, description, map_bytes)

    def _complete(self, run: TakeOver) -> None:
        """Make what was taken over the chain store; the goal is noted before that."""
        taken, state = run.taken, run.state_import
        assert taken is not None
        assert isinstance(state, SnapshotImport)
        run.state_import = None
        note_goal(self._folder, Goal(taken.offer.offer.certificate, taken.offer.offer.headers))
        state.finish(taken.epoch_ends, taken.recent)
        adopt(self._folder, self._config.chain_path)
        forget_height(self._folder)
        self._log.info("state_taken_over", height=taken.offer.height)

    async def _close_gap(self) -> bool:
        """Catch up to what certified the state; return false when told to stop."""
        if not (self._config.chain_path / DATA_FILE).exists():
            return True
        goal = read_goal(self._folder)
        chain = self._open_chain()
        try:
            if goal is None:
                self._check_whole(chain)
                return True
            if chain.height < goal.target.header.height and not await self._catch_up(chain, goal):
                return False
        finally:
            chain.close()
        forget_goal(self._folder)
        return True

    async def _catch_up(self, chain: ChainStore, goal: Goal) -> bool:
        state = Values(chain.states)
        validators = read_validators(state, epoch_after(chain.tip_header))
        wire = {member.validator_key: member.network_key for member in read_registry(state)}
        keys = tuple(wire[key] for key in validators.keys)
        ending = await self._run(
            self._directory(chain),
            lambda hub, now_ms: ClosingGap(Gap(chain, goal, hub, keys), now_ms),
        )
        return ending is Ending.DONE

    def _check_whole(self, chain: ChainStore) -> None:
        if chain.tip_header.executed.height < chain.base - 1:
            raise FolderError(
                "what its state has to catch up to is not known any more",
                what="chain store",
                next="remove the folder `chain` in the data folder and start again",
            )

    async def _run(self, directory: Directory, begin: Callable[[Hub, int], Phase]) -> Ending:
        try:
            return await Bootstrap(self._hub_config(), directory, self._clock).run(begin)
        except BaseExceptionGroup as group:
            raise first_of(group) from group

    def _open_chain(self) -> ChainStore:
        map_bytes = self._config.storage.chain_map_bytes
        return ChainStore.open(self._config.chain_path, self._genesis, map_bytes=map_bytes)

    def _directory(self, chain: ChainStore) -> Directory:
        return directory_of(Values(chain.states), chain.tip_header, self._config.p2p)

    def _hub_config(self) -> HubConfig:
        return hub_config(self._config, self._genesis, self._identity, self._clock)


class _GenesisValues:
    """The state that the genesis document leads to."""

    def __init__(self, genesis: Genesis) -> None:
        self._values = genesis_state(genesis)

    def value(self, key: bytes) -> bytes | None:
        """Return what a key holds."""
        return self._values.get(key)
