"""`moyai demo --keep` leaves a city that answers, `--stop` ends it."""

import json
import shutil
from pathlib import Path

from harness.command_line import Run


def test_a_kept_city_answers_until_it_is_stopped(tmp_path: Path, moyai: Run) -> None:
    (tmp_path / "plan.txt").write_text("two lanes")
    code, answer, told = moyai("demo", tmp_path, "--keep", "--json")
    assert code == 0, told
    city = Path(json.loads(answer)["city"])
    try:
        code, answer, _ = moyai("status", "--city", city, "--json")
        assert code == 0
        assert [node["ready"] for node in json.loads(answer)] == [True] * 4
    finally:
        code, answer, _ = moyai("demo", "--stop", city, "--json")
    assert json.loads(answer) == {"stopped": 4}
    shutil.rmtree(city)


def test_a_folder_without_files_is_refused_before_anything_starts(
    tmp_path: Path, moyai: Run
) -> None:
    code, _, told = moyai("demo", tmp_path)
    assert code == 1
    assert "holds no file to register" in told
