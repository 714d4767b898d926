from __future__ import annotations

import csv
import gc
import json
import os
import sys
import tracemalloc
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from bootstrap.content import content_id
from bootstrap.errors import InvalidInput, MissingExtra, StoreError
from bootstrap.records import SKIP
from bootstrap.store.answers import LabelRow, add_labels
from bootstrap.store.database import Database
from bootstrap.store.files.exporting import export
from bootstrap.store.files.parquet import read_parquet
from bootstrap.store.files.reading_out import read_out
from bootstrap.store.files.spreadsheet import neutralised, restored
from bootstrap.store.loops.loop_record import LoopRecord, Member, Published
from bootstrap.store.schema import labels, members, standing
from bootstrap.store.upkeep.erasing import erase


def begin(
    database: Database,
    shown: Sequence[Any],
    *,
    name: str = "default",
    X: Any = None,
    copies: Sequence[tuple[str, int]] = (),
) -> LoopRecord:
    """A loop with these items, whose ids are id0, id1, …; an item None is one whose features people see."""
    with database.writing() as connection:
        at = database.time(connection)
        loop = LoopRecord.begin(connection, at, name, settings={}, entropy=7, key=b"k", classes=None)
        new = [
            Member(row, f"id{row}", f"{name} {row}" if item is None else content_id(item), 0, 0.5, item)
            for row, item in enumerate(shown)
        ]
        loop.add_members(connection, at, new, X, copies)
    return loop


def answer(database: Database, loop: LoopRecord, row: int, label: Any, **more: Any) -> int:
    with database.writing() as connection:
        item = loop.items_of(connection, [row])[row]
        more = {"source": "training", "by": "ann", "round": 2} | more
        said = LabelRow(loop_id=loop.id, item_id=item, row=row, label=label, **more)
        return add_labels(connection, [said], database.time(connection))[0]


def filled(database: Database) -> LoopRecord:
    """One of everything."""
    texts = ["=cmd()", "b; ü", 'quoted "c"\nline', "d", "e", "SECRET"]
    loop = begin(database, texts, copies=[("copy", 1)])
    with database.writing() as connection:
        asked = [
            Published(
                0, "t0", "training", 0, 0, 1, 1.0, model=3, predicted="no", confidence=0.75, alone=True
            ),
            Published(1, "t1", "audit", 0, 1, 1, 1.0, probability=0.5),
        ]
        loop.publish(connection, database.time(connection), asked, {}, overlap=1, to_desks=False)
    answer(database, loop, 0, "yes")
    answer(database, loop, 0, "no", by="bo", stands=False)
    answer(database, loop, 1, "-no", source="audit")
    answer(database, loop, 1, "yes", source="second", by="bo")
    answer(database, loop, 2, SKIP, reason="can't read it")
    mistake = answer(database, loop, 3, "no")
    answer(database, loop, 3, SKIP, stands=False, undoes=mistake)
    answer(database, loop, 5, "yes", by=None)
    erase(database, ["id5"])
    return loop


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_json_lines_hold_everything(database: Database, tmp_path: Path) -> None:
    filled(database)
    done = export(database, tmp_path / "out.jsonl")
    assert done.path == tmp_path / "out.jsonl"
    found = lines(done.path)
    assert [row["item"] for row in found] == ["=cmd()", "b; ü", 'quoted "c"\nline', "d", "e", None]
    for row in found:
        for said in (row, row.get("second", {}), *row.get("others", [])):
            said.pop("at", None)
    assert found[0] == {
        "loop": "default",
        "id": "id0",
        "item": "=cmd()",
        "number": 1,
        "label": "yes",
        "source": "training",
        "by": "ann",
        "round": 2,
        "blind": True,
        "others": [{"number": 2, "label": "no", "source": "training", "by": "bo", "round": 2, "blind": True}],
    }
    assert (found[1]["label"], found[1]["second"]["label"], found[1]["copies"]) == ("-no", "yes", ["copy"])
    assert (found[2]["label"], found[2]["skip"], found[2]["reason"]) == (None, True, "can't read it")
    assert [(said["label"], said.get("undoes")) for said in found[3]["others"]] == [("no", None), (None, 6)]
    assert found[4] == {"loop": "default", "id": "id4", "item": "e", "label": None}
    assert (found[5]["label"], found[5]["erased"]) == ("yes", True)
    assert "id5" not in done.path.read_text()


