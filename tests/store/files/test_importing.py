from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

from bootstrap.content import content_id
from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP
from bootstrap.store.answers import LabelRow, add_labels, label_from
from bootstrap.store.database import Database
from bootstrap.store.files.exporting import export
from bootstrap.store.files.import_files import BadRow, ImportAnswer, ImportRow, read_import, unit_of
from bootstrap.store.files.importing import ImportReport, import_items, read_items
from bootstrap.store.loops.loop_record import LoopRecord, Member
from bootstrap.store.schema import items, labels, standing


def begin(
    database: Database,
    shown: Sequence[Any],
    *,
    name: str = "default",
    classes: Sequence[Any] | None = None,
    copies: Sequence[tuple[str, int]] = (),
) -> LoopRecord:
    """A loop with these items, whose ids are id0, id1 and so on."""
    with database.writing() as connection:
        at = database.time(connection)
        loop = LoopRecord.begin(connection, at, name, settings={}, entropy=7, key=b"k", classes=classes)
        new = [Member(row, f"id{row}", content_id(item), 0, 0.5, item) for row, item in enumerate(shown)]
        loop.add_members(connection, at, new, None, copies)
    return loop


def answer(
    database: Database, loop: LoopRecord, row: int, label: Any, source: str = "training", **more: Any
) -> int:
    with database.writing() as connection:
        item = loop.items_of(connection, [row])[row]
        said = LabelRow(loop.id, item, row, label, source, "ann", 1, **more)
        return add_labels(connection, [said], database.time(connection))[0]


def said(database: Database, loop: int = 1) -> dict[Any, Any]:
    """What people see of an item -> the label that counts."""
    with database.reading() as connection:
        payload = {row.id: json.loads(row.payload) for row in connection.execute(select(items))}
        counts = (
            select(standing.c.item_id, labels.c.label)
            .join(labels, labels.c.id == standing.c.label_id)
            .where(standing.c.loop_id == loop, standing.c.opinion == "first")
        )
        return {payload[row.item_id]: label_from(row.label) for row in connection.execute(counts)}


