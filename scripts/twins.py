"""Lives cases of twins: all of so many views, or drawn ones for a while; a seed repeats one.

Several processes share all cases by `--shard`, and `--begin` goes on where a run was out of time.

Not here: the cases (`harness.twins`).
"""

import argparse
import sys
import time
from collections.abc import Iterator
from itertools import count, islice

from harness.consensus.invariants import Violation
from harness.twins import Case, count_of, drawn_case, every_case, live


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", type=int, metavar="VIEWS", help="every case of so many views")
    parser.add_argument("--seed", type=int, help="live this one drawn case")
    parser.add_argument("--first", type=int, default=0, help="the first seed to draw from")
    parser.add_argument("--shard", type=part, default=(0, 1), metavar="I/N", help="part of --all")
    parser.add_argument(
        "--begin", type=int, default=0, metavar="CASE", help="leave out so many, in turn"
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to go on")
    options = parser.parse_args()
    if options.all is not None:
        options.begin %= count_of(options.all) // options.shard[1]
    return options


def part(said: str) -> tuple[int, int]:
    """Return the part and the number of parts that "2/4" names, which begin at 1."""
    number, of = (int(each) for each in said.split("/"))
    if not 1 <= number <= of:
        raise argparse.ArgumentTypeError(f"{said} is no part: the first of four is 1/4")
    return number - 1, of


def chosen(options: argparse.Namespace) -> Iterator[Case]:
    if options.seed is not None:
        yield drawn_case(options.seed)
    elif options.all is not None:
        number, of = options.shard
        yield from islice(every_case(options.all), number + options.begin * of, None, of)
    else:
        yield from map(drawn_case, count(options.first))


def main(options: argparse.Namespace) -> int:
    end = time.monotonic() + 60 * options.minutes
    began = time.process_time()
    lived = views = failed = 0
    whole = True
    for case in chosen(options):
        if time.monotonic() > end:
            whole = False
            break
        lived += 1
        try:
            world = live(case)
            views += max(n.machine.status().view for n in world.honest if n.machine is not None)
        except Violation as violation:
            failed += 1
            print(f"{violation}: {case}", flush=True)
    seconds = time.process_time() - began
    extent = ""
    if options.all is not None:
        extent = ", all there are" if whole else f", go on with --begin {options.begin + lived}"
        if whole and options.begin:
            extent = ", up to the last"
    print(
        f"{lived} cases{extent}, {views} views, {failed} violations, {seconds:.0f} s of processor"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(parsed()))
