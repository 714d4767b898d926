"""`kill -9` at any time: what was acknowledged is there once, nothing stays in dead hands, history goes on.

`make bench` does it two hundred times, and before every single statement.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import bootstrap

SCRIPT = Path(__file__).resolve().parents[1] / "killed" / "kill.py"


def kill(kind: str, url: str, folder: Path, kills: int, seed: int) -> dict[str, int]:
    """What the script says; it fails where anything is not as in a quiet run."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(bootstrap.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    ran = subprocess.run(
        [sys.executable, SCRIPT, kind, url, folder, str(kills), str(seed)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    counted: dict[str, int] = json.loads(ran.stdout)
    assert counted["certificates"] > 0
    return counted


def test_a_loop_with_a_labeler_is_killed_ten_times(storage: str, tmp_path: Path) -> None:
    assert kill("labeler", storage, tmp_path, 10, 1)["killed"] == 10


def test_a_trainer_and_two_people_at_desks_are_killed_ten_times(storage: str, tmp_path: Path) -> None:
    assert kill("desks", storage, tmp_path, 10, 1)["killed"] == 10


@pytest.mark.parametrize("seed", [3])
def test_a_loop_dies_before_some_of_its_statements(tmp_path: Path, seed: int) -> None:
    counted = kill("statements", f"sqlite:///{tmp_path.as_posix()}/{{}}.db", tmp_path, 20, seed)

    assert counted["killed"] >= 10