@pytest.mark.parametrize("name", ["out.jsonl", "out.ndjson", "out.csv", "out.parquet", "out.json"])
def test_the_counts_are_those_of_the_tables(database: Database, tmp_path: Path, name: str) -> None:
    filled(database)
    done = export(database, tmp_path / name)
    with database.reading() as connection:
        n_items = connection.execute(select(func.count()).select_from(members)).scalar_one()
        of_first = select(func.count()).where(standing.c.opinion == "first")
        n_labels = connection.execute(of_first.where(~standing.c.skip)).scalar_one()
        n_skipped = connection.execute(of_first.where(standing.c.skip)).scalar_one()
        counted = select(standing.c.label_id)
        n_extra = connection.execute(
            select(func.count()).where(labels.c.undoes.is_(None), labels.c.id.not_in(counted))
        ).scalar_one()
    assert (done.n_items, done.n_labels, done.n_skipped, done.n_extra) == (
        n_items,
        n_labels,
        n_skipped,
        n_extra,
    )
    assert (done.n_items, done.n_labels, done.n_skipped, done.n_extra, done.n_erased) == (6, 3, 1, 2, 1)


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_spreadsheet_runs_no_cell_of_the_file(database: Database, tmp_path: Path) -> None:
    filled(database)
    path = export(database, tmp_path / "out.csv").path
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = cells(path)
    assert [rows[0]["item"], rows[1]["label"], rows[2]["item"]] == ["'=cmd()", "'-no", 'quoted "c"\nline']
    assert not any(cell.startswith(tuple("=+-@")) for row in rows for cell in row.values())


def test_the_raw_file_holds_the_values_as_they_are(database: Database, tmp_path: Path) -> None:
    filled(database)
    path = export(database, tmp_path / "out.csv", spreadsheet_safe=False).path
    assert path.read_bytes().startswith(b"loop,id,item,label,")
    rows = cells(path)
    assert [rows[0]["item"], rows[1]["label"], rows[2]["skip"], rows[2]["reason"]] == [
        "=cmd()",
        "-no",
        "true",
        "can't read it",
    ]
    assert [json.loads(rows[i]["others"])[0]["label"] for i in (0, 1)] == ["no", "yes"]
    assert (rows[4]["label"], rows[5]["item"], rows[5]["by"]) == ("", "", "")


@given(st.text(st.sampled_from(["'", "=", "+", "-", "@", "\t", "\r", "\n", "＝", "a", " "]), max_size=6))
def test_neutralising_can_always_be_taken_back(cell: str) -> None:
    safe = neutralised(cell)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    assert restored(safe) == cell


@pytest.mark.parametrize(("said", "kind"), [(["a", "b"], str), ([1, 2], int), ([True, False], bool)])
def test_parquet_holds_labels_of_their_own_kind(
    database: Database, tmp_path: Path, said: list[Any], kind: type
) -> None:
    loop = begin(database, ["a", {"text": "b"}, "c", "bad \ud800"])
    answer(database, loop, 0, said[0])
    answer(database, loop, 1, said[1])
    answer(database, loop, 2, SKIP)
    path = export(database, tmp_path / "out.parquet").path
    table = pd.read_parquet(path)
    assert table["item"].tolist() == ["a", '{"text": "b"}', "c", "bad \\ud800"]
    assert table["label"].tolist()[:2] == said
    assert type(next(read_parquet(path))[1]["label"]) is kind
    assert table["skip"].tolist() == [False, False, True, None]


def test_labels_of_two_kinds_are_text_in_parquet(database: Database, tmp_path: Path) -> None:
    answer(database, begin(database, ["a"], name="one"), 0, "a")
    answer(database, begin(database, ["a"], name="two"), 0, 7)
    path = export(database, tmp_path / "out.parquet").path
    assert [row["label"] for _, row in read_parquet(path)] == ["a", "7"]


