"""The verdict and the plan for a folder of `run`: read from its store, and nobody is asked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bootstrap.cli.run_verdict import loop_of_run

RUN = ("--text", "text", "--label-with", "column:truth", "--known-labels", "known", "--seed", "1")


@pytest.fixture
def folder(program: Callable[..., Any], mails: Path, tmp_path: Path) -> Path:
    assert program("run", mails, *RUN, "--budget", 48).code == 0
    return tmp_path / "mails-labels"


def head_of_trail(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "labels.db")) as store:
        return str(store.execute("SELECT trail_head FROM store").fetchone()[0])


def test_the_verdict_of_a_run_asks_nobody_and_changes_nothing(
    program: Callable[..., Any], folder: Path
) -> None:
    before = head_of_trail(folder)
    ran = program("verdict", folder)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("HOLD at 1.00: ")
    assert head_of_trail(folder) == before


def test_the_rounds_come_out_as_they_were(folder: Path) -> None:
    shown = [json.loads(line) for line in (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    with loop_of_run(folder) as loop:
        again = [round_.to_dict() for round_ in loop.history]

    assert again == shown
    assert loop.n_labels == 48


def test_the_record_of_a_run_is_json(program: Callable[..., Any], folder: Path) -> None:
    ran = program("verdict", folder, "--json")
    record = json.loads(ran.out)

    assert (record["folder"], record["verdict"]["move"], record["certificates"]) == (str(folder), "HOLD", [])


def test_an_advance_is_printed_with_its_certificate(
    program: Callable[..., Any], mails: Path, tmp_path: Path
) -> None:
    assert program("run", mails, *RUN, "--budget", 240, "--target", 0.8).code == 0
    folder = tmp_path / "mails-labels"
    ran = program("verdict", folder)
    record = json.loads(program("verdict", folder, "--json").out)

    assert ran.out.startswith("ADVANCE to ")
    assert "Certificate for " in ran.out
    assert record["certificates"][-1] == record["verdict"]["certificate"]


def test_the_plan_of_a_run_is_words_or_json(program: Callable[..., Any], folder: Path) -> None:
    words, record = program("plan", folder), program("plan", folder, "--json")

    assert (words.code, record.code) == (0, 0)
    assert len(words.out) > 50
    assert json.loads(record.out)["folder"] == str(folder)


def test_a_folder_is_enough_wherever_it_is(program: Callable[..., Any], mails: Path, folder: Path) -> None:
    mails.unlink()
    renamed = folder.rename(folder.with_name("done"))

    assert program("verdict", renamed).out.startswith("HOLD")


def test_a_folder_that_is_no_run_is_refused(
    program: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    nothing = program("verdict", tmp_path / "empty")
    (tmp_path / "earlier").mkdir()
    (tmp_path / "earlier" / "labels.jsonl").touch()
    earlier = program("verdict", tmp_path / "earlier")
    about = folder / "run.json"
    about.write_text(
        about.read_text(encoding="utf-8").replace('"pipeline": ', '"pipeline": 9'), encoding="utf-8"
    )
    newer = program("plan", folder)

    assert (nothing.code, earlier.code, newer.code) == (2, 2, 2)
    assert "holds no labels.db: name a folder that bootstrap-labels run has written" in nothing.err
    assert "Run the same bootstrap-labels run once more" in earlier.err
    assert "another version of the model" in newer.err


@pytest.mark.parametrize("command", ["verdict", "plan"])
def test_where_nothing_is_the_message_says_so_and_what_to_pass(
    program: Callable[..., Any], command: str
) -> None:
    ran = program(command, "nothere")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(
        "Error: There is no nothere. Name a folder that bootstrap-labels run has written"
    )
    assert ("the file of a review log" in ran.err) == (command == "verdict")
    assert "load_loop" not in ran.err


@pytest.mark.parametrize("command", ["verdict", "plan"])
def test_a_store_is_not_taken_for_a_log_and_the_way_to_its_verdict_is_told(
    program: Callable[..., Any], folder: Path, command: str
) -> None:
    of_run = program(command, folder / "labels.db")
    own = folder / "labels.db"
    url = program(command, f"sqlite:///{own}")
    server = program(command, "postgresql://team:secret@db/labels")
    own = own.rename(folder.parent / "mine.db")
    alone = program(command, own)

    assert {ran.code for ran in (of_run, url, server, alone)} == {2}
    assert f"Pass its folder, {str(folder)!r}, if bootstrap-labels run has written it" in of_run.err
    in_python = f"load_loop(storage=..., estimator=...).{command}()"
    for ran in (url, server, alone):
        assert f" a store, and {command} wants a folder" in ran.err
        assert in_python in ran.err
        assert "secret" not in ran.err
    assert program("plan", folder / "labels.csv").err.startswith(f"Error: {folder}/labels.csv is no folder")


def test_columns_do_not_go_with_a_folder(program: Callable[..., Any], folder: Path) -> None:
    ran = program("verdict", folder, "--id", "id", "--blind", "b")

    assert (ran.code, ran.out) == (2, "")
    assert "leave out --id, --blind" in ran.err


def test_what_a_run_is_to_certify_was_fixed_at_its_start(
    program: Callable[..., Any], mails: Path, folder: Path
) -> None:
    judged = program("verdict", folder, "--target", 0.8, "--recall", "spam=0.9")
    resumed = program("run", mails, *RUN, "--budget", 60, "--target", 0.8)

    assert (judged.code, resumed.code) == (2, 2)
    assert "has fixed at its start what is to be certified: leave out --target, --recall" in judged.err
    assert "begun with other settings: --target is" in resumed.err


def test_a_recall_target_of_a_run_is_tested(program: Callable[..., Any], mails: Path, tmp_path: Path) -> None:
    ran = program("run", mails, *RUN, "--budget", 200, "--recall", "spam=0.5", "--recall", "a=b")
    assert (ran.code, "share" in ran.err) == (2, True)
    assert program("run", mails, *RUN, "--budget", 200, "--recall", "spam=0.5").code == 0
    with loop_of_run(tmp_path / "mails-labels") as loop:
        assert [str(claim.about) for claim in loop.settings.claims] == ["alone", "recall"]
