"""Traitors, one file each: the first line of a file names the sin. Here they are listed by name."""

from collections.abc import Callable

from harness.byzantine.conflicter import Conflicter
from harness.byzantine.equivocator import Equivocator
from harness.byzantine.impersonator import Impersonator
from harness.byzantine.late_revealer import LateRevealer
from harness.byzantine.mutator import Mutator
from harness.byzantine.nuller import Nuller
from harness.byzantine.selective_sender import SelectiveSender
from harness.byzantine.spammer import Spammer
from harness.byzantine.stale_voter import StaleVoter
from harness.byzantine.sync_liar import SyncLiar
from harness.byzantine.withholder import Withholder
from harness.byzantine.wrong_root import WrongRoot
from harness.consensus.world import Behaviour

TRAITORS: dict[str, Callable[[], Behaviour]] = {
    "conflicter": Conflicter,
    "equivocator": Equivocator,
    "impersonator": Impersonator,
    "late_revealer": LateRevealer,
    "mutator": Mutator,
    "nuller": Nuller,
    "selective_sender": SelectiveSender,
    "spammer": Spammer,
    "stale_voter": StaleVoter,
    "sync_liar": SyncLiar,
    "withholder": Withholder,
    "wrong_root": WrongRoot,
}
