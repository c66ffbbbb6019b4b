"""Every kind of harm, in the order of the table."""

from collections.abc import Callable

from harness.chaos.nemeses.bit_flips import BitFlips
from harness.chaos.nemeses.clocks import ClockDrift, ClockOffset
from harness.chaos.nemeses.disk import FailingSync, FullDisk
from harness.chaos.nemeses.kill import Kill, KillAll, KillFaulty, KillLoop, KillTooMany
from harness.chaos.nemeses.kill_in_commit import KillInCommit
from harness.chaos.nemeses.links import (
    Alone,
    Freeze,
    Halves,
    LostConnections,
    OneWay,
    Ring,
    SlowLinks,
)
from harness.chaos.nemeses.lost_data import LostData, OldBackup
from harness.chaos.nemeses.nemesis import Nemesis
from harness.chaos.nemeses.one_key_twice import Copy, SecondProcess
from harness.chaos.nemeses.pause import Pause
from harness.chaos.nemeses.rolling import RollingRestart, RollingUpgrade

NEMESES: tuple[Callable[[], Nemesis], ...] = (
    Kill,
    KillFaulty,
    KillTooMany,
    KillAll,
    KillLoop,
    KillInCommit,
    Pause,
    Halves,
    Alone,
    Ring,
    OneWay,
    Freeze,
    SlowLinks,
    LostConnections,
    ClockOffset,
    ClockDrift,
    FullDisk,
    FailingSync,
    BitFlips,
    LostData,
    OldBackup,
    SecondProcess,
    Copy,
    RollingRestart,
    RollingUpgrade,
)
