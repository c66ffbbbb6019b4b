"""Traitors, one file each: the first line of a file names the sin. Here they are listed by name."""

from collections.abc import Callable

from harness.byzantine.equivocator import Equivocator
from harness.byzantine.late_revealer import LateRevealer
from harness.byzantine.nuller import Nuller
from harness.byzantine.selective_sender import SelectiveSender
from harness.byzantine.spammer import Spammer
from harness.byzantine.stale_voter import StaleVoter
from harness.byzantine.withholder import Withholder
from harness.byzantine.wrong_root import WrongRoot
from harness.consensus.world import Behaviour

TRAITORS: dict[str, Callable[[], Behaviour]] = {
    "equivocator": Equivocator,
    "late_revealer": LateRevealer,
    "nuller": Nuller,
    "selective_sender": SelectiveSender,
    "spammer": Spammer,
    "stale_voter": StaleVoter,
    "withholder": Withholder,
    "wrong_root": WrongRoot,
}