def file(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


FILES = {
    "by id": ("a.csv", "id,label\nid0,yes\nid2,no\n"),
    "by content": ("a.csv", "text,label\na,yes\nc,no\n"),
    "from Excel": ("a.csv", b"\xef\xbb\xbfitem;label\r\na;yes\r\nc;no\r\n"),
    "tabs": ("a.csv", "item\tlabel\n\na\tyes\nc\tno"),
    "lines": ("a.jsonl", '{"id": "id0", "label": "yes"}\r\n\n{"text": "c", "label": "no"}'),
    "a mark in front": (
        "a.ndjson",
        b'\xef\xbb\xbf{"item": "a", "label": "yes"}\n{"id": "copy", "label": "no"}\n',
    ),
}


@pytest.mark.parametrize(("name", "content"), FILES.values(), ids=FILES)
def test_labels_go_to_the_items_that_the_loop_knows(
    database: Database, tmp_path: Path, name: str, content: str | bytes
) -> None:
    begin(database, ["a", "b", "c"], copies=[("copy", 2)])
    report = import_items(database, file(tmp_path, name, content))
    assert report == ImportReport(n_rows=2, n_new=2, new_classes=("yes", "no"))
    assert said(database) == {"a": "yes", "c": "no"}


def test_given_labels_are_no_evidence_and_say_who_gave_them(database: Database, tmp_path: Path) -> None:
    begin(database, ["a", "b"])
    path = file(tmp_path, "a.csv", "id,label,by\nid0,yes,ann\nid1,no,\n")
    import_items(database, path, by="the old tool")
    with database.reading() as connection:
        rows = connection.execute(select(labels).order_by(labels.c.id)).all()
    assert [(row.source, row.blind, row.by, row.round) for row in rows] == [
        ("given", False, "ann", 1),
        ("given", False, "the old tool", 1),
    ]


def test_importing_again_changes_nothing_and_says_which_lines_were_known(
    database: Database, tmp_path: Path
) -> None:
    loop = begin(database, ["a", "b", "c"])
    answer(database, loop, 2, "no")
    path = file(tmp_path, "a.csv", "id,label\nid0,yes\nid1,no\nid0,yes\nid2,no\n")
    report = import_items(database, path)
    assert report == ImportReport(n_rows=4, n_new=2, n_repeated=2, new_classes=("yes",), duplicates=(4, 5))
    again = import_items(database, path)
    assert again == ImportReport(n_rows=4, n_repeated=4, duplicates=(2, 3, 4, 5))
    assert again.n_duplicates == 4
    with database.reading() as connection:
        assert len(connection.execute(select(labels)).all()) == 3


def test_another_label_is_kept_beside_the_one_that_counts(database: Database, tmp_path: Path) -> None:
    loop = begin(database, ["a", "b"])
    answer(database, loop, 0, "yes")
    answer(database, loop, 1, SKIP)
    path = file(tmp_path, "a.csv", "id,label\nid0,no\nid1,no\n")
    assert import_items(database, path) == ImportReport(n_rows=2, n_new=1, n_extra=1, new_classes=("no",))
    assert import_items(database, path).n_duplicates == 2
    assert said(database) == {"a": "yes", "b": "no"}


def test_items_that_the_loop_does_not_know_are_named_and_can_be_added(
    database: Database, tmp_path: Path
) -> None:
    begin(database, ["a"])
    path = file(tmp_path, "a.csv", 'id,item,label\nid0,a,yes\nx,"new\nitem",no\ny,another,\n')
    report = import_items(database, path)
    assert (report.n_new, report.unknown) == (1, (3, 5))
    found = read_items(path, lines=report.unknown)
    assert (found.ids, found.items, found.labels) == (["x", "y"], ["new\nitem", "another"], ["no", None])
    assert found.lines == [3, 5]


def test_items_are_read_without_ids_too(tmp_path: Path) -> None:
    path = file(
        tmp_path, "a.jsonl", '{"item": {"$": "path", "of": "a.png"}}\n{"item": [1], "skip": true}\n[]\n'
    )
    found = read_items(path)
    assert (found.ids, found.items, found.labels) == (None, [Path("a.png"), [1]], [None, SKIP])
    assert found.bad == ((3, 'is no JSON object, such as {"item": "where is my card?"}'),)
    path = file(tmp_path, "a.jsonl", '{"item": "a", "id": "x"}\n{"item": "b"}\n')
    with pytest.raises(InvalidInput, match="line 2 has none"):
        read_items(path)
    assert read_items(file(tmp_path, "empty.jsonl", "")).ids is None


def test_bad_rows_are_reported_by_line_and_the_others_are_taken(database: Database, tmp_path: Path) -> None:
    begin(database, ["a", "b"], classes=["yes", "no"])
    path = file(
        tmp_path,
        "a.jsonl",
        '{"id": "id0", "label": "yes"\n'  # broken
        '{"label": "yes"}\n'
        '{"id": "id0", "label": "  "}\n'
        '{"id": "id0", "label": "maybe"}\n'
        '{"id": "id0", "label": "yes", "at": "today"}\n'
        '{"id": "id0", "label": "yes", "others": "["}\n'
        '{"id": "id0", "label": "yes", "others": [1]}\n'
        '{"id": "id0", "item": {"$": "hologram"}}\n'
        '{"id": "id1", "label": "no"}\n'
        '{"id": "id0"}\n'
        '{"id": "id0", "label": "yes", "at": 1700000000000}\n'
        '{"id": "id0", "label": "yes", "at": "nan"}\n',
    )
    report = import_items(database, path)
    assert [line for line, _ in report.bad] == [1, 2, 3, 4, 5, 6, 7, 8, 11, 12]
    why = dict(report.bad)
    assert why[1].startswith("is no JSON")
    assert why[2] == "there is no 'id' or 'item'; it has 'label'"
    assert "empty string is not a label" in why[3]
    assert "'maybe' is not one of the 2 classes" in why[4]
    assert "'today' is no number of seconds" in why[5]
    assert "'others' is no JSON" in why[6]
    assert "'others' is no list of answers" in why[7]
    assert "'hologram' is not known" in why[8]
    assert all("is no number of seconds" in why[line] for line in (11, 12))
    assert (report.n_rows, report.n_new, report.n_unlabeled) == (12, 1, 1)
    assert said(database) == {"b": "no"}


def test_bad_rows_of_a_csv_file_are_reported_by_the_line_on_which_they_begin(
    database: Database, tmp_path: Path
) -> None:
    begin(database, ["a\nb", "c", "d"])
    text = 'item,label\n"a\nb",yes\nc,no,more\nc\n,no\n"c"x,no\nc,no\nd,\n"d,yes\nthe rest'
    report = import_items(database, file(tmp_path, "a.csv", text))
    assert [line for line, _ in report.bad] == [4, 5, 7, 10]
    why = dict(report.bad)
    assert why[4] == "has 3 cells and the header has 2"
    assert "can't be read as CSV" in why[7]
    assert "can't be read as CSV" in why[10]
    assert (report.n_new, report.n_unlabeled, report.unknown) == (2, 1, (6,))
    assert said(database) == {"a\nb": "yes", "c": "no"}


def test_labels_written_as_text_become_the_kind_of_the_classes(database: Database, tmp_path: Path) -> None:
    begin(database, ["a", "b"], name="whole numbers", classes=[1, 2])
    begin(database, ["a", "b"], name="yes or no")
    path = file(tmp_path, "a.csv", "item,label\na,1\nb,one\n")
    report = import_items(database, path, loop="whole numbers")
    assert [line for line, _ in report.bad] == [3]
    assert said(database, 1) == {"a": 1}
    import_items(database, file(tmp_path, "a.jsonl", '{"item": "a", "label": true}'), loop="yes or no")
    path = file(tmp_path, "b.csv", "item,label\na,yes\nb,False\n")
    report = import_items(database, path, loop="yes or no")
    assert [line for line, _ in report.bad] == [2]
    assert said(database, 2) == {"a": True, "b": False}
    lines = file(tmp_path, "b.jsonl", '{"item": "b", "label": "1"}')
    assert import_items(database, lines, loop="whole numbers").bad[0][0] == 1


def test_labels_of_a_file_are_of_one_kind(database: Database, tmp_path: Path) -> None:
    begin(database, ["a", "b"])
    path = file(tmp_path, "a.jsonl", '{"id": "id0", "label": "yes"}\n{"id": "id1", "label": 7}\n')
    report = import_items(database, path)
    assert (report.n_new, [line for line, _ in report.bad]) == (1, [2])


def filled(database: Database) -> LoopRecord:
    texts = ["=a", "b;,\tü", 'quoted "c"\nline', "d", "'-e", "f"]
    loop = begin(database, texts)
    answer(database, loop, 0, "=yes")
    answer(database, loop, 0, "no", stands=False)
    answer(database, loop, 1, "no")
    answer(database, loop, 2, SKIP, reason="can't read it")
    mistake = answer(database, loop, 3, "no")
    answer(database, loop, 3, SKIP, stands=False, undoes=mistake)
    answer(database, loop, 4, "'=maybe")
    return loop


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet", "out.json"])
def test_what_was_exported_comes_back_into_another_store(
    database: Database, tmp_path: Path, name: str
) -> None:
    filled(database)
    path = export(database, tmp_path / name).path
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    found = read_items(path)
    assert found.ids == [f"id{i}" for i in range(6)]
    begin(other, found.items)
    report = import_items(other, path)
    assert (report.n_new, report.n_skipped, report.n_extra, report.n_unlabeled) == (3, 1, 1, 2)
    assert said(other) == said(database)
    again = export(other, tmp_path / "again.jsonl")
    texts = [json.loads(line) for line in again.path.read_text().splitlines()]
    assert [other["label"] for other in texts[0]["others"]] == ["no"]
    assert [row["item"] for row in texts] == ["=a", "b;,\tü", 'quoted "c"\nline', "d", "'-e", "f"]
    assert import_items(other, path).n_duplicates == 4
    assert import_items(database, path).n_duplicates == 4
    other.close()


def test_a_raw_csv_file_comes_back_as_it_was(database: Database, tmp_path: Path) -> None:
    filled(database)
    path = export(database, tmp_path / "out.csv", spreadsheet_safe=False).path
    rows = list(read_import(path, spreadsheet_safe=False))
    assert [row.item for row in rows if isinstance(row, ImportRow)][4] == "'-e"
    assert import_items(database, path, spreadsheet_safe=False).n_duplicates == 4


def test_reading_gives_back_who_said_what_when_and_why(database: Database, tmp_path: Path) -> None:
    filled(database)
    for name in ("out.jsonl", "out.csv", "out.parquet"):
        row = list(read_import(export(database, tmp_path / name).path))[2]
        assert isinstance(row, ImportRow)
        (one,) = row.answers
        assert (one.label, one.by, one.reason) == (SKIP, "ann", "can't read it")
        assert one.at is not None
        assert one.at > 1.7e9


def test_columns_may_have_other_names(database: Database, tmp_path: Path) -> None:
    begin(database, ["a"])
    path = file(tmp_path, "a.csv", "utterance,intent\na,yes\n")
    columns = {"item": "utterance", "label": "intent"}
    assert import_items(database, path, columns=columns).n_new == 1
    with pytest.raises(InvalidInput, match="'colour', which is none of"):
        read_import(path, columns={"colour": "x"})


def test_parquet_from_elsewhere_is_read(database: Database, tmp_path: Path) -> None:
    begin(database, ["a", "b"])
    pd.DataFrame({"text": ["a", "b"], "label": [1, 2]}).to_parquet(tmp_path / "a.parquet")
    assert import_items(database, tmp_path / "a.parquet").n_new == 2
    assert said(database) == {"a": 1, "b": 2}


def test_a_file_that_cannot_be_read_as_a_whole_is_refused(database: Database, tmp_path: Path) -> None:
    begin(database, ["a"])
    for name, content, message in [
        ("a.csv", b"id,label\nid0,\xff\n", r"Line 2 of .*a.csv is not UTF-8 \(byte 0xff\)"),
        ("b.csv", b"id,label\nid0,\xc3", r"Line 2 of .*b.csv is not UTF-8"),
        ("c.csv", b"id,id\nid0,yes\n", "more than one column named 'id'"),
        ("d.txt", b"", "ends in '.txt'"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            import_items(database, file(tmp_path, name, content))
    with pytest.raises(InvalidInput, match=r"Cannot read .*no.csv: No such file"):
        import_items(database, tmp_path / "no.csv")
    assert said(database) == {}


def test_the_loop_has_to_be_named_where_there_are_several(database: Database, tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "id,label\nid0,yes\n")
    with pytest.raises(InvalidInput, match="the store has no loop"):
        import_items(database, path)
    begin(database, ["a"], name="one")
    begin(database, ["b"], name="two")
    with pytest.raises(InvalidInput, match=r"say which loop .* 'one', 'two'"):
        import_items(database, path)
    import_items(database, path, loop="two")
    assert said(database, 2) == {"b": "yes"}


def test_many_rows_are_taken_some_thousand_at_a_time(
    storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.store.files.importing._CHUNK", 100)
    monkeypatch.setattr("bootstrap.store.slices._SIZE", 30)
    database = Database(storage)
    begin(database, [f"text {i}" for i in range(250)])
    database.close()
    rows = "".join(f'{{"item": "text {i}", "label": "{i % 3}"}}\n' for i in range(250))
    assert import_items(storage, file(tmp_path, "a.jsonl", rows)).n_new == 250


def tasks(*of: tuple[str, list[tuple[str, str]]]) -> str:
    """Label Studio's JSON on one line, of (what people see, [(by whom, label)])."""

    def choice(label: str) -> dict[str, Any]:
        return {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}

    return json.dumps(
        [
            {
                "data": {"text": text},
                "annotations": [
                    {"completed_by": {"email": who}, "result": [choice(label)]} for who, label in answers
                ],
            }
            for text, answers in of
        ]
    )


def test_tasks_on_one_line_get_their_own_labels(database: Database, tmp_path: Path) -> None:
    begin(database, ["a", "b", "c", "d"])
    known = [
        ("a", [("ann", "yes")]),
        ("b", [("ann", "no")]),
        ("c", [("bo", "perhaps")]),
        ("a", [("cy", "yes")]),
    ]
    content = tasks(*known, ("x", [("ann", "no")]), ("d", []), ("y", []))
    path = file(tmp_path, "a.json", content)
    report = import_items(database, path)
    assert said(database) == {"a": "yes", "b": "no", "c": "perhaps"}
    assert report == ImportReport(
        n_rows=7,
        n_new=3,
        n_repeated=1,
        n_unlabeled=1,
        new_classes=("yes", "no", "perhaps"),
        unit="task",
        duplicates=(4,),
        unknown=(5, 7),
    )
    found = read_items(path, lines=report.unknown)
    assert (found.lines, found.items, found.labels) == ([5, 7], ["x", "y"], ["no", None])


def test_rows_that_share_a_line_are_told_apart(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(database, ["a", "b"])
    rows = [ImportRow(1, None, item, (ImportAnswer(label),)) for item, label in (("a", "yes"), ("b", "no"))]
    monkeypatch.setattr("bootstrap.store.files.importing.read_import", lambda *_, **__: iter(rows))
    assert import_items(database, tmp_path / "a.jsonl").n_new == 2
    assert said(database) == {"a": "yes", "b": "no"}


def test_of_several_answers_in_a_row_each_is_counted(database: Database, tmp_path: Path) -> None:
    begin(database, ["a", "b"])
    content = tasks(
        ("a", [("ann", "yes"), ("bo", "no"), ("cy", "yes")]), ("b", [("ann", "yes"), ("bo", "no")])
    )
    report = import_items(database, file(tmp_path, "a.json", content))
    assert (report.n_rows, report.n_new, report.n_extra, report.duplicates) == (2, 2, 2, ())
    assert said(database) == {"a": "yes", "b": "yes"}


def test_the_classes_that_an_import_made_are_named(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.store.files.importing._CHUNK", 2)
    loop = begin(database, ["a", "b", "c", "d", "e"])
    begin(database, ["a"], name="closed", classes=["spam", "ham"])
    answer(database, loop, 0, "spam")
    path = file(tmp_path, "a.csv", "id,label\nid0,spma\nid1,spm\nid2,spam\nid3,spm\nid4,ham\n")
    report = import_items(database, path, loop="default")
    assert report.n_extra == 1
    assert report.new_classes == ("spm", "ham")
    assert import_items(database, path, loop="default").new_classes == ()
    path = file(tmp_path, "b.csv", "id,label\nid0,spam\n")
    assert import_items(database, path, loop="closed").new_classes == ()


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet", "out.json"])
def test_answers_that_make_no_label_make_none_elsewhere_either(
    database: Database, tmp_path: Path, name: str
) -> None:
    loop = begin(database, ["trap", "differ", "one of two", "adjudicated", "labeled and trap", "nothing"])
    answer(database, loop, 0, "no", source="trap", stands=False)
    answer(database, loop, 1, "yes", stands=False)
    answer(database, loop, 1, "no", stands=False)
    answer(database, loop, 2, "yes", stands=False)
    answer(database, loop, 3, "yes", stands=False)
    answer(database, loop, 3, "no", stands=False)
    answer(database, loop, 3, SKIP, adjudicates=True)
    answer(database, loop, 4, "yes")
    answer(database, loop, 4, "no", source="trap", stands=False)
    done = export(database, tmp_path / name)
    assert (done.n_items, done.n_labels, done.n_skipped, done.n_unsettled) == (6, 1, 1, 2)

    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    begin(other, read_items(done.path).items)
    report = import_items(other, done.path)
    found = said(other)
    again = import_items(database, done.path)
    other.close()
    assert found == {"adjudicated": SKIP, "labeled and trap": "yes"}
    assert (report.n_new, report.n_skipped, report.n_extra, report.bad) == (1, 1, 0, ())
    in_tasks = name == "out.json"  # where they are left out
    assert (report.n_unsettled, report.n_traps, report.n_unlabeled) == ((0, 0, 4) if in_tasks else (3, 2, 2))
    assert again.n_new == again.n_skipped == again.n_extra == 0
    assert said(database) == found


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
def test_a_second_answer_that_differs_comes_back_beside_the_label(
    database: Database, tmp_path: Path, name: str
) -> None:
    loop = begin(database, ["a"])
    answer(database, loop, 0, "yes")
    answer(database, loop, 0, "no", source="second")
    path = export(database, tmp_path / name).path
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    begin(other, ["a"])
    report = import_items(other, path)
    other.close()
    assert (report.n_new, report.n_extra) == (1, 1)


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet", "out.json"])
def test_when_and_by_whom_an_answer_was_given_survives_a_round_trip(
    database: Database, tmp_path: Path, name: str
) -> None:
    begin(database, ["a", "b"])
    given = '{"id": "id0", "label": "yes", "by": "ann", "at": 1500000000.5}\n{"id": "id1", "label": "no"}\n'
    import_items(database, file(tmp_path, "given.jsonl", given))
    first, second = read_import(export(database, tmp_path / name).path)
    assert isinstance(first, ImportRow)
    assert first.answers == (ImportAnswer("yes", "ann", 1500000000.5),)
    assert isinstance(second, ImportRow)
    assert second.answers[0].at is not None
    assert second.answers[0].at > 1.7e9
    assert second.answers[0].by is None


NAMELESS = {
    "CSV": ("a b.csv", "id,text,spam or not\nid0,a,yes\n"),
    "JSON lines": ("a.jsonl", '{"id": "id0", "text": "a", "spam or not": "yes"}\n{"id": "id1"}\n'),
}


@pytest.mark.parametrize(("name", "content"), NAMELESS.values(), ids=NAMELESS)
def test_a_file_without_labels_is_refused_with_how_to_name_their_column(
    database: Database, tmp_path: Path, name: str, content: str
) -> None:
    begin(database, ["a", "b"])
    path = file(tmp_path, name, content)
    with pytest.raises(InvalidInput) as caught:
        import_items(database, path)
    assert str(caught.value).endswith(
        "has no column 'label'; it has 'id', 'text', 'spam or not'. Say which holds the labels, such as "
        'columns={"label": "spam or not"}, or at the command line --column \'label=spam or not\'.'
    )
    with pytest.raises(InvalidInput, match=r"has no column 'spam'; .*such as"):
        import_items(database, path, columns={"label": "spam"})
    assert import_items(database, path, columns={"label": "spam or not"}).n_new == 1
    assert read_items(path).labels[0] is None
    assert import_items(database, file(tmp_path, "empty.jsonl", "")) == ImportReport()


def test_a_table_without_items_is_refused_with_how_to_name_their_column(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "utterance,label\n,more,cells\na,yes\n")
    with pytest.raises(
        InvalidInput, match=r'no column \'item\'; .*columns={"item": "utterance"}.*--column item=utt'
    ):
        read_items(path)
    path = file(tmp_path, "b.csv", "label\nyes\n")
    with pytest.raises(InvalidInput, match="--column item=NAME"):
        read_items(path)
    assert read_items(file(tmp_path, "c.csv", "utterance,label\n")).items == []


def test_numbers_of_rows_count_what_the_file_is_made_of(tmp_path: Path) -> None:
    assert [unit_of(tmp_path / f"a.{end}") for end in ("csv", "jsonl", "parquet", "json")] == [
        "line",
        "line",
        "row",
        "task",
    ]
    assert unit_of("a.csv", "label-studio") == "task"
    path = file(tmp_path, "a.json", '[{"data": {"text": "a", "bootstrap_id": "x"}}, {"data": {"text": "b"}}]')
    with pytest.raises(InvalidInput, match="task 2 has none"):
        read_items(path)


def test_content_that_has_no_id_is_unknown(database: Database, tmp_path: Path) -> None:
    begin(database, ["a"])
    path = file(tmp_path, "a.jsonl", json.dumps({"item": {"$": "complex", "of": [1, 2]}, "label": "yes"}))
    assert import_items(database, path).unknown == (1,)


def test_the_limit_of_cells_is_as_before(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    path = file(tmp_path, "a.csv", "item,label\n" + "x" * 300_000 + ",yes\n")
    assert [len(row.item) for row in read_import(path) if isinstance(row, ImportRow)] == [300_000]
    assert csv.field_size_limit() == before


def test_rows_are_plain_records(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "id,label,at\nx,yes,12.5\ny\n")
    good, bad = read_import(path)
    assert good == ImportRow(2, "x", None, (ImportAnswer("yes", at=12.5),), is_text=True)
    assert bad == BadRow(3, "has 1 cells and the header has 3")
