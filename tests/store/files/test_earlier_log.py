"""The log that earlier versions kept: whatever a kill has left of it is read, and it is never written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import LogError
from bootstrap.records import SKIP
from bootstrap.store.files.earlier_log import EarlierAnswer, EarlierLog, reading_log

STORED = Path(__file__).parent / "stored" / "labels-1.jsonl"
HEADER = {
    "format": "bootstrap-labels label log",
    "version": 1,
    "key": "0005",
    "settings": {"batch_size": 20, "classes": None},
    "created": "1970-01-01T00:00:10.000+00:00",
}
AT = "1970-01-01T00:00:01.500+00:00"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.jsonl"


def written(path: Path, *rows: dict[str, Any], **header: Any) -> bytes:
    path.write_text(
        "".join(json.dumps(row) + "\n" for row in ({**HEADER, **header}, *rows)), encoding="utf-8"
    )
    return path.read_bytes()


def read(path: Path) -> EarlierLog:
    with reading_log(path) as log:
        return log


def test_a_log_of_the_last_version_that_kept_one_is_read_whole() -> None:
    log = read(STORED)

    assert int.from_bytes(log.key, "big") == 5
    assert (log.settings["strategy"], log.settings["id"], log.settings["pipeline"]) == ("auto", "id", 1)
    assert len(log.answers) == 100
    assert {answer.by for answer in log.answers.values()} == {"Ada", "Bob"}
    assert log.created < min(answer.at for answer in log.answers.values())


def test_the_first_class_stands_until_it_is_undone_and_a_skip_until_a_class_comes(path: Path) -> None:
    written(
        path,
        {"id": "a", "answer": "x", "by": "Ann", "at": AT},
        {"id": "a", "answer": "y", "at": AT},
        {"id": "b", "skip": True, "at": AT},
        {"id": "b", "answer": 3, "at": AT, "seconds": 2.5},
        {"id": "c", "answer": "x", "at": AT},
        {"id": "c", "undo": True, "at": AT},
        {"id": "d", "answer": True, "at": AT},
        {"id": "d", "undo": True, "at": AT},
        {"id": "d", "skip": True, "at": AT},
        {"id": "e", "undo": True, "at": AT},
    )
    log = read(path)

    assert log.answers == {
        "a": EarlierAnswer("x", "Ann", 1.5),
        "b": EarlierAnswer(3, None, 1.5),
        "d": EarlierAnswer(SKIP, None, 1.5),
    }
    assert (log.key, log.settings, log.created) == (b"\x00\x05", HEADER["settings"], 10.0)


def test_a_kill_at_any_byte_of_the_last_line_costs_no_other_answer(path: Path) -> None:
    whole = written(path, {"id": "a", "answer": "x", "at": AT}, {"id": "b", "answer": "y", "at": AT})
    first = whole.rindex(b'{"id"')
    for end in range(first, len(whole) + 1):
        path.write_bytes(whole[:end])
        assert list(read(path).answers) == (["a", "b"] if end >= len(whole) - 1 else ["a"])
        assert path.read_bytes() == whole[:end]


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"answer": "x", "at": "%s"}',
        b'{"id": 3, "answer": "x", "at": "%s"}',
        b'{"id": "z", "at": "%s"}',
        b'{"id": "z", "answer": 1.5, "at": "%s"}',
        b'{"id": "z", "answer": "x"}',
        b'{"id": "z", "answer": "x", "at": "noon"}',
        b"",
    ],
)
def test_a_line_in_the_middle_that_cannot_be_read_is_named(path: Path, line: bytes) -> None:
    header, row = written(path, {"id": "a", "answer": "x", "at": AT}).splitlines()
    path.write_bytes(b"\n".join([header, line.replace(b"%s", AT.encode()), row, b""]))

    with pytest.raises(LogError, match=r"Line 2 of the label log .* can't be read"):
        read(path)


@pytest.mark.parametrize(
    "content", [b"", b"id,text\n", b"{}\n", b"[]\n", b"\xff\n", b'{"format": "other"}\n']
)
def test_another_file_is_no_log(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(LogError, match="is no label log"):
        read(path)


def test_a_log_of_a_newer_format_is_refused(path: Path) -> None:
    written(path, version=2)

    with pytest.raises(LogError, match="format version 2; this program reads version 1"):
        read(path)


def test_a_file_that_is_not_there_is_told(path: Path) -> None:
    with pytest.raises(LogError, match=r"Cannot read the label log .*: No such file"):
        read(path)


def test_a_log_that_is_being_read_is_locked(path: Path) -> None:
    pytest.importorskip("fcntl")
    written(path)
    with reading_log(path), pytest.raises(LogError, match="in use by another process"):
        read(path)
    assert read(path).answers == {}


def test_a_file_system_without_locks_is_read_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*_: object) -> None:
        raise OSError("not supported")

    written(path)
    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert read(path).answers == {}
    monkeypatch.setitem(__import__("sys").modules, "fcntl", None)
    assert read(path).answers == {}
