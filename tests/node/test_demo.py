"""The demonstration as it is run, and what Ctrl-C leaves: nothing."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from moyai.node.demo import run_demo

TOLD_SECONDS_MAX = 60.0


def demo_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("moyai-demo-*"))


def test_a_whole_demonstration_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "plan.txt"
    file.write_text("two lanes")
    before = demo_folders()
    outcome = run_demo([file], keep=False)
    assert outcome.kept is None
    assert outcome.report.is_agreed
    assert outcome.report.transactions > 400
    assert outcome.report.files == 1
    assert demo_folders() <= before


def test_an_interrupt_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TMPDIR": str(tmp_path),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "moyai.node", "demo"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    assert process.stderr is not None
    with process:
        for line in process.stderr:
            if "ready" in line:
                break
        pids = [int(path.read_text()) for path in tmp_path.glob("moyai-demo-*/*/node.pid")]
        assert len(pids) == 4
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.stderr.read()
        assert process.wait(TOLD_SECONDS_MAX) == 130
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not list(tmp_path.glob("moyai-demo-*"))
