"""Labeling one's own texts: from a table to labels, predictions and pictures, and on after any stop."""

from __future__ import annotations

import csv
import io
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bootstrap.cli.run_folder import Begun, RunFolder
from bootstrap.errors import StoreError
from bootstrap.labelers import SimulatedLabeler
from bootstrap.store import Database, check
from bootstrap.store.training_lock import TrainingLock

WRITTEN = [
    "history.csv", "history.jsonl", "labels.csv", "labels.db", "plot.png", "predictions.csv",
    "review_curve.png", "run.json",
]  # fmt: skip
COLUMN = ("--text", "text", "--label-with", "column:truth")
TERMINAL = ("--text", "text", "--label-with", "terminal")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def rounds_of(folder: Path) -> list[dict[str, Any]]:
    """The history without what differs from run to run."""
    lines = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def asked_in(folder: Path) -> list[str]:
    """The id of every answer in the store that was not taken back, in order, repeats included."""
    file = f"file:{(folder / 'labels.db').as_posix()}?mode=rw"  # or looking at it would begin it
    with closing(sqlite3.connect(file, uri=True)) as store:
        return [row[0] for row in store.execute(ASKED)]


ASKED = """
SELECT members.name FROM labels JOIN members ON members.loop_id = labels.loop_id AND members.row = labels.row
WHERE labels.query_id IS NOT NULL AND labels.undoes IS NULL
AND labels.id NOT IN (SELECT undoes FROM labels WHERE undoes IS NOT NULL) ORDER BY labels.id
"""


def url_of(folder: Path) -> str:
    return f"sqlite:///{(folder / 'labels.db').as_posix()}"


def typing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_first_day_from_texts_and_some_labels_to_a_picture(
    program: Callable[..., Any], mails: Path, tmp_path: Path
) -> None:
    ran = program("run", mails, *COLUMN, "--known-labels", "known", "--id", "id", "--budget", 88, "--seed", 1)
    folder = tmp_path / "mails-labels"

    assert (ran.code, ran.err) == (0, "")
    assert "300 rows, 280 to ask about, 20 with a known label." in ran.out
    assert "the seed is 1." in ran.out
    assert "People gave 88 labels in 4 rounds, audits included" in ran.out
    assert "20 labels existed before" in ran.out
    assert "What this does not prove" in ran.out
    assert "review_curve.png, labels.csv, predictions.csv HOLD at 1.00: at a review rate of 0.20" in ran.out
    assert ran.out.endswith("To go on, run the same command again with a larger --budget.")
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".trainer") == WRITTEN
    assert check(url_of(folder)).ok
    last = rounds_of(folder)[-1]
    assert (last["n_labels"], last["n_given"], last["n_audited"]) == (88, 20, 8)
    assert last["accuracy"] == 1.0


def test_labels_and_predictions_are_complete_and_agree_with_the_table(
    program: Callable[..., Any], mails: Path, tmp_path: Path
) -> None:
    program("run", mails, *COLUMN, "--known-labels", "known", "--id", "id", "--budget", 44, "--by", "Ada")
    table = {row["id"]: row for row in rows_of(mails)}
    labels = rows_of(tmp_path / "mails-labels" / "labels.csv")
    predictions = rows_of(tmp_path / "mails-labels" / "predictions.csv")

    assert all(row["label"] == table[row["id"]]["truth"] for row in labels)
    assert all(row["text"] == table[row["id"]]["text"] for row in [*labels, *predictions])
    sources = [row["source"] for row in labels]
    assert sources[:20] == ["given"] * 20
    assert (sources.count("training"), sources.count("audit"), len(sources)) == (40, 4, 64)
    assert {(row["by"], bool(row["at"])) for row in labels[:20]} == {("", False)}
    assert {(row["by"], row["at"][10:11]) for row in labels[20:]} == {("Ada", "T")}
    assert [row["id"] for row in predictions] == list(table)
    assert {row["id"] for row in predictions if row["label"]} == {row["id"] for row in labels}
    right = sum(row["prediction"] == table[row["id"]]["truth"] for row in predictions)
    assert right > 290
    assert all(0.5 <= float(row["confidence"]) <= 1 for row in predictions)


