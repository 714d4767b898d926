"""What there is to label in a table, and what is told about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.cli.table_file import Table
from bootstrap.cli.text_task import Columns, TextTask, read_task
from bootstrap.content import content_id
from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP

COLUMNS = ("id", "text", "known", "truth")


def table(*rows: tuple[str, str, str, str]) -> Table:
    return Table(
        Path("mails.csv"),
        COLUMNS,
        tuple(range(2, len(rows) + 2)),
        tuple(dict(zip(COLUMNS, row, strict=True)) for row in rows),
    )


def task(
    *rows: tuple[str, str, str, str], columns: Columns | None = None, classes: list[str] | None = None
) -> TextTask:
    return read_task(table(*rows), columns or Columns("text", known="known", answers="truth"), classes)


def refusal(
    *rows: tuple[str, str, str, str], columns: Columns | None = None, classes: list[str] | None = None
) -> str:
    with pytest.raises(InvalidInput) as refused:
        task(*rows, columns=columns, classes=classes)
    return str(refused.value)


def test_rows_with_a_known_label_are_labeled_and_the_others_are_the_pool() -> None:
    read = task(("1", "buy now", " spam ", "spam"), ("2", "hello", "", "ham"), ("3", "bye", " ", ""))

    assert read.labeled == (["buy now"], ["spam"])
    assert [read.texts[i] for i in read.pool] == ["hello", "bye"]
    assert read.truth == {content_id("hello"): "ham", content_id("bye"): SKIP}


def test_ids_come_from_the_texts_unless_a_column_holds_them() -> None:
    rows = (("1", "hello", "", "ham"), ("2", "bye", "", ""))
    named = task(*rows, columns=Columns("text", id="id"))

    assert task(*rows).ids == (content_id("hello"), content_id("bye"))
    assert not task(*rows).own_ids
    assert named.ids == ("1", "2")
    assert named.own_ids


def test_without_a_column_of_known_labels_every_row_is_in_the_pool() -> None:
    read = task(("1", "hello", "ham", ""), ("2", "bye", "ham", ""), columns=Columns("text"))

    assert read.pool == [0, 1]
    assert read.labeled == ([], [])


def test_rows_without_text_are_left_out_and_told_by_line() -> None:
    blank = [("x", "  ", "", "")] * 10
    read = task(("1", "hello", "", "ham"), *blank)

    assert read.texts == ("hello",)
    assert read.notes() == [
        "11 rows, 1 to ask about, 0 with a known label.",
        "10 rows without text are left out: lines 3, 4, 5, 6, 7, 8, 9, 10 and 2 more.",
    ]
    assert "1 row without text is left out: line 3." in task(("1", "hello", "", "ham"), blank[0]).notes()


def test_copies_are_told_and_the_first_answer_to_a_text_speaks_for_all() -> None:
    rows = (("1", "hello", "", ""), ("2", "hello", "", "ham"), ("3", "hello", "", "spam"))
    read = task(*rows, columns=Columns("text", id="id", answers="truth"))

    assert read.truth == {"1": "ham", "2": "ham", "3": "ham"}
    assert read.notes()[1:] == [
        "2 rows repeat the text of an earlier one: each text is asked about once.",
        "1 text has different answers in different rows.",
    ]
    assert (
        "1 row repeats the text of an earlier one: each text is asked about once." in task(*rows[:2]).notes()
    )


def test_known_labels_that_contradict_each_other_are_told() -> None:
    rows = [("", text, label, "ham") for text in ("a", "b") for label in ("spam", "ham", "spam")]

    assert (
        "2 texts have different known labels in different rows." in task(*rows, ("", "c", "", "ham")).notes()
    )


def test_rows_of_the_pool_without_an_answer_are_told_to_be_skipped() -> None:
    said = task(("1", "a", "", "ham"), ("2", "b", "", ""), ("3", "c", "", "")).notes()[1]

    assert said.startswith("2 rows of the pool have no answer and will be skipped")
    assert "1 row of the pool has no answer" in task(("1", "a", "", "ham"), ("2", "b", "", "")).notes()[1]


def test_the_fingerprint_changes_with_texts_ids_and_known_labels_but_not_with_answers() -> None:
    row = ("1", "hello", "", "ham")
    columns = Columns("text", "id", "known", "truth")

    def of(*changed: tuple[str, str, str, str]) -> str:
        return task(*changed, ("9", "bye", "", "ham"), columns=columns).fingerprint

    assert of(("1", "hello", "", "spam")) == of(row)
    others = [("2", "hello", "", "ham"), ("1", "hallo", "", "ham"), ("1", "hello", "ham", "ham")]
    assert len({of(row), of(row, ("8", "more", "", "ham")), *map(of, others)}) == 5
    assert of(row).startswith("2 texts, ")


def test_a_table_without_any_text_is_refused() -> None:
    assert "No row of mails.csv has a text in 'text'" in refusal(("1", " ", "", ""), ("2", "", "", ""))


def test_a_table_in_which_all_is_known_is_refused() -> None:
    assert "there is nothing to ask about" in refusal(("1", "hello", "ham", ""), ("2", "", "", ""))


def test_a_column_of_answers_that_says_nothing_is_refused() -> None:
    assert "'truth' (--label-with) is empty" in refusal(("1", "a", "", " "), ("2", "b", "ham", "ham"))


def test_an_id_that_is_missing_or_comes_twice_is_refused_with_its_lines() -> None:
    columns = Columns("text", id="id")

    assert "Line 3 of mails.csv has no id in 'id'" in refusal(
        ("1", "a", "", ""), (" ", "b", "", ""), columns=columns
    )
    assert "Lines 2 and 4 of mails.csv have the same id '1'" in refusal(
        ("1", "a", "", ""), ("2", "b", "", ""), ("1", "c", "", ""), columns=columns
    )


def test_an_id_may_be_missing_or_repeated_where_there_is_no_text() -> None:
    read = task(("1", "a", "", ""), ("1", "", "", ""), ("", " ", "", ""), columns=Columns("text", id="id"))

    assert read.ids == ("1",)


def test_a_label_that_is_none_of_the_classes_is_refused_with_its_line() -> None:
    known = refusal(("1", "a", "", "ham"), ("2", "b", "hamm", ""), classes=["ham", "spam"])
    answer = refusal(("1", "a", "", "x"), classes=["ham", "spam"])

    assert known.endswith(
        "Line 3 of mails.csv has the label 'hamm' in 'known', which is none of the --classes ham,spam. "
        "Did you mean 'ham'?"
    )
    assert answer.endswith("has the label 'x' in 'truth', which is none of the --classes ham,spam.")
    assert task(("1", "a", "", "ham"), classes=["ham", "spam"]).answers == ("ham",)
