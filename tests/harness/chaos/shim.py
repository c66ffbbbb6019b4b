"""The shim under one node: its clocks and its disk, changed while the shipped program runs.

`shim.c` is compiled once a run; without a C compiler there is none, and the faults that need it are
reported as left out.
"""

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
CONTROL = struct.Struct("=4q")


def compile_shim(folder: Path) -> Path | None:
    """Compile the shim into `folder` and return the library; None without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "shim.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    return library if subprocess.run(command, check=False).returncode == 0 else None


class Shim:
    """What is wrong with the clocks and the disk of one node, shared with it by a mapped file."""

    def __init__(self, library: Path, control: Path) -> None:
        control.write_bytes(bytes(CONTROL.size))
        self.environment = {"LD_PRELOAD": str(library), "CHAOS_CONTROL": str(control)}
        with control.open("r+b") as file:
            self._mapped = mmap.mmap(file.fileno(), CONTROL.size)
        self._wrong = [0, 0, 0, 0]

    def shift_clock(self, *, seconds: float = 0.0, fast_ppm: int = 0) -> None:
        """Set how far off the wall clock is, and by how much all clocks run fast."""
        self._wrong[:2] = [int(seconds * 1e9), fast_ppm]
        self._write()

    def fail_disk(self, *, sync: int = 0, write: int = 0) -> None:
        """Let every sync, or every write at an offset, fail with an error number; 0 ends it."""
        self._wrong[2:] = [sync, write]
        self._write()

    def heal(self) -> None:
        """End everything."""
        self._wrong = [0, 0, 0, 0]
        self._write()

    def _write(self) -> None:
        self._mapped[:] = CONTROL.pack(*self._wrong)
