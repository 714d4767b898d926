"""Every example runs as its first lines say, from another folder, and shows what it promises."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bootstrap
from bootstrap.store.upkeep.checking import check

FOLDER = Path(__file__).resolve().parents[1] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))
MOST_SECONDS = 120  # none takes a quarter of it on two free cores


def run(name: str, folder: Path, typed: str = "") -> list[str]:
    """The lines that an example prints; its warnings are failures."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(bootstrap.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", FOLDER / name],
        cwd=folder,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return ran.stdout.splitlines()


def test_there_is_a_test_for_every_example() -> None:
    tested = re.findall(r'run\(\s*"(\d\d_\w+\.py)"', Path(__file__).read_text(encoding="utf-8"))

    assert sorted(set(tested)) == [path.name for path in EXAMPLES]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_says_how_to_run_it_and_does_nothing_on_import(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = path.read_text(encoding="utf-8")
    described = ast.get_docstring(ast.parse(text)) or ""

    assert len(text.splitlines()) < 80
    assert "What one learns: " in described
    assert f"Run: python {path.name}" in described
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.main)
    assert capsys.readouterr() == ("", "")


def test_a_callback_answers_over_embeddings(tmp_path: Path) -> None:
    lines = run("01_notebook_callback.py", tmp_path)

    assert lines[0].split()[:2] == ["round", "n_labels"]
    n_rounds, n_labels, n_audited, accuracy, low, high = map(float, lines[6].split())
    assert (n_rounds, n_labels, n_audited) == (6, 90, 30)
    assert low < accuracy <= high
    assert {line.split()[0] for line in lines[7:]} <= {"training", "audit"}


def test_a_session_in_the_terminal_stops_and_goes_on(tmp_path: Path) -> None:
    first = run("02_label_in_the_terminal.py", tmp_path, "1\n2\n?\n" + "1\n2\n" * 3 + "q\n")
    second = run("02_label_in_the_terminal.py", tmp_path, "1\n2\n" * 10)

    assert first[0] == "0 answers are saved already."
    assert "  good: the writer would see it again." in [line.rstrip() for line in first]
    assert "8 labels so far." in first
    assert second[0] == "8 answers are saved already."
    assert "18 labels so far." in second
    assert check(f"sqlite:///{tmp_path / 'film-labels.db'}").ok


def test_answers_come_in_parts_late_and_twice_and_labels_are_all_there_is_to_save(tmp_path: Path) -> None:
    lines = run("03_ask_and_tell.py", tmp_path)

    assert [line.split(";")[0] for line in lines[:3]] == ["15 asked, 1 still open"] * 3
    assert [line.split("round ")[1].split(",")[0] for line in lines[:3]] == [
        "1: 14 labels",
        "2: 29 labels",
        "3: 44 labels",
    ]
    assert all(line.endswith("late: 1") for line in lines[:3])
    assert lines[3] == "told twice: kept 0, repeated 1"
    assert lines[4] == "saved and read again: the same predictions for 178 wines: True"


def test_own_mixed_and_modals_strategies_all_fit_in(tmp_path: Path) -> None:
    lines = run("04_own_strategy.py", tmp_path)

    assert [line[:18].rstrip() for line in lines] == [
        "by name",
        "own function",
        "a fifth at random",
        "modAL's",
        "random",
    ]
    assert all(line.endswith("right after 160 labels") for line in lines)
    assert all(float(line[18:24]) > 0.8 for line in lines)


def test_auto_needs_at_most_60_percent_of_the_labels_that_random_needs(tmp_path: Path) -> None:
    """Ten seeds, fixed, so correct code can't fail. Measured: 30 %."""
    lines = run("05_is_it_better_than_random.py", tmp_path)
    share = re.fullmatch(
        r"auto needs (\d+)% of the labels that random needs \(ratio of the medians\)", lines[-2]
    )
    interval = re.search(r"95 % interval of the paired difference (-?\d+) to (-?\d+)$", lines[-1])

    assert share is not None
    assert int(share[1]) <= 60
    assert interval is not None
    assert 0 < int(interval[1]) < int(interval[2])
    assert len(lines) == 15


def test_people_step_back_when_a_certificate_says_so_and_the_truth_agrees(tmp_path: Path) -> None:
    """One run of fixed seeds: correct code can't fail. The certificate itself may be false with 0.05."""
    text = " ".join(" ".join(run("06_when_may_people_step_back.py", tmp_path)).split())
    parts = re.split(
        r"(?:Before the first label|After [^:]+|What may be to come|What was proved|The truth):", text
    )
    plan, hold, later_plan, advance, certificate, truth = (part.strip() for part in parts[1:])

    assert plan.startswith(
        "A forecast, not evidence: 0.95 at 20 % review: at least 113 audits, typically 630"
    )
    assert re.match(r"HOLD at 1\.00: at a review rate of 0\.20, \d+ wrong of \d+ audited .* Next: ", hold)
    assert later_plan.startswith("A forecast, not evidence: 0.95 at 20 % review: at least")
    assert re.match(r"ADVANCE to 0\.[012]\d: LogisticRegression, frozen as it was after round", advance)
    assert certificate.startswith("Certificate for LogisticRegression at a review rate of 0.")
    found = re.search(
        r"decides (\d+) alone, and gets ([\d.]+)% of them wrong; the target allows 5\.0%\.", truth
    )
    assert found is not None
    assert int(found[1]) > 350
    assert float(found[2]) < 5.0


def test_many_people_label_at_once_and_killed_processes_lose_nothing(tmp_path: Path) -> None:
    lines = run("07_many_reviewers.py", tmp_path)

    assert any(line.endswith("was killed, and starts again") for line in lines)
    assert re.fullmatch(r"\d+ labels by .*", lines[-3])
    assert lines[-2] == "the same labels as in a quiet run: True; the same history: True"
    assert lines[-1].startswith("The store is sound: ")
