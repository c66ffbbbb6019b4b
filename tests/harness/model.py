"""The protocol as votes alone, small enough to look at every state: rules R3 to R7 and R9.

Faulty members sign everything there is to sign, so a certificate exists as soon as enough honest
votes do; whoever could have received something is taken to have it, whatever the order. That allows
more than any network does, so what holds here holds there. Views are explored one after another,
which loses nothing: no vote of a view depends on a later one. Honest members are alike, so states
that differ by their names alone are one. Not modelled: time, crashes (R12, R14), bodies, epochs.
"""

from collections import deque
from collections.abc import Iterator

import msgspec

Block = tuple[int, int, "Block"] | tuple[()]
"""View, variant and parent; genesis has none of them."""

GENESIS: Block = ()


class Rules(msgspec.Struct, frozen=True):
    """What may be switched off, to see that the explorer would notice."""

    exclusion: bool = True  # R5: finalize after nullify, and nullify after finalize: never
    notarize_once: bool = True  # R3: one notarize in a view
    skips_proven: bool = True  # R3: every skipped view is nullified
    missing_from_quorum: int = 0


class Ballot(msgspec.Struct, frozen=True, order=True):
    """What one honest member has signed in the view."""

    notarized: tuple[Block, ...] = ()
    nullified: bool = False
    finalized: tuple[Block, ...] = ()


class Certified(msgspec.Struct, frozen=True, order=True):
    """The certificates that exist for one view."""

    notarized: tuple[Block, ...]
    nullified: bool
    finalized: tuple[Block, ...]


class State(msgspec.Struct, frozen=True):
    """The certificates of the views before, and the votes of this one, ballots sorted."""

    past: tuple[Certified, ...]
    ballots: tuple[Ballot, ...]


class Report(msgspec.Struct):
    """How many states there are, what was seen in them, and the first rule found broken."""

    states: int = 0
    marks: dict[str, None] = {}
    violation: str = ""


class Explorer:
    """One city: n members, f of them faulty, and the view that a faulty one leads, if any."""

    def __init__(self, members: int, views: int, *, traitor_leads: int = 0, rules: Rules) -> None:
        faulty = (members - 1) // 3
        self._honest = members - faulty
        self._needed = members - faulty - rules.missing_from_quorum - faulty  # honest votes
        self._views = views
        self._traitor_leads = traitor_leads
        self._rules = rules

    def explore(self, states_max: int = 1_000_000) -> Report:
        """Look at every reachable state, nearest first, until a rule is broken."""
        report = Report(marks={})
        first = State((), (Ballot(),) * self._honest)
        seen, waiting = {first}, deque([first])
        while waiting:
            state = waiting.popleft()
            report.states += 1
            assert report.states <= states_max, "more states than expected"
            now = self._certified(state)
            self._mark(report, now)
            report.violation = self._violation((*state.past, now))
            if report.violation:
                return report
            for following in self._following(state, now):
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
        return report

    def _certified(self, state: State) -> Certified:
        def enough(blocks: list[Block]) -> tuple[Block, ...]:
            return tuple(sorted({b for b in blocks if blocks.count(b) >= self._needed}, key=repr))

        return Certified(
            enough([block for ballot in state.ballots for block in ballot.notarized]),
            sum(ballot.nullified for ballot in state.ballots) >= self._needed,
            enough([block for ballot in state.ballots for block in ballot.finalized]),
        )

    def _following(self, state: State, now: Certified) -> Iterator[State]:
        if len(state.past) + 1 < self._views and (now.notarized or now.nullified):
            yield State((*state.past, now), (Ballot(),) * self._honest)
        blocks = list(self._proposable(state))
        for place, ballot in enumerate(state.ballots):
            if place and ballot == state.ballots[place - 1]:
                continue  # alike
            for vote in self._votes(ballot, blocks, now):
                ballots = (*state.ballots[:place], vote, *state.ballots[place + 1 :])
                yield State(state.past, tuple(sorted(ballots, key=repr)))

    def _votes(self, ballot: Ballot, blocks: list[Block], now: Certified) -> Iterator[Ballot]:
        replace = msgspec.structs.replace
        may_notarize = not ballot.notarized or not self._rules.notarize_once
        if may_notarize and not ballot.nullified and not ballot.finalized:
            for block in blocks:
                if block not in ballot.notarized:
                    yield replace(ballot, notarized=(*ballot.notarized, block))
        exclusion = self._rules.exclusion
        if not ballot.nullified and not (exclusion and ballot.finalized):
            yield replace(ballot, nullified=True)
        if not ballot.finalized and not (exclusion and ballot.nullified):
            for block in now.notarized:
                yield replace(ballot, finalized=(block,))

    def _proposable(self, state: State) -> Iterator[Block]:
        """Yield what the leader may ask votes for: an honest one asks for one block alone."""
        view = len(state.past) + 1
        traitor = view == self._traitor_leads
        asked = {block for ballot in state.ballots for block in ballot.notarized}
        for parent in self._parents(state.past):
            for variant in (0, 1) if traitor else (0,):
                block: Block = (view, variant, parent)
                if traitor or not asked or block in asked:
                    yield block

    def _parents(self, past: tuple[Certified, ...]) -> Iterator[Block]:
        for view in range(len(past), -1, -1):
            if view:
                yield from past[view - 1].notarized
            else:
                yield GENESIS
            if view and self._rules.skips_proven and not past[view - 1].nullified:
                return

    @staticmethod
    def _mark(report: Report, now: Certified) -> None:
        seen = {
            "notarization": bool(now.notarized),
            "nullification": now.nullified,
            "finalization": bool(now.finalized),
            "both certificates": bool(now.notarized) and now.nullified,
        }
        report.marks.update({mark: None for mark, found in seen.items() if found})

    @staticmethod
    def _violation(views: tuple[Certified, ...]) -> str:
        for number, view in enumerate(views, start=1):
            if len(view.notarized) > 1:
                return f"two notarizations of view {number}"
            if view.finalized and view.nullified:
                return f"view {number} is finalized and nullified"
            for final in view.finalized:
                later = [b for after in views[number:] for b in after.notarized + after.finalized]
                if not all(descends(block, final) for block in later):
                    return f"a block certified after view {number} leaves its final block out"
        return ""


def descends(block: Block, ancestor: Block) -> bool:
    """Return whether `ancestor` is on the branch of `block`."""
    while block:
        if block == ancestor:
            return True
        block = block[2]
    return block == ancestor
