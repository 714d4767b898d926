"""`kill -9` two hundred times at a random instant on each database, and before one statement after another.

The script raises where an acknowledged answer is not there exactly once, anything stays in dead hands, the
check finds something, or the history or a certificate is another than that of a quiet run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bootstrap

SCRIPT = Path(__file__).resolve().parents[1] / "killed" / "kill.py"


def kill(kind: str, url: str, folder: Path, kills: int, seed: int) -> dict[str, int]:
    """What the script has counted."""
    environment = {**os.environ, "PYTHONPATH": str(Path(bootstrap.__file__).parents[1])}
    ran = subprocess.run(
        [sys.executable, SCRIPT, kind, url, folder, str(kills), str(seed)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    counted: dict[str, int] = json.loads(ran.stdout)
    return counted


@pytest.mark.parametrize("kind", ["labeler", "desks"])
def test_killed_a_hundred_times_at_random(kind, storage, tmp_path, capsys):
    began = time.perf_counter()
    counted = kill(kind, storage, tmp_path, 100, 1)
    with capsys.disabled():
        print(
            f"\n{kind} on {storage.partition(':')[0]}: killed {counted['killed']} times in {counted['runs']} "
            f"loops, {time.perf_counter() - began:.0f} s: every acknowledged answer there once, the same "
            f"history and {counted['certificates']} certificates each time"
        )
    assert counted["killed"] == 100
    assert counted["certificates"] > 0


@pytest.mark.parametrize(("kind", "step"), [("statements", 1), ("statements-at-desks", 41)])
def test_killed_before_one_statement_after_another(kind, step, tmp_path, capsys):
    counted = kill(kind, f"sqlite:///{tmp_path.as_posix()}/{{}}.db", tmp_path, step, 1)
    with capsys.disabled():
        print(f"\n{kind}: killed before {counted['killed']} statements and commits, 1 of {step}")
    assert counted["killed"] > 50