def test_a_label_is_shown_beside_every_copy_of_its_text(program: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "copies.jsonl"
    texts = ["=buy(now)", "see you", "=buy(now)", "see you", "never seen"]
    rows = [
        {"text": t, "a": "spam" if "buy" in t else "ham", "k": k}
        for t, k in zip(texts, ["", "ham", "", "", ""], strict=True)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ran = program(
        "run", path, "--text", "text", "--known-labels", "k", "--label-with", "column:a", "--held-out", 0,
        "--audit-share", 0, "--out", "o",
    )  # fmt: skip

    assert "2 rows repeat the text of an earlier one" in ran.out
    assert ran.out.endswith("Nothing is left to ask.")
    shown = [(row["text"], row["label"]) for row in rows_of(tmp_path / "o" / "predictions.csv")]
    assert shown == [("'" + t if t[0] == "=" else t, row["a"]) for t, row in zip(texts, rows, strict=True)]
    assert len(asked_in(tmp_path / "o")) == 2  # "see you" was known


def test_an_empty_cell_of_the_column_is_skipped(program: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,a\ngood day,x\nbad day,y\nodd day,\n", encoding="utf-8")
    ran = program(
        "run",
        path,
        "--text",
        "text",
        "--label-with",
        "column:a",
        "--held-out",
        0,
        "--audit-share",
        0,
        "--out",
        "o",
    )

    assert "1 row of the pool has no answer" in ran.out
    assert 'answered with "can\'t tell"' in ran.out
    assert {row["text"]: row["label"] for row in rows_of(tmp_path / "o" / "labels.csv")} == {
        "good day": "x",
        "bad day": "y",
        "odd day": "",
    }


def test_one_class_only_is_a_plain_note_and_no_failure(program: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,a\n" + "".join(f"day {i},x\n" for i in range(40)), encoding="utf-8")
    ran = program("run", path, "--text", "text", "--label-with", "column:a", "--rounds", 1)

    assert ran.code == 0
    assert ran.err.startswith("Note: no model was fitted")
    assert "UserWarning" not in ran.err
    assert ran.out.endswith("To go on, run the same command again with more --rounds.")
    assert {row["prediction"] for row in rows_of(tmp_path / "t-labels" / "predictions.csv")} == {""}
    assert not (tmp_path / "t-labels" / "plot.png").exists()


def test_a_run_ends_with_the_verdict(program: Callable[..., Any], mails: Path) -> None:
    """Errors are a matter of chance here, the draw is not: the seed is given."""
    held = program("run", mails, *COLUMN, "--seed", 1, "--audit-share", 0.2, "--budget", 132)
    advanced = program("run", mails, *COLUMN, "--seed", 1, "--out", "auto", "--target", 0.9, "--budget", 250)

    assert "HOLD at 1.00: at a review rate of 0.20, 0 wrong of" in held.out
    assert " Next: " in held.out
    assert "ADVANCE to 0." in advanced.out
    assert advanced.out.index("A review rate of ") < advanced.out.index("People gave")


def test_with_nothing_held_out_nothing_is_audited_and_the_verdict_says_what_is_missing(
    program: Callable[..., Any], mails: Path, tmp_path: Path
) -> None:
    ran = program("run", mails, *COLUMN, "--held-out", 0, "--rounds", 2)

    assert ran.code == 0
    assert rounds_of(tmp_path / "mails-labels")[-1]["n_audited"] == 0
    assert "HOLD at 1.00" in ran.out


@pytest.mark.parametrize("first", [("--budget", 44), ("--rounds", 1), ("--rounds", 3)])
def test_a_run_that_goes_on_ends_as_if_it_had_never_stopped(
    program: Callable[..., Any], mails: Path, tmp_path: Path, first: tuple[str, int]
) -> None:
    common = ("run", mails, *COLUMN, "--known-labels", "known", "--seed", 5)
    program(*common, *first, "--out", "stopped")
    n = len(asked_in(tmp_path / "stopped"))
    again = program(*common, "--budget", 120, "--out", "stopped")
    program(*common, "--budget", 120, "--out", "undisturbed")

    assert f"{n} are there already and will not be asked for again" in again.out
    assert rounds_of(tmp_path / "stopped") == rounds_of(tmp_path / "undisturbed")
    assert len(asked_in(tmp_path / "stopped")) == len(set(asked_in(tmp_path / "stopped"))) == 120
    assert set(asked_in(tmp_path / "stopped")) == set(asked_in(tmp_path / "undisturbed"))


def test_a_round_that_a_budget_has_cut_short_stays_in_the_history(
    program: Callable[..., Any], mails: Path, tmp_path: Path
) -> None:
    program("run", mails, *COLUMN, "--seed", 5, "--budget", 30)
    before = rounds_of(tmp_path / "mails-labels")
    program("run", mails, *COLUMN, "--budget", 66)
    after = rounds_of(tmp_path / "mails-labels")

    assert [row["n_labels"] for row in before] == [22, 30]
    assert (after[:2], after[-1]["n_labels"]) == (before, 66)
    asked = asked_in(tmp_path / "mails-labels")
    assert len(asked) == len(set(asked)) == 66


def test_a_drawn_seed_is_kept_and_another_one_is_refused(program: Callable[..., Any], mails: Path) -> None:
    def seed_in(out: str) -> str:
        ran = program("run", mails, *COLUMN, "--rounds", 1, "--out", out)
        return str(ran.out.partition("seed is ")[2].split()[0])

    assert seed_in("a") == seed_in("a") != seed_in("b")

    ran = program("run", mails, *COLUMN, "--rounds", 1, "--out", "a", "--seed", 7)
    assert ran.code == 2
    assert "--seed says 7 (leave --seed out to go on)" in ran.err
    assert program("run", mails, *COLUMN, "--out", "c", "--rounds", 1, "--seed", 7).code == 0
    assert program("run", mails, *COLUMN, "--out", "c", "--rounds", 2, "--seed", 7).code == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--batch-size", 7), "--batch-size is 20 there and 7 now"),
        (("--held-out", 0.3), "--held-out is 0.2 there and 0.3 now"),
        (("--audit-share", 0.3), "--audit-share is 'auto' there and 0.3 now"),
        (("--strategy", "entropy"), "--strategy is 'auto' there and 'entropy' now"),
        (("--classes", "ham,spam"), "--classes is not given there and ['ham', 'spam'] now"),
        (("--known-labels", "known"), "--known-labels is not given there and 'known' now"),
        (("--id", "id"), "--id is not given there and 'id' now"),
    ],
)
def test_a_run_of_other_settings_is_refused_and_nothing_is_asked(
    program: Callable[..., Any], mails: Path, tmp_path: Path, changed: tuple[str, Any], said: str
) -> None:
    program("run", mails, *COLUMN, "--rounds", 1)
    before = asked_in(tmp_path / "mails-labels")
    ran = program("run", mails, *COLUMN, "--rounds", 2, *changed)

    assert ran.code == 2
    assert said in ran.err
    assert "choose another folder with --out for a new run" in ran.err
    assert asked_in(tmp_path / "mails-labels") == before


def test_a_file_that_changed_is_another_run(program: Callable[..., Any], mails: Path) -> None:
    program("run", mails, *COLUMN, "--rounds", 1)
    with mails.open("a", encoding="utf-8") as file:
        file.write("mail-300,one more,ham,\n")
    ran = program("run", mails, *COLUMN, "--rounds", 1)

    assert ran.code == 2
    assert "the file is '300 texts, " in ran.err


def test_a_smaller_budget_than_before_asks_nothing_and_loses_nothing(
    program: Callable[..., Any], mails: Path, tmp_path: Path
) -> None:
    program("run", mails, *COLUMN, "--rounds", 2)
    before = rounds_of(tmp_path / "mails-labels")
    ran = program("run", mails, *COLUMN, "--budget", 22)

    assert ran.code == 0
    assert rounds_of(tmp_path / "mails-labels") == before
    assert (
        len(rows_of(tmp_path / "mails-labels" / "labels.csv"))
        == len(asked_in(tmp_path / "mails-labels"))
        == 44
    )


def test_a_person_who_quits_and_comes_back_is_not_asked_twice(
    program: Callable[..., Any], mails: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "how.txt").write_text("spam: it sells something", encoding="utf-8")
    common = (
        "run", mails, *TERMINAL, "--classes", "ham,spam", "--batch-size", 5, "--audit-share", 0.2,
        "--guidelines", "how.txt",
    )  # fmt: skip
    typing(monkeypatch, "1\n2\n?\n1\nu\ns\nq\n")
    first = program(*common, "--budget", 12)

    assert first.code == 0
    assert "it sells something" in first.out
    assert "No round has ended, so nothing is learned or measured yet. Answers saved: 3." in first.out
    assert first.out.endswith("To go on, run the same command again: nothing is asked twice.")
    folder = tmp_path / "mails-labels"
    assert not (folder / "plot.png").exists()
    assert [row["label"] for row in rows_of(folder / "labels.csv")] == ["ham", "spam", ""]

    typing(monkeypatch, "1\n2\n" * 10)
    second = program(*common, "--budget", 12)
    assert "3 are there already" in second.out
    assert "1 of 3" in second.out  # the rest of a batch of 6: five to learn from and an audit
    labels = rows_of(folder / "labels.csv")
    assert len({row["id"] for row in labels}) == len(labels) == 13
    assert {row["by"] for row in labels} == {"terminal"}


def test_the_end_of_the_input_is_like_quitting(
    program: Callable[..., Any], mails: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typing(monkeypatch, "+ham\n")
    ran = program("run", mails, *TERMINAL)

    assert ran.code == 0
    assert "Answers saved: 1." in ran.out


@pytest.mark.parametrize("stdin", [io.StringIO(""), None])
def test_where_nobody_can_answer_that_is_an_error_that_says_what_to_do(
    program: Callable[..., Any], mails: Path, monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    nobody = program("run", mails, *TERMINAL)
    again = program("run", mails, *TERMINAL)

    assert (nobody.code, again.code) == (2, 2)
    assert "Error: Nobody can answer here: standard input is at its end, and is no terminal." in nobody.err
    assert "--label-with column:COL" in again.err
    typing(monkeypatch, "+ham\n")
    assert "Answers saved: 1." in program("run", mails, *TERMINAL).out
    monkeypatch.setattr(sys, "stdin", stdin)
    assert program("run", mails, *TERMINAL).code == 2
    assert program("run", mails, *TERMINAL, "--budget", 1).code == 0  # nothing is asked


def test_a_person_who_ends_the_input_of_a_terminal_has_quit(
    program: Callable[..., Any], mails: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Screen(""))
    ran = program("run", mails, *TERMINAL)

    assert ran.code == 0
    assert "Answers saved: 0." in ran.out


def test_ctrl_c_between_answers_keeps_them_and_shows_what_there_is(
    program: Callable[..., Any], mails: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = SimulatedLabeler._answer
    left = iter(range(60))

    def answer_until_interrupted(self: Any, *arguments: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return answer(self, *arguments)

    monkeypatch.setattr(SimulatedLabeler, "_answer", answer_until_interrupted)
    ran = program("run", mails, *COLUMN)

    assert ran.code == 0
    assert "The run ended: interrupted (Ctrl-C)." in ran.out
    assert ran.out.endswith("nothing is asked twice.")
    assert (tmp_path / "mails-labels" / "plot.png").exists()
    assert len(rounds_of(tmp_path / "mails-labels")) == 2


def _by_hand(mails: Path, environment: dict[str, str], *options: str) -> subprocess.Popen[str]:
    """The program in a process of its own, waiting for answers on its standard input."""
    command = ["run", str(mails), *TERMINAL, "--known-labels", "known", "--batch-size", "5", "--seed", "3"]
    return subprocess.Popen(
        [sys.executable, "-c", "from bootstrap.cli import main; main()", *command, *options],
        cwd=mails.parent, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def _wait_for(n: int, folder: Path) -> None:
    for _ in range(600):
        try:
            if len(asked_in(folder)) >= n:
                return
        except sqlite3.OperationalError:  # no file yet, or no table
            pass
        time.sleep(0.05)
    raise AssertionError(f"{n} answers did not come within 30 seconds")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_is_killed_or_interrupted_loses_no_answer(
    mails: Path, environment: dict[str, str], tmp_path: Path, how: signal.Signals
) -> None:
    folder = tmp_path / "mails-labels"
    killed = _by_hand(mails, environment)
    assert killed.stdin is not None
    killed.stdin.write("1\n" * 8)
    killed.stdin.flush()
    _wait_for(8, folder)
    killed.send_signal(how)
    killed.communicate()
    assert killed.returncode == (-signal.SIGKILL if how == signal.SIGKILL else 0)

    resumed = _by_hand(mails, environment, "--rounds", "3")
    resumed.communicate("1\n" * 30)
    undisturbed = _by_hand(mails, environment, "--rounds", "3", "--out", "undisturbed")
    undisturbed.communicate("1\n" * 30)
    assert (resumed.returncode, undisturbed.returncode) == (0, 0)
    assert asked_in(folder) == asked_in(tmp_path / "undisturbed")
    assert rounds_of(folder) == rounds_of(tmp_path / "undisturbed")
    assert len(rounds_of(folder)) == 3
    assert check(url_of(folder)).ok


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signals")
@pytest.mark.parametrize("n", [1, 40])
def test_a_run_that_is_killed_at_any_moment_goes_on_as_if_nothing_had_been(
    program: Callable[..., Any], mails: Path, environment: dict[str, str], tmp_path: Path, n: int
) -> None:
    command = [sys.executable, "-c", "from bootstrap.cli import main; main()", "run", str(mails), *COLUMN]
    with subprocess.Popen(
        [*command, "--seed", "3", "--out", "killed"], cwd=tmp_path, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        _wait_for(n, tmp_path / "killed")
        process.kill()
    done = len(asked_in(tmp_path / "killed"))
    budget = ("--rounds", done // 22 + 2)
    again = program("run", mails, *COLUMN, *budget, "--out", "killed")
    program("run", mails, *COLUMN, *budget, "--out", "undisturbed", "--seed", 3)

    assert f" {done} are there already" in again.out
    assert asked_in(tmp_path / "killed") == asked_in(tmp_path / "undisturbed")
    assert rounds_of(tmp_path / "killed") == rounds_of(tmp_path / "undisturbed")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--text", "body", "--label-with", "terminal"), "has no column 'body' (--text)"),
        (("--text", "text", "--label-with", "column:turth"), "Did you mean 'truth'?"),
        (("--text", "text", "--label-with", "column:"), "--label-with is 'column:': say terminal to"),
        (("--text", "text", "--label-with", "me"), "--label-with is 'me'"),
        ((*COLUMN, "--known-labels", "truth"), "there is nothing to ask about"),
        ((*COLUMN, "--classes", "ham,spm"), "Did you mean 'spm'?"),
        ((*TERMINAL, "--classes", "ham"), "classes needs at least two"),
        ((*COLUMN, "--strategy", "margins"), "--strategy is 'margins'"),
        ((*COLUMN, "--strategy", "vote_entropy"), "so choose auto, margin"),
        ((*COLUMN, "--review-rate", 20), "did you mean 0.2?"),
        ((*COLUMN, "--target", 1), "--target 1.0 can't be shown"),
        ((*COLUMN, "--held-out", 0, "--audit-share", 0.2), "set --audit-share 0 too"),
        ((*COLUMN, "--audit-share", "some"), "--audit-share is 'some': say auto, or how many"),
        ((*COLUMN, "--audit-share", -1), "--audit-share is"),
        ((*TERMINAL, "--guidelines", "none.txt"), "Cannot read the --guidelines none.txt"),
        ((*COLUMN, "--budget", 0), "--budget"),
        ((*COLUMN, "--seed", -1), "--seed"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_made(
    program: Callable[..., Any], mails: Path, tmp_path: Path, options: tuple[Any, ...], said: str
) -> None:
    ran = program("run", mails, *options)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["mails.csv"]


def test_a_second_run_is_told_who_holds_the_folder_while_the_verdict_can_be_read(
    program: Callable[..., Any], mails: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mails-labels"
    program("run", mails, *COLUMN, "--rounds", 1)
    with closing(Database(url_of(folder))) as database, TrainingLock(database, "default"):
        before = asked_in(folder)
        ran = program("run", mails, *COLUMN, "--rounds", 2)
        read = program("verdict", folder)

    assert (ran.code, read.code) == (2, 0)
    assert "Another process trains the loop 'default'" in ran.err
    assert read.out.startswith("HOLD")
    assert asked_in(folder) == before


def test_a_store_without_what_its_run_was_begun_with_is_refused(
    program: Callable[..., Any], mails: Path, tmp_path: Path
) -> None:
    about = tmp_path / "mails-labels" / "run.json"
    program("run", mails, *COLUMN, "--rounds", 1)
    about.write_text(
        about.read_text(encoding="utf-8").replace('"version": 1', '"version": 2'), encoding="utf-8"
    )
    newer = program("run", mails, *COLUMN, "--rounds", 1)
    about.unlink()
    gone = program("run", mails, *COLUMN, "--rounds", 1)

    assert (newer.code, gone.code) == (2, 2)
    assert "run.json can't be read (format 'bootstrap-labels run', version 2)" in newer.err
    assert "run.json is not there: it says with which texts, columns and settings" in gone.err
    assert "bootstrap-labels db export mails-labels labels.csv" in gone.err


def test_a_run_that_was_killed_before_its_store_was_whole_begins_with_its_seed(
    program: Callable[..., Any], mails: Path, tmp_path: Path
) -> None:
    program("run", mails, *COLUMN, "--rounds", 1, "--out", "whole", "--seed", 9)
    begun = RunFolder(tmp_path / "whole").begun()
    for name, store_is_there in (("a", True), ("b", False)):
        folder = RunFolder(tmp_path / name)
        folder.path.mkdir()
        folder.begin(Begun(9, begun.settings))
        if store_is_there:
            folder.store.touch()
        ran = program("run", mails, *COLUMN, "--rounds", 1, "--out", name)
        assert ("the seed is 9." in ran.out) is store_is_there
        assert (asked_in(folder.path) == asked_in(tmp_path / "whole")) is store_is_there


def test_a_folder_may_have_any_name(program: Callable[..., Any], mails: Path, tmp_path: Path) -> None:
    for name in ("what?", "my%20mails #1"):
        ran = program("run", mails, *COLUMN, "--rounds", 1, "--out", name)

        assert ran.code == 0
        assert (tmp_path / name / "labels.db").is_file()
        assert program("db", "check", name).code == 0


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "nowhere")
    with pytest.raises(StoreError, match=r"Cannot write .*run\.json: No such file"):
        folder.begin(Begun(1, {}))


def test_half_a_character_in_a_text_is_no_reason_to_fail(program: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    rows = [{"text": f"\ud83d day {i}", "a": "xy"[i % 2]} for i in range(40)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ran = program("run", path, "--text", "text", "--label-with", "column:a", "--rounds", 1)

    assert (ran.code, ran.err) == (0, "")
    written = rows_of(tmp_path / "cut-labels" / "predictions.csv")
    assert [row["text"] for row in written] == [rf"\ud83d day {i}" for i in range(40)]
