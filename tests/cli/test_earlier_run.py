"""A run that an earlier version has begun: its log is brought into a store, and nothing of it is lost.

`labels-1.jsonl` was written by the last version that kept such a log: by Ada up to a budget of 50, and by Bob
up to one of 100, which has cut the last round short.
"""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bootstrap.store import check

STORED = Path(__file__).parents[1] / "store" / "files" / "stored" / "labels-1.jsonl"
AS_BEFORE = ("--text", "text", "--label-with", "column:truth", "--known-labels", "known", "--id", "id")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mails-labels"
    folder.mkdir()
    shutil.copy(STORED, folder / "labels.jsonl")
    return folder


def log_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def rounds_of(folder: Path) -> list[tuple[int, int, int]]:
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    return [(row["n_labels"], row["n_trained"], row["n_audited"]) for row in rows]


def said_in(folder: Path) -> list[tuple[str, str, str, str]]:
    """(id, label, by, at) of what people answered, as it is written for them."""
    return sorted(
        (row["id"], row["label"], row["by"], row["at"]) for row in rows_of(folder / "labels.csv") if row["by"]
    )


def as_logged(rows: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return sorted((row["id"], row.get("answer", ""), row["by"], row["at"]) for row in rows)


def test_the_same_command_brings_the_log_in_with_its_rounds_people_and_times(
    program: Callable[..., Any], mails: Path, folder: Path
) -> None:
    ran = program("run", mails, *AS_BEFORE, "--budget", 100)

    assert (ran.code, ran.err.count("Error")) == (0, 0)
    assert "100 answers were brought in; the old file is as it was" in ran.out
    assert "the seed is 5. 100 are there already" in ran.out
    assert rounds_of(folder) == [(22, 40, 2), (44, 60, 4), (66, 80, 6), (88, 100, 8), (100, 100, 20)]
    assert said_in(folder) == as_logged(log_rows(STORED))
    assert (folder / "labels.jsonl").read_bytes() == STORED.read_bytes()
    assert check(f"sqlite:///{folder / 'labels.db'}").ok
    assert not (folder / ".importing").exists()


def test_with_a_larger_budget_it_goes_on_and_asks_nothing_twice(
    program: Callable[..., Any], mails: Path, folder: Path
) -> None:
    program("run", mails, *AS_BEFORE, "--budget", 130)
    again = program("run", mails, *AS_BEFORE, "--budget", 130)

    said = said_in(folder)
    assert "An earlier version" not in again.out
    assert len({row[0] for row in said}) == len(said) == 130
    assert set(as_logged(log_rows(STORED))) <= set(said)
    assert sum(row[2] == "column:truth" for row in said) == 30


def test_a_batch_that_was_left_in_the_middle_is_gone_on_with(
    program: Callable[..., Any], mails: Path, folder: Path
) -> None:
    lines = STORED.read_bytes().splitlines(keepends=True)
    (folder / "labels.jsonl").write_bytes(b"".join(lines[:31]) + lines[31][:20])  # killed while it wrote
    program("run", mails, *AS_BEFORE, "--rounds", 2)

    assert rounds_of(folder) == [(22, 40, 2), (44, 60, 4)]
    assert set(as_logged(log_rows(STORED)[:30])) <= set(said_in(folder))


def test_an_answer_that_is_not_asked_for_again_is_kept_and_is_no_evidence(
    program: Callable[..., Any], mails: Path, folder: Path
) -> None:
    known = {row["id"] for row in log_rows(STORED)}
    table = [row for row in rows_of(mails) if row["id"] not in known and not row["known"]]
    more = [
        {"id": row["id"], "answer": row["truth"], "by": "Eve", "at": "2026-01-02T03:04:05.000+00:00"}
        for row in table[:30]
    ]
    skips = [{**row, "id": other["id"], "skip": True} for row, other in zip(more, table[30:50], strict=False)]
    with (folder / "labels.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in [*more, *skips])
    before = STORED.read_bytes().count(b"\n") - 1
    ran = program("run", mails, *AS_BEFORE, "--budget", 1)

    assert f"{before + 50} answers were brought in" in ran.out
    given = [row for row in rows_of(folder / "labels.csv") if row["source"] == "given" and row["by"]]
    assert f" {len(given)} of them were not asked for in the rounds" in ran.out
    assert 0 < len(given) <= 30
    assert "skips were not asked for again, and are in the old file only" in ran.out
    assert {row["by"] for row in given} == {"Eve"}
    assert {row["at"] for row in given} == {"2026-01-02T03:04:05.000+00:00"}
    assert set(said_in(folder)) >= {*as_logged(log_rows(STORED)), *as_logged(more)}
    with closing(sqlite3.connect(folder / "labels.db")) as store:
        kept = "SELECT COUNT(*) FROM labels WHERE source = 'given' AND by = 'Eve'"
        assert store.execute(kept).fetchone()[0] == len(given)
        assert store.execute(f"{kept} AND blind").fetchone()[0] == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--batch-size", 7), "--batch-size is 20 there and 7 now"),
        (("--seed", 6), "its seed is 5, and --seed says 6"),
    ],
)
def test_a_log_of_another_run_is_refused_and_nothing_is_made(
    program: Callable[..., Any], mails: Path, folder: Path, changed: tuple[str, Any], said: str
) -> None:
    ran = program("run", mails, *AS_BEFORE, *changed)

    assert ran.code == 2
    assert said in ran.err
    assert [path.name for path in folder.iterdir()] == ["labels.jsonl"]


def test_a_log_in_use_is_left_alone(program: Callable[..., Any], mails: Path, folder: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    with (folder / "labels.jsonl").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ran = program("run", mails, *AS_BEFORE)

    assert ran.code == 2
    assert "in use by another process" in ran.err
    assert [path.name for path in folder.iterdir()] == ["labels.jsonl"]


def test_a_log_that_another_process_has_brought_in_meanwhile_is_not_brought_in_again(
    program: Callable[..., Any], mails: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bootstrap.cli.run_folder import RunFolder

    program("run", mails, *AS_BEFORE, "--budget", 100)
    looks = iter([False])  # the first look comes before the other process is done
    is_begun = RunFolder.is_begun.fget
    assert is_begun is not None
    monkeypatch.setattr(RunFolder, "is_begun", property(lambda self: next(looks, is_begun(self))))
    ran = program("run", mails, *AS_BEFORE, "--budget", 100)

    assert ran.code == 0
    assert "brought in" not in ran.out
    assert len(said_in(folder)) == 100


def test_a_process_that_is_killed_while_it_brings_a_log_in_leaves_no_store(
    program: Callable[..., Any], mails: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".importing").mkdir()
    (folder / ".importing" / "0.db").write_text("half a store")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", killed)
        program("run", mails, *AS_BEFORE, "--budget", 100)
    assert not (folder / "labels.db").exists()

    assert program("run", mails, *AS_BEFORE, "--budget", 100).code == 0
    assert len(said_in(folder)) == 100