def test_parquet_without_pyarrow_says_what_to_install(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(database, ["a"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match="pip install pyarrow"):
        export(database, tmp_path / "out.parquet")
    assert list(tmp_path.glob("*out*")) == []


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"id,label\n")
    with pytest.raises(InvalidInput, match="can't be read as Parquet"):
        list(read_parquet(tmp_path / "a.parquet"))


def test_label_studio_gets_tasks_with_predictions_and_annotations(database: Database, tmp_path: Path) -> None:
    filled(database)
    tasks = json.loads(export(database, tmp_path / "out.json").path.read_text())
    assert [task["data"].get("text") for task in tasks][:2] == ["=cmd()", "b; ü"]
    assert tasks[0]["data"]["bootstrap_id"] == "id0"
    result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["no"]}}]
    assert tasks[0]["predictions"] == [{"model_version": "default 3", "score": 0.75, "result": result}]
    chosen = [[part["result"][0]["value"]["choices"] for part in task["annotations"]] for task in tasks[:2]]
    assert chosen == [[["yes"], ["no"]], [["-no"], ["yes"]]]
    (skipped,) = tasks[2]["annotations"]
    assert (skipped["was_cancelled"], skipped["result"]) == (True, [])
    assert [part["completed_by"] for part in tasks[0]["annotations"]] == [{"email": "ann"}, {"email": "bo"}]
    assert all(datetime.fromisoformat(part["created_at"]).year > 2023 for part in tasks[0]["annotations"])
    assert "completed_by" not in tasks[5]["annotations"][0]
    assert tasks[3]["annotations"] == tasks[4]["annotations"] == tasks[1]["predictions"] == []


def test_label_studio_gets_every_kind_of_item(database: Database, tmp_path: Path) -> None:
    shown = [
        Path("a.png"),
        "https://example.org/b.JPG?x=1",
        Path("c.wav"),
        {"title": "d", "n": 1},
        {"$": "e"},
        [1.5],
        "see f.png",
    ]
    loop = begin(database, shown)
    answer(database, loop, 3, 7)
    tasks = json.loads(export(database, tmp_path / "out.json").path.read_text())
    data = [{k: v for k, v in task["data"].items() if k != "bootstrap_id"} for task in tasks]
    assert data[:4] == [
        {"image": "a.png"},
        {"image": "https://example.org/b.JPG?x=1"},
        {"path": "c.wav"},
        {"title": "d", "n": 1},
    ]
    assert data[4:] == [
        {"item": {"$": "mapping", "of": [["$", "e"]]}},
        {"item": [1.5]},
        {"text": "see f.png"},
    ]
    annotation = tasks[3]["annotations"][0]["result"][0]
    assert (annotation["to_name"], annotation["value"]["choices"]) == ("title", ["7"])


def test_label_studio_asks_people_where_nothing_counts_and_never_sees_traps(
    database: Database, tmp_path: Path
) -> None:
    loop = begin(database, ["differ", "nobody could tell", "trap"])
    answer(database, loop, 0, "yes", stands=False)
    answer(database, loop, 0, "no", by="bo", stands=False)
    answer(database, loop, 1, "yes", stands=False)
    answer(database, loop, 1, SKIP, adjudicates=True)
    answer(database, loop, 2, "yes")
    answer(database, loop, 2, "no", source="trap", stands=False)
    done = export(database, tmp_path / "out.json")
    tasks = json.loads(done.path.read_text())
    assert [len(task["annotations"]) for task in tasks] == [0, 1, 1]
    assert tasks[1]["annotations"][0]["was_cancelled"]
    assert tasks[2]["annotations"][0]["result"][0]["value"]["choices"] == ["yes"]
    assert done.n_unsettled == 1


def test_a_prediction_without_a_confidence_has_no_score(database: Database, tmp_path: Path) -> None:
    loop = begin(database, ["a"])
    with database.writing() as connection:
        asked = [Published(0, "t", "training", 0, 0, 1, 1.0, model=1, predicted="a")]
        loop.publish(connection, database.time(connection), asked, {}, overlap=1, to_desks=False)
    (task,) = json.loads(export(database, tmp_path / "out.json").path.read_text())
    assert "score" not in task["predictions"][0]


def test_rows_of_features_are_what_people_see_where_there_is_nothing_else(
    database: Database, tmp_path: Path
) -> None:
    begin(database, [None, None], X=np.array([[1.5, 2.0], [3.0, np.nan]]), name="one")
    begin(database, [None], X=pd.DataFrame({"a": ["x"]}), name="two")
    shown = [row["item"] for row in lines(export(database, tmp_path / "out.jsonl").path)]
    assert shown == [[1.5, 2.0], [3.0, {"$": "float", "of": "nan"}], {"a": "x"}]
    erase(database, ["id0"], loop="one")
    assert lines(export(database, tmp_path / "out.jsonl").path)[0]["item"] is None


