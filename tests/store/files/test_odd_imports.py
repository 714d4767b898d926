"""Files whose parts have another shape than they should: such rows are reported, and the others are read."""

from __future__ import annotations

import json

import pytest

from bootstrap.store.files.import_files import BadRow, ImportRow, read_import

RIGHT = {"data": {"text": "a"}, "annotations": [{"result": [{"value": {"choices": ["ham"]}}]}]}


@pytest.mark.parametrize(
    "annotations",
    [
        "x",
        ["x"],
        {"a": 1},
        [{"result": "x"}],
        [{"result": [None]}],
        [{"result": [{"value": None}]}],
        [{"result": [{"value": {"choices": "ham"}}]}],
        [{"result": [{"value": {"choices": ["\ud800"]}}]}],
    ],
)
def test_a_task_with_odd_annotations_is_reported_and_the_next_is_read(tmp_path, annotations):
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([{"data": {"text": "b"}, "annotations": annotations}, RIGHT]))
    bad, good = read_import(path)
    assert isinstance(bad, BadRow)
    assert isinstance(good, ImportRow)
    assert good.answers[0].label == "ham"


def test_tasks_that_are_nested_too_deeply_are_reported(tmp_path):
    path = tmp_path / "tasks.json"
    path.write_text("[" + json.dumps(RIGHT) + ",\n" + "[" * 100_000)
    _, bad = read_import(path)
    assert isinstance(bad, BadRow)
    assert "nested too deeply" in bad.why


@pytest.mark.parametrize(
    "odd",
    [
        '{"item": "b", "label": ' + "[" * 100_000 + "}",
        '{"item": "b", "label": "ham", "others": [{"number": [1], "label": "ham"}]}',
        '{"item": "b", "label": "ham", "others": [{"undoes": [1]}]}',
        '{"item": "b", "label": "\\ud800"}',
    ],
)
def test_an_odd_json_line_is_reported_and_the_next_is_read(tmp_path, odd):
    path = tmp_path / "labels.jsonl"
    path.write_text(odd + '\n{"item": "a", "label": "ham"}\n')
    bad, good = read_import(path)
    assert isinstance(bad, BadRow)
    assert isinstance(good, ImportRow)
