from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP
from bootstrap.store.files.import_files import BadRow, ImportAnswer, ImportRow, read_import
from bootstrap.store.files.label_studio import read_tasks


def choice(*labels: str, **more: Any) -> dict[str, Any]:
    part = {"from_name": "intent", "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}
    return {"result": [part], "was_cancelled": False, **more}


def write(tmp_path: Path, tasks: Any, **how: Any) -> Path:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks, **how))
    return path


def test_annotated_tasks_are_read_with_all_that_was_said(tmp_path: Path) -> None:
    tasks = [
        {
            "id": 17,
            "data": {"text": "a"},
            "predictions": [choice("ignored")],
            "annotations": [
                choice("yes", completed_by={"email": "ann@example.org"}, created_at="1970-01-02T00:00:00.5Z"),
                choice("no", completed_by=3),
            ],
        },
        {"data": {"title": "b", "n": 1, "bootstrap_id": "id7"}, "annotations": [{"was_cancelled": True}]},
        {"data": {}},
    ]
    found = list(read_import(write(tmp_path, tasks, indent=1)))
    assert found[0] == ImportRow(
        1,
        None,
        "a",
        (ImportAnswer("yes", "ann@example.org", 86400.5), ImportAnswer("no", "3")),
        is_text=True,
    )
    assert isinstance(found[1], ImportRow)
    assert (found[1].id, found[1].item) == ("id7", {"title": "b", "n": 1})
    assert found[1].answers == (ImportAnswer(SKIP),)
    assert isinstance(found[2], ImportRow)
    assert found[2].item is None


def test_tasks_that_make_no_sense_are_reported_and_the_others_are_read(tmp_path: Path) -> None:
    good = {"data": {"text": "a"}, "annotations": [choice("yes")]}
    tasks = [
        7,
        {"text": "JSON-MIN"},
        {"data": {"text": "a"}, "annotations": [choice("yes", "no")]},
        {"data": {"text": "a"}, "annotations": [{"result": []}]},
        {"data": {"text": "a"}, "annotations": [choice("yes", created_at="yesterday")]},
        {"data": {"text": "a"}, "annotations": [choice("yes", created_at=7)]},
        good,
    ]
    found = list(read_import(write(tmp_path, tasks)))
    assert [row.why for row in found if isinstance(row, BadRow)] == [
        "is no task: an object with data",
        "is no task: an object with data",
        "an annotation chooses 2 classes ('yes', 'no'): one class for an item is needed",
        "an annotation chooses no class: one class for an item is needed",
        "an annotation's created_at='yesterday' is no time",
        "an annotation's created_at=7 is no time",
    ]
    assert isinstance(found[-1], ImportRow)
    assert [row.line for row in found] == [1, 2, 3, 4, 5, 6, 7]


def test_a_file_that_breaks_off_gives_what_stands_before(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text('[\n{"data": {"text": "a"}},\n{"data": {"text":\n')
    good, bad = read_import(path)
    assert isinstance(good, ImportRow)
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert "is no JSON from line 4 on" in bad.why


@pytest.mark.parametrize("content", ["", "{}", "  text", '{"data": {}}'])
def test_what_is_no_array_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(content)
    with pytest.raises(InvalidInput, match="is no array of tasks"):
        list(read_import(path))


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
@pytest.mark.parametrize("indent", [None, 2])
def test_where_the_file_is_cut_into_pieces_makes_no_difference(
    tmp_path: Path, chunk: int, indent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.store.files.label_studio._CHUNK", chunk)
    tasks = [{"data": {"text": f'ü "{i}" ]\n'}, "n": [i, -1.5e10, None]} for i in range(20)]
    path = write(tmp_path, tasks, indent=indent, ensure_ascii=False)
    path.write_text("\ufeff \n" + path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert list(read_tasks(path)) == tasks
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.rstrip()[:-1] + "\n\n,?", encoding="utf-8")
    *found, error = read_tasks(path)
    assert found == tasks
    where = path.read_text(encoding="utf-8").count("\n") + 1
    assert f"is no JSON from line {where} on" in str(error)


def test_memory_does_not_grow_with_the_number_of_tasks(tmp_path: Path) -> None:
    path = write(tmp_path, [{"data": {"text": "x" * 500}}] * 20_000)
    tracemalloc.start()
    assert sum(1 for _ in read_tasks(path)) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size / 10


def test_one_task_may_be_long(tmp_path: Path) -> None:
    task = {"data": {"text": "x" * 3_000_000}}
    assert list(read_tasks(write(tmp_path, [task, {}]))) == [task, {}]