def test_one_loop_or_all_of_them_are_written(database: Database, tmp_path: Path) -> None:
    begin(database, ["a", "b"], name="one")
    begin(database, ["b"], name="two")
    assert export(database, tmp_path / "out.jsonl").n_items == 3
    assert export(database, tmp_path / "out.jsonl", loop="two").n_items == 1
    assert [row["loop"] for row in lines(tmp_path / "out.jsonl")] == ["two"]
    with pytest.raises(InvalidInput, match="no loop 'three'"):
        export(database, tmp_path / "out.jsonl", loop="three")


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet", "out.json"])
def test_an_empty_store_gives_a_file_that_can_be_read(storage: str, tmp_path: Path, name: str) -> None:
    Database(storage).close()
    done = export(storage, tmp_path / name)
    assert done.n_items == 0
    readers: dict[str, Any] = {
        ".json": lambda path: json.loads(path.read_text()),
        ".parquet": pd.read_parquet,
    }
    assert len(readers.get(done.path.suffix, cells)(done.path)) == 0


@pytest.mark.parametrize(
    ("name", "format", "message"),
    [("out.xlsx", None, "ends in '.xlsx'"), ("out.csv", "excel", "'excel' is not one of csv, json")],
)
def test_a_format_that_is_not_known_is_refused(
    database: Database, tmp_path: Path, name: str, format: str | None, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        export(database, tmp_path / name, format=format)


def test_the_format_can_be_named(database: Database, tmp_path: Path) -> None:
    begin(database, ["a"])
    assert lines(export(database, tmp_path / "out", format="jsonl").path)[0]["item"] == "a"


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet", "out.json"])
def test_what_fails_in_the_middle_leaves_the_old_file_alone(
    database: Database, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(database, ["a"])
    path = tmp_path / name
    path.write_text("old")

    def failing(*args: Any) -> Any:
        yield from read_out(*args)
        raise ZeroDivisionError

    monkeypatch.setattr("bootstrap.store.files.exporting.read_out", failing)
    with pytest.raises(ZeroDivisionError):
        export(database, path)
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.glob("*out*")] == [name]


def test_a_disk_that_is_full_or_a_folder_that_is_not_there_is_said(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(database, ["a"])
    with pytest.raises(StoreError, match=r"Cannot write .*no/out.jsonl: No such file"):
        export(database, tmp_path / "no" / "out.jsonl")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        export(database, tmp_path / "out.jsonl")
    assert list(tmp_path.glob("*out*")) == []


def test_a_store_that_fails_in_the_middle_says_so_itself(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any) -> Any:
        raise StoreError("the database is gone")

    monkeypatch.setattr("bootstrap.store.files.exporting.read_out", failing)
    with pytest.raises(StoreError, match=r"^the database is gone"):
        export(database, tmp_path / "out.jsonl")


def test_one_state_of_the_store_is_written_while_others_write(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.store.files.reading_out._PAGE", 2)
    loop = begin(database, [str(i) for i in range(6)])
    answer(database, loop, 0, "yes")

    def slow(*args: Any) -> Any:
        for page in read_out(*args):
            yield page
            if page[0].id == "id0":
                answer(database, loop, 5, "yes")

    monkeypatch.setattr("bootstrap.store.files.exporting.read_out", slow)
    done = export(database, tmp_path / "out.jsonl")
    assert (done.n_items, done.n_labels) == (6, 1)
    assert [row["label"] for row in lines(done.path)] == ["yes", None, None, None, None, None]


def test_memory_does_not_grow_with_the_number_of_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_garbage(*arguments: Any) -> Any:
        for page in read_out(*arguments):
            gc.collect()  # what only waits for the collector is not held
            yield page

    monkeypatch.setattr("bootstrap.store.files.reading_out._PAGE", 200)
    monkeypatch.setattr("bootstrap.store.files.exporting.read_out", without_garbage)
    peaks = []
    for n in (600, 6000):
        database = Database(f"sqlite:///{tmp_path}/{n}.db")
        begin(database, [f"text {i} " + "x" * 200 for i in range(n)])
        export(database, tmp_path / "out.jsonl")
        tracemalloc.start()
        export(database, tmp_path / "out.jsonl")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        database.close()
    assert peaks[1] < 2 * peaks[0]
