"""The program as a function, and a company's mails: 300 short texts of two classes, some with labels."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TypeAlias

import pytest

import bootstrap
from bootstrap.cli import main

GREETINGS = ("Hi,", "Hello,", "Dear all,", "Good day,", "Hey!")
OFFERS = (
    "you won a prize",
    "buy two for one",
    "cheap loans today",
    "free entry in our draw",
    "claim your bonus",
)
NEWS = ("the meeting is at noon", "see you at home", "the report is done", "call me later", "dinner is ready")
ENDS = ("thanks", "see the link", "bye", "it is urgent", "as always", "until then")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of the program left."""

    code: int
    out: str
    err: str


Program: TypeAlias = Callable[..., Ran]


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Runs the program in a folder of its own; lines are joined, so that wrapping does not matter."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as exited:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        code = exited.value.code
        assert isinstance(code, int)
        return Ran(code, " ".join(printed.out.split()), " ".join(printed.err.split()))

    return call


@pytest.fixture
def environment() -> dict[str, str]:
    """For a process of its own, in any folder: it finds the package that is tested."""
    return {**os.environ, "PYTHONPATH": str(Path(bootstrap.__file__).parents[1]), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    """mails.csv with the columns id, text, truth and known (filled in every 15th row)."""
    rows = []
    for phrases, label in ((OFFERS, "spam"), (NEWS, "ham")):
        for greeting, phrase, end in product(GREETINGS, phrases, ENDS):
            rows.append([f"mail-{len(rows)}", f"{greeting} {phrase}, {end}", label])
    known = [[*row, row[2] if i % 15 == 0 else ""] for i, row in enumerate(rows)]
    return write_csv(tmp_path / "mails.csv", ("id", "text", "truth", "known"), known)
