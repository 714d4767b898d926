"""May people review less: what the command reads, refuses, prints, and takes on the user's word."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COLUMNS = ("--id", "id", "--label", "label", "--predicted", "class", "--confidence", "p")
SINCE = ("--at", "day", "--model-since", "2026-03-01")
FULL = (*COLUMNS, "--blind", "blind", *SINCE)
HEADER = "id,label,class,p,blind,day,chance\n"


def write_log(path: Path, n: int, *, error: float = 0.0, audited: float = 1.0, blind: str = "yes") -> Path:
    """Two classes in turn, from March 2026; a row without an answer is not marked as blind."""
    rng = random.Random(n)
    lines = [HEADER]
    for i in range(n):
        predicted = ("ham", "spam")[i % 2]
        label = "other" if rng.random() < error else predicted
        asked = rng.random() < audited
        lines.append(
            f"item-{i},{label if asked else ''},{predicted},{0.5 + 0.5 * rng.random():.6f},"
            f"{blind if asked else ''},2026-03-{1 + 28 * i // n:02d},{audited}\n"
        )
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "log.csv", 900, audited=0.5)


def test_a_good_model_advances_with_its_certificate_and_what_was_taken_on_trust(
    program: Callable[..., Any], log: Path
) -> None:
    ran = program("verdict", log, *FULL)

    assert (ran.code, ran.err) == (0, "")
    assert "900 rows. 900 are about the model as it is" in ran.out
    assert "ADVANCE to 0.00: 0 wrong of 90 audited where the model decides alone" in ran.out
    assert "Certificate for the model at a review rate of 0.00" in ran.out
    assert "People's own error: not measured." in ran.out
    assert "Taken on your word: - The audited rows were drawn at random, all with one chance" in ran.out
    assert "What could be certified" not in ran.out


def test_a_hold_is_no_failure(program: Callable[..., Any], tmp_path: Path) -> None:
    few = program("verdict", write_log(tmp_path / "few.csv", 60), *FULL)
    bad = program("verdict", write_log(tmp_path / "bad.csv", 400, error=0.3), *FULL)

    assert (few.code, bad.code) == (0, 0)
    assert "HOLD at 1.00" in few.out
    assert "more items labeled, drawn at random from all that arrives and blind" in few.out
    assert "HOLD at 1.00" in bad.out
    assert "Next: train a better model" in bad.out
    assert "Certificate" not in few.out + bad.out


@pytest.mark.parametrize(
    ("columns", "said", "unsaid"),
    [
        ((*COLUMNS, *SINCE), "Nothing says which answers were given blind", "since when the model"),
        ((*COLUMNS, "--blind", "blind"), "Nothing says since when the model is what it is", "given blind ("),
        (COLUMNS, "Nothing says which answers were given blind", "Certificate"),
    ],
)
def test_answers_that_may_be_no_evidence_certify_nothing_and_the_way_on_is_told(
    program: Callable[..., Any], log: Path, columns: tuple[str, ...], said: str, unsaid: str
) -> None:
    ran = program("verdict", log, *columns)

    assert (ran.code, ran.err) == (0, "")
    assert "HOLD at 1.00: no certificate can rest on these answers." in ran.out
    assert said in ran.out
    assert unsaid not in ran.out
    assert "What is in the log, which proves nothing: people and model differ on 0 of" in ran.out
    assert "with at least 113 audits if the model gets none wrong of the 90 among them" in ran.out
    assert "and typically 622 (497 alone)" in ran.out


def test_descriptive_figures_need_answers(program: Callable[..., Any], tmp_path: Path) -> None:
    low = tmp_path / "low.csv"
    rows = "".join(f"{i},{'b' if i == 0 else ''},a,0.{50 + i},,2026-03-01,1\n" for i in range(40))
    low.write_text(HEADER + rows, encoding="utf-8")
    ran = program("verdict", low, *COLUMNS)
    silent = program("verdict", write_log(tmp_path / "silent.csv", 40, audited=0.0), *COLUMNS)

    assert "people and model differ on 1 of 1 labeled rows. What could be" in ran.out
    assert "which proves nothing" not in silent.out
    assert "What could be certified from now on" in silent.out


def test_answers_with_the_suggestion_in_view_leave_nothing_to_count(
    program: Callable[..., Any], tmp_path: Path
) -> None:
    ran = program("verdict", write_log(tmp_path / "seen.csv", 300, blind="no"), *FULL)

    assert "300 answers were given with the suggestion in view" in ran.out
    assert "HOLD at 1.00" in ran.out
    assert "with at least 113 audits" in ran.out


def test_a_model_newer_than_the_log_holds(program: Callable[..., Any], log: Path) -> None:
    ran = program("verdict", log, *FULL, "--model-since", "2027-01-01")

    assert ran.code == 0
    assert "Left out: 900 from before the model" in ran.out
    assert "HOLD at 1.00: there is no item" in ran.out


def test_a_model_that_decides_nothing_alone_gets_no_plan(program: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "flat.csv"
    path.write_text(HEADER + "".join(f"{i},,a,0.9,,2026-03-01,1\n" for i in range(30)), encoding="utf-8")
    ran = program("verdict", path, *FULL)

    assert "the model decides nothing alone" in ran.out
    assert "What could be certified" not in ran.out


def test_a_file_sorted_by_its_answers_is_read_in_order_of_arrival(
    program: Callable[..., Any], tmp_path: Path
) -> None:
    """All right ones first would certify anything; a false certificate here has chance 0.025."""
    path = write_log(tmp_path / "log.csv", 600, error=0.1)
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rows.sort(key=lambda row: row.split(",")[1] == "other")
    path.write_text(
        header + "".join(row.replace(row.split(",")[5], "2026-03-01") for row in rows), encoding="utf-8"
    )

    assert "HOLD" in program("verdict", path, *FULL).out


def test_the_record_says_the_same_as_the_words(program: Callable[..., Any], log: Path) -> None:
    record = json.loads(program("verdict", log, *FULL, "--json").out)
    doubted = json.loads(program("verdict", log, *COLUMNS, "--json").out)

    assert (record["verdict"]["move"], record["verdict"]["review_rate"]) == ("ADVANCE", 0.0)
    assert record["rates"][-1]["threshold"] is None  # minus infinity: everything is decided alone
    assert (record["log"]["rows"], record["doubts"], record["not_evidence"]) == (900, [], None)
    assert len(record["taken_on_your_word"]) == 5
    assert len(record["certificates"]) == 6
    assert (doubted["verdict"]["move"], len(doubted["doubts"]), doubted["certificates"]) == ("HOLD", 2, [])
    assert doubted["not_evidence"]["wrong"] == 0
    assert doubted["ahead"]["least"] == 113


def test_a_recall_is_asked_for_by_class(program: Callable[..., Any], log: Path) -> None:
    ran = program("verdict", log, *FULL, "--recall", "spam=0.9", "--recall", "ham=0.8")

    assert "Also proved: at least 0.9 of the 'spam' items not going out wrong" in ran.out
    wrong = program("verdict", log, *FULL, "--recall", "spma=0.9")
    assert wrong.code == 2
    assert wrong.err.endswith("Did you mean 'spam'? There are: 'ham', 'spam'.")
    for text in ("spam", "spam=much", "=0.9"):
        ran = program("verdict", log, *FULL, "--recall", text)
        assert (ran.code, ran.out) == (2, "")
        assert f"--recall is {text!r}: say which class" in ran.err


def test_rates_between_are_told_apart(program: Callable[..., Any], tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", 600)
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    by_confidence = sorted(rows, key=lambda row: float(row.split(",")[3]))
    spoiled = {
        row: row.replace(",ham,ham,", ",other,ham,").replace(",spam,spam,", ",other,spam,")
        for row in by_confidence[90:120]
    }
    path.write_text("\n".join([header, *(spoiled.get(row, row) for row in rows)]), encoding="utf-8")
    ran = program("verdict", path, *FULL)

    assert "ADVANCE to 0.20" in ran.out
    assert "let people review what has a confidence of" in ran.out
    assert "Not lower yet: at a review rate of 0.15" in ran.out
    assert "it decides alone only where its confidence is above" in ran.out


def test_logged_chances_weigh_the_audits(program: Callable[..., Any], tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", 3000, audited=0.25)
    ran = program("verdict", path, *FULL, "--probability", "chance")

    assert "each weighted by its chance" in ran.out
    assert "each weighted by its logged chance, they disprove an error of 0.0500" in ran.out
    assert "Each row was audited with the chance that the log gives" in ran.out
    certain = write_log(tmp_path / "certain.csv", 300)
    certain.write_text(certain.read_text(encoding="utf-8").replace(",yes,", ",no,", 7), encoding="utf-8")
    assert "7 of the rows have used up their chance without a blind answer" in program(
        "verdict", certain, *FULL, "--probability", "chance"
    ).out  # fmt: skip


@pytest.mark.parametrize(("before", "said"), [(1, "One other model was"), (4, "4 others were")])
def test_models_tested_before_are_told(
    program: Callable[..., Any], log: Path, before: int, said: str
) -> None:
    ran = program("verdict", log, *FULL, "--tested-before", before)

    assert f"{said} tested on these answers before" in ran.out
    assert f"It is model {before + 1} to be tested on these audits" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (COLUMNS[:4], "A review log needs --predicted COL, --confidence COL"),
        ((*COLUMNS, "--model-since", "2026-03-01"), "--at is missing"),
        ((*COLUMNS, "--at", "day", "--model-since", "spring"), "--model-since is 'spring'. Wanted is a date"),
        ((*COLUMNS, "--at", "day", "--model-since", " "), "--model-since is empty"),
        ((*COLUMNS, "--blind", "blnd"), "has no column 'blnd' (--blind). Did you mean 'blind'?"),
        ((*COLUMNS, "--review-rate", "2"), "--review-rate is a share in [0, 1]"),
    ],
)
def test_mistakes_are_refused_with_exit_code_2(
    program: Callable[..., Any], log: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = program("verdict", log, *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_an_empty_file_is_refused(program: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEADER, encoding="utf-8")
    ran = program("verdict", "log.csv", *FULL)

    assert (ran.code, ran.out) == (2, "")
    assert "has a header but no rows" in ran.err


def test_an_answer_that_was_not_blind_has_used_up_its_chance_and_counts_as_wrong(
    program: Callable[..., Any], tmp_path: Path
) -> None:
    log = write_log(tmp_path / "seen.csv", 3000, audited=0.3)
    lines = log.read_text(encoding="utf-8").splitlines()
    seen = [line.replace(",yes,", ",no,") if i % 3 else line for i, line in enumerate(lines)]
    log.write_text("\n".join(seen) + "\n", encoding="utf-8")
    ran = program("verdict", log, *FULL, "--probability", "chance")

    assert ran.code == 0
    assert "HOLD at 1.00" in ran.out
    assert "have used up their chance without a blind answer" in ran.out


def test_chances_that_do_not_fit_the_answers_are_refused(program: Callable[..., Any], tmp_path: Path) -> None:
    log = write_log(tmp_path / "off.csv", 2000, audited=0.5)
    log.write_text(log.read_text(encoding="utf-8").replace(",0.5\n", ",0.4\n"), encoding="utf-8")
    ran = program("verdict", log, *FULL, "--probability", "chance")

    assert ran.code == 2
    assert "--probability adds up to 800.0 audits" in ran.err
    assert "not the chances by which the rows were drawn" in ran.err
