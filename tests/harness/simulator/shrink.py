"""Makes a failing history smaller while it still fails in the same way.

Greedy: whatever can be left out is left out, the boldest first, until nothing can. Not here: what
can be left out of a plan (`smaller_plans`, by level).
"""

import time
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from harness.simulator.level import Level, Violation
from harness.simulator.plan import Plan, Submit, Weather

P = TypeVar("P")


def failure(level: Level[P], plan: P) -> Violation | None:
    """Live a plan and return what did not hold; none when everything did."""
    try:
        level.history(plan).run()
    except Violation as violation:
        return violation
    return None


def shrink(level: Level[P], plan: P, kind: str, *, seconds_max: float) -> P:
    """Return the smallest plan found in that time that still fails in that way."""
    end = time.monotonic() + seconds_max
    smaller: P | None = plan
    while smaller is not None:
        plan, smaller = smaller, _step(level, smaller, kind, end)
    return plan


def _step(level: Level[P], plan: P, kind: str, end: float) -> P | None:
    for candidate in level.smaller(plan):
        if time.monotonic() > end:
            return None
        found = failure(level, candidate)
        if found is not None and found.kind == kind:
            return candidate
    return None


def smaller_plans(plan: Plan) -> Iterator[Plan]:
    """Yield plans with less in them: whole kinds of events, halves, single ones, the network."""
    change = msgspec.structs.replace
    for kind in dict.fromkeys(type(event) for event in plan.events):
        yield change(plan, events=tuple(each for each in plan.events if type(each) is not kind))
    if plan.weather != Weather():
        yield change(plan, weather=Weather())
    if plan.traitor:
        yield change(plan, traitor="", traitor_node=0)
    if plan.left_out:
        yield change(plan, left_out=())
    yield from _fewer_nodes(plan)
    yield from _shorter(plan)
    yield from _fewer_events(plan)
    yield from _calmer(plan)


def _fewer_nodes(plan: Plan) -> Iterator[Plan]:
    if plan.observers:
        yield _without_nodes(plan, observers=0)
    if plan.joining and not any("Change" in repr(event) for event in plan.events):
        yield _without_nodes(plan, joining=0)
    if plan.size > 4:
        yield _without_nodes(plan, size=4)


def _without_nodes(plan: Plan, **fewer: int) -> Plan:
    """Renumber whoever events speak of, so that they speak of somebody there is."""
    small = msgspec.structs.replace(plan, **fewer)
    people = small.size + small.joining + small.observers
    events = []
    for event in plan.events:
        fields = {name: getattr(event, name) for name in event.__struct_fields__}
        if "node" in fields:
            fields["node"] %= people
        if "link" in fields:
            fields["link"] = tuple(end % people for end in fields["link"])
        if "links" in fields:
            fields["links"] = tuple(link for link in fields["links"] if max(link) < people)
        if "people" in fields:
            fields["people"] = tuple(p for p in fields["people"] if p < people)
            if len(fields["people"]) < 4:
                continue
        events.append(type(event)(**fields))
    traitor = plan.traitor_node % small.size
    left_out = tuple(node for node in plan.left_out if node < small.size)
    return msgspec.structs.replace(
        small, events=tuple(events), traitor_node=traitor, left_out=left_out
    )


def _shorter(plan: Plan) -> Iterator[Plan]:
    last_ms = max((event.at_ms for event in plan.events), default=0)
    for chaos_ms in (plan.chaos_ms // 2, last_ms + 500):
        if 100 <= chaos_ms < plan.chaos_ms:
            events = tuple(event for event in plan.events if event.at_ms < chaos_ms)
            yield msgspec.structs.replace(plan, chaos_ms=chaos_ms, events=events)


def _fewer_events(plan: Plan) -> Iterator[Plan]:
    """Leave out half of the events, then a quarter, then one."""
    size = len(plan.events) // 2
    while size:
        for first in range(0, len(plan.events), size):
            events = plan.events[:first] + plan.events[first + size :]
            yield msgspec.structs.replace(plan, events=events)
        size //= 2


def _calmer(plan: Plan) -> Iterator[Plan]:
    good = Weather()
    for name in good.__struct_fields__:
        if getattr(plan.weather, name) != getattr(good, name):
            calmer = msgspec.structs.replace(plan.weather, **{name: getattr(good, name)})
            yield msgspec.structs.replace(plan, weather=calmer)
    for number, event in enumerate(plan.events):
        if isinstance(event, Submit) and event.count > 1:
            one = msgspec.structs.replace(event, count=1)
            events = (*plan.events[:number], one, *plan.events[number + 1 :])
            yield msgspec.structs.replace(plan, events=events)
