"""Whether this node must keep silent because its journal may lack votes it once signed (R12).

Not here: noticing a foreign signature of the own key (`signatures`).
"""

from moyai.consensus.limits import ABSTAIN_VIEWS
from moyai.consensus.records import AbstainRecord
from moyai.primitives.ids import Epoch, ValidatorIndex, View


class Abstention:
    """Silence until a finalization far enough above all that q others can report of this epoch.

    An epoch that began since the silence excuses nothing: a journal does not know in which epochs
    the key has voted that it forgot.
    """

    def __init__(self, epoch: Epoch, quorum: int) -> None:
        self._epoch = epoch
        self._quorum = quorum
        self._reports: dict[ValidatorIndex, View] = {}
        self._until: View | None = None
        self._vote_above = View(0)
        self.active = False

    def restore(self, record: AbstainRecord) -> None:
        """Take in what the journal says."""
        self.active = record.abstaining
        if record.epoch == self._epoch:
            self._vote_above = record.vote_above_view

    def begin(self) -> AbstainRecord:
        """Fall silent; the record must be durable."""
        self.active = True
        self._reports.clear()
        self._until = None
        return AbstainRecord(self._epoch, abstaining=True, vote_above_view=self._vote_above)

    def allows(self, view: View) -> bool:
        """Return whether a vote of `view` is not forbidden by this."""
        return not self.active and view > self._vote_above

    def report(self, validator: ValidatorIndex, highest: View) -> None:
        """Take in another validator's max(highest certified view, highest voted view - 1)."""
        if not self.active or self._until is not None:
            return
        self._reports[validator] = max(highest, self._reports.get(validator, View(0)))
        if len(self._reports) >= self._quorum:
            self._until = View(max(self._reports.values()) + ABSTAIN_VIEWS)

    def finalized(self, view: View) -> AbstainRecord | None:
        """Leave the state when `view` is far enough; the record must be durable before the next
        vote.
        """
        if not self.active or self._until is None or view < self._until:
            return None
        self.active = False
        self._vote_above = view
        return AbstainRecord(self._epoch, abstaining=False, vote_above_view=view)
