"""`moyai doctor`: looks at one node's surroundings and says what is wrong before it hurts.

Checks files, modes, keys, genesis, clock, disk, ports, peers, versions and, when the node runs,
its quorum. Reads only; nothing is changed.
"""

import errno
import os
import resource
import shutil
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import msgspec

from moyai.node.config import NodeConfig, address_parts
from moyai.node.founding import genesis_root
from moyai.node.genesis_file import check_state_root, read_genesis
from moyai.node.key_file import KeyKind, read_key_file
from moyai.node.processes import read_health
from moyai.node.reachability import why_unreachable
from moyai.primitives.errors import MoyaiError
from moyai.primitives.genesis import Genesis

FREE_BYTES_MIN = 1024**3
CLOCK_SKEW_MS_MAX = 500
OPEN_FILES_MIN = 1024


class Verdict(StrEnum):
    """What a check came to."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True):
    """One check: what was looked at, how it stands, and what to do when it is not good."""

    check: str
    verdict: Verdict
    found: str
    next: str = ""


def examine(config: NodeConfig) -> Iterator[Finding]:
    """Yield one finding after the other; a check that fails never ends the others."""
    for check in (_versions, _key_files, _data_folder, _disk, _open_files, _clock):
        yield from _guarded(check, config)
    url = f"http://{config.rpc.listen}"
    health = read_health(url)
    if health.status:
        verdict = Verdict.GOOD if health.ready else Verdict.BAD
        yield Finding(
            "node", verdict, health.summary, "" if health.ready else "start the missing ones"
        )
    else:
        yield Finding("node", Verdict.WARNING, "does not run", "start it with `moyai run`")
        yield from _guarded(_ports, config)
    yield from _guarded(_genesis, config)


def _guarded(
    check: Callable[[NodeConfig], Iterator[Finding]], config: NodeConfig
) -> Iterator[Finding]:
    name = check.__name__.strip("_").replace("_", " ")
    try:
        yield from check(config)
    except MoyaiError as error:
        what = f"{error.what}: " if error.what else ""
        yield Finding(name, Verdict.BAD, f"{what}{error.reason}", error.next)
    except OSError as error:
        yield Finding(name, Verdict.BAD, str(error), "see the operating system's message")


def _versions(_config: NodeConfig) -> Iterator[Finding]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("versions", Verdict.GOOD, f"moyai {version('moyai')}, Python {python}")


def _key_files(config: NodeConfig) -> Iterator[Finding]:
    files = [(config.network_key_file, KeyKind.NETWORK)]
    if config.mode == "validator":
        files.append((config.key_file, KeyKind.VALIDATOR))
    for name, kind in files:
        content = read_key_file(Path(name), kind)
        sealed = "sealed" if content.sealed else "plain"
        yield Finding(
            f"{kind.value} key", Verdict.GOOD, f"{content.public_key[:16]}… ({sealed}, mode 0600)"
        )


def _data_folder(config: NodeConfig) -> Iterator[Finding]:
    folder = Path(config.data_dir)
    if not folder.is_dir():
        yield Finding("data folder", Verdict.BAD, f"{folder} is not there", "run `moyai init`")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding(
            "data folder", Verdict.BAD, f"{folder} cannot be written", "give it to the node's user"
        )
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o022:
        yield Finding(
            "data folder",
            Verdict.WARNING,
            f"others may write to it (mode {mode:04o})",
            f"run: chmod 700 {folder}",
        )
        return
    yield Finding("data folder", Verdict.GOOD, str(folder))


def _disk(config: NodeConfig) -> Iterator[Finding]:
    folder = Path(config.data_dir)
    place = folder if folder.is_dir() else folder.parent
    usage = shutil.disk_usage(place)
    verdict = Verdict.GOOD if usage.free >= FREE_BYTES_MIN else Verdict.BAD
    advice = (
        "" if verdict is Verdict.GOOD else "make room: the node stops cleanly when the disk is full"
    )
    yield Finding(
        "disk",
        verdict,
        f"{usage.free / 1024**3:.1f} GiB free of {usage.total / 1024**3:.1f}",
        advice,
    )


def _open_files(_config: NodeConfig) -> Iterator[Finding]:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    verdict = Verdict.GOOD if limit >= OPEN_FILES_MIN else Verdict.WARNING
    advice = "" if verdict is Verdict.GOOD else f"raise it to at least {OPEN_FILES_MIN} (ulimit -n)"
    yield Finding("open files", verdict, f"limit {limit}", advice)


def _clock(_config: NodeConfig) -> Iterator[Finding]:
    """Ask the kernel whether something keeps the clock in step."""
    synchronised = Path("/run/systemd/timesync/synchronized").exists() or any(
        Path(place).exists() for place in ("/run/chrony", "/var/run/chrony", "/run/ntpd.pid")
    )
    shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if synchronised:
        yield Finding("clock", Verdict.GOOD, f"{shown}, kept in step")
        return
    yield Finding(
        "clock",
        Verdict.WARNING,
        f"{shown}, and no time service was found here",
        f"run chrony or systemd-timesyncd: block times want {CLOCK_SKEW_MS_MAX} ms",
    )


def _ports(config: NodeConfig) -> Iterator[Finding]:
    listens = [("peer port", config.p2p.listen), ("JSON-RPC port", config.rpc.listen)]
    if config.metrics.listen:
        listens.append(("metrics port", config.metrics.listen))
    for name, address in listens:
        yield _port(name, address)


def _port(name: str, address: str) -> Finding:
    host, port = address_parts(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return Finding(
                    name,
                    Verdict.BAD,
                    f"{address} is in use",
                    "stop the other program or choose another port",
                )
            return Finding(
                name,
                Verdict.BAD,
                f"{address}: {error.strerror}",
                "choose an address of this machine",
            )
    return Finding(name, Verdict.GOOD, f"{address} is free")


def _genesis(config: NodeConfig) -> Iterator[Finding]:
    genesis = read_genesis(Path(config.genesis_file))
    check_state_root(genesis, genesis_root)
    yield Finding("genesis", Verdict.GOOD, f"{genesis.chain_id}, {len(genesis.members)} members")
    yield from _peers(config, genesis)


def _peers(config: NodeConfig, genesis: Genesis) -> Iterator[Finding]:
    own = read_key_file(Path(config.network_key_file), KeyKind.NETWORK).public_key
    for member in genesis.members:
        if member.network_key.hex() == own:
            continue
        address = config.p2p.peers.get(member.name, member.endpoint)
        reason = why_unreachable(address)
        if not reason:
            yield Finding(f"peer {member.name}", Verdict.GOOD, f"{address} answers")
            continue
        advice = "ask its operator, or check firewalls; `p2p.peers` overrides an old address"
        yield Finding(f"peer {member.name}", Verdict.WARNING, f"{address}: {reason}", advice)
