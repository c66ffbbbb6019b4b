"""Loads four real validators on this machine and prints one line of JSON a scenario.

The validators, the load generator and this script share the machine's cores. Not here: the load
itself (`bench_load`) and what the system says about processes (`bench_measure`).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import bench_measure as measure

from moyai.node.cli_output import say
from moyai.node.errors import NodeProcessError
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.key_file import open_secret, read_key_file
from moyai.node.processes import CityProcesses, NodeProcess
from moyai.node.testnet import City, CityPlan, make_city
from moyai.primitives.ids import TimeMs

SIGNED_BYTES = 80  # what the signature of a transaction covers
CHAIN_ID = "bench-1"
# One client on one address stands for the city's thousand accounts.
ENVIRONMENT = {
    "MOYAI_LOG_LEVEL": "warning",
    "MOYAI_RPC_COST_PER_SECOND": "10000000",
    "MOYAI_RPC_COST_BURST": "100000000",
}


def main() -> int:
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="moyai-bench-") as folder:
        for rate in arguments.rate:
            plan = CityPlan(
                Path(folder) / f"city-{rate:g}",
                CHAIN_ID,
                TimeMs(time.time_ns() // 10**6),
                free_ports(arguments.nodes),
            )
            city = make_city(plan, genesis_root, create_journal)
            try:
                print(json.dumps(run_scenario(city, rate, arguments)), flush=True)
            except NodeProcessError as error:
                print(f"bench: {error}", file=sys.stderr)
                return 1
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--rate", type=float, action="append", help="transactions a second; may repeat"
    )
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    arguments = parser.parse_args()
    arguments.rate = arguments.rate or [1500.0]
    return arguments


def run_scenario(city: City, rate: float, arguments: argparse.Namespace) -> dict[str, object]:
    """Run one load against one new city and return the line to print."""
    bound = measure.signature_bound_tps(arguments.nodes, SIGNED_BYTES)
    say(f"signature checks alone would allow {bound:,.0f} transactions a second")
    environment = {**ENVIRONMENT, "MOYAI_LOOP": arguments.loop}
    with CityProcesses(city, environment) as processes:
        processes.start()
        processes.wait_ready()
        say(f"{len(processes.nodes)} validators are ready; opening {arguments.accounts} accounts")
        with start_load(city, rate, arguments) as load:
            assert load.stdin is not None
            assert load.stdout is not None
            ready = read_line(load)
            say(f"offering {rate:g} transactions a second for {arguments.seconds:g} s")
            before = usages(processes)
            load.stdin.write("go\n")
            load.stdin.flush()
            result = read_line(load)
            after = usages(processes)
        check_alive(processes.nodes)
    return line(rate, bound, (before, after), {**ready, **result})


class Used(NamedTuple):
    """What one node has used since it started: by the system's account, and by its own."""

    process: measure.Usage
    stages: dict[str, float]


def usages(processes: CityProcesses) -> list[Used]:
    """Return what each node has used until now."""
    return [
        Used(measure.usage(one.pid), measure.stage_seconds(one.node.ports.metrics))
        for one in processes.nodes
    ]


def start_load(city: City, rate: float, arguments: argparse.Namespace) -> "subprocess.Popen[str]":
    sponsor = city.nodes[0]
    officer = sponsor.officer_files[0]
    command = [
        *(sys.executable, str(Path(__file__).with_name("bench_load.py"))),
        *("--rate", str(rate), "--seconds", str(arguments.seconds)),
        *("--accounts", str(arguments.accounts), "--chain-id", city.genesis.chain_id),
        *("--sponsor-account", sponsor.account.hex()),
    ]
    for node in city.nodes:
        command += ["--url", node.url]
    load = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert load.stdin is not None
    # The key goes through the pipe: arguments of a process can be read by others.
    secret = open_secret(read_key_file(officer), None, what=f"key file {officer}")
    load.stdin.write(secret.hex() + "\n")
    load.stdin.flush()
    return load


def read_line(load: "subprocess.Popen[str]") -> dict[str, float]:
    assert load.stdout is not None
    text = load.stdout.readline()
    if not text:
        raise NodeProcessError("ended early, see above", what="load generator")
    values: dict[str, float] = json.loads(text)
    return values


def check_alive(nodes: tuple[NodeProcess, ...]) -> None:
    for process in nodes:
        if not process.running:
            raise NodeProcessError(
                f"ended under load; its last words:\n{process.log_tail()}", what=process.node.name
            )


def line(
    rate: float,
    bound: float,
    used: tuple[list[Used], list[Used]],
    result: dict[str, float],
) -> dict[str, object]:
    """Return the documented keys, then the others."""
    before, after = ([one.process for one in moment] for moment in used)
    nodes, final = len(after), max(1, int(result["final"]))
    cpu = sum(b.cpu_seconds - a.cpu_seconds for a, b in zip(before, after, strict=True))
    written = sum(b.written_bytes - a.written_bytes for a, b in zip(before, after, strict=True))
    return {
        "scenario": f"transfers-{rate:g}",
        "nodes": nodes,
        "offered_tps": round(rate, 1),
        "final_tps": round(result["final_tps"], 1),
        "p50_ms": rounded(result["p50_ms"]),
        "p95_ms": rounded(result["p95_ms"]),
        "p99_ms": rounded(result["p99_ms"]),
        "cpu_us_per_tx_per_node": round(cpu / nodes / final * 1e6, 1),
        "bytes_per_tx_per_node": round(written / nodes / final, 1),
        "rss_mb": round(max(one.peak_rss_bytes for one in after) / 1e6, 1),
        "blocks_per_s": round(result["blocks_per_s"], 2),
        "signature_bound_tps": round(bound, 1),
        "offered": result["offered"],
        "final": result["final"],
        "refused": result["refused"],
        "errors": result["errors"],
        "max_ms": rounded(result["max_ms"]),
        "elapsed_s": round(result["elapsed_s"], 2),
        "tx_bytes": round(result["tx_bytes"]),
        "request_bytes_per_tx": round(result["request_bytes_per_tx"]),
        "stages_us_per_tx_per_node": stages_us(used, nodes * final),
    }


def stages_us(used: tuple[list[Used], list[Used]], shares: int) -> dict[str, float]:
    """Return the microseconds of each stage, the dearest first; `loop` is all without a name."""
    seconds: Counter[str] = Counter()
    for before, after in zip(*used, strict=True):
        seconds.update(after.stages)
        seconds.subtract(before.stages)
    return {stage: round(spent / shares * 1e6, 1) for stage, spent in seconds.most_common()}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


if __name__ == "__main__":
    sys.exit(main())
