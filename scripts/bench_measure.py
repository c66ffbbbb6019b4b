"""What the load test reads from the operating system about the processes it loads."""

import multiprocessing
import os
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

from moyai.primitives.keys import SigningKey, signature_is_valid

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
SIGNATURE_SECONDS = 1.0
SIGNATURES_A_TURN = 200


STAGE_METRIC = "moyai_stage_seconds_total"


class Usage(NamedTuple):
    """What one process has used since it started."""

    cpu_seconds: float
    written_bytes: int
    peak_rss_bytes: int


def usage(pid: int) -> Usage:
    """Read the processor time, the bytes sent to storage and the peak memory of a process."""
    # The second field is the program's name in brackets and may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    written = _field(Path(f"/proc/{pid}/io"), "write_bytes")
    peak = _field(Path(f"/proc/{pid}/status"), "VmHWM") * 1024
    return Usage(ticks * TICK_SECONDS, written, peak)


def stage_seconds(metrics_port: int) -> dict[str, float]:
    """Read what a node says of its own processor time, by stage."""
    url = f"http://127.0.0.1:{metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    named = (line.split('"') for line in lines if line.startswith(STAGE_METRIC))
    return {stage: float(seconds.strip("} ")) for _, stage, seconds in named}


def _field(path: Path, name: str) -> int:
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(f"{path} has no {name}")


def signature_bound_tps(validators: int, message_bytes: int) -> float:
    """Measure what signature checks alone allow: every validator checks every transaction.

    All cores of this machine check signatures for a second; the sum is shared by the validators.
    """
    cores = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        pool.map(_checks_a_second, [message_bytes] * cores)  # every core is awake before it counts
        rates = pool.map(_checks_a_second, [message_bytes] * cores, chunksize=1)
    return sum(rates) / validators


def _checks_a_second(message_bytes: int) -> float:
    key = SigningKey(bytes(32))
    message = bytes(message_bytes)
    signature = key.sign(message)
    began = time.perf_counter()
    checks = 0
    while (elapsed := time.perf_counter() - began) < SIGNATURE_SECONDS:
        for _ in range(SIGNATURES_A_TURN):
            assert signature_is_valid(key.public, message, signature)
        checks += SIGNATURES_A_TURN
    return checks / elapsed
