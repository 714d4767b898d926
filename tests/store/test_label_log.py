"""The label log: on the disk before it says so, and readable after a kill at any instant."""

from __future__ import annotations

import datetime
import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput, LogError
from bootstrap.records import SKIP
from bootstrap.store import LabelLog

BEGIN = b'{"format": "bootstrap-labels label log", "version": 1'
SETTINGS = {"batch_size": 20, "strategy": "margin", "classes": ["spam", "ham"]}

texts = st.text(min_size=1).filter(lambda text: text.strip() and not text.endswith("\x00"))
labels = st.one_of(texts, st.integers(-(2**63) + 1, 2**63 - 1), st.booleans(), st.just(SKIP))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.jsonl"


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def written(path: Path, *answers: tuple[str, Any]) -> bytes:
    """Write a log of these answers and return its content."""
    with LabelLog.open(path, settings=SETTINGS, key=b"k" * 16) as log:
        for item_id, answer in answers:
            log.append(item_id, answer)
    return path.read_bytes()


def test_the_first_line_says_what_the_file_is(path: Path) -> None:
    LabelLog.open(path, settings=SETTINGS, key=b"\x01\xff", clock=lambda: 0.0).close()

    assert json.loads(path.read_text(encoding="utf-8")) == {
        "format": "bootstrap-labels label log",
        "version": 1,
        "key": "01ff",
        "settings": SETTINGS,
        "created": "1970-01-01T00:00:00.000+00:00",
    }


def test_an_answer_is_one_line_and_is_there_when_append_returns(path: Path) -> None:
    with LabelLog.open(path, clock=lambda: 1.5) as log:
        log.append("Zoë/1", "späm \n\u2028", by="Ann", seconds=2.34567)
        content = path.read_bytes().decode()

        assert content.count("\n") == 2
        assert json.loads(content.split("\n")[1]) == {
            "id": "Zoë/1",
            "answer": "späm \n\u2028",
            "by": "Ann",
            "seconds": 2.346,
            "at": "1970-01-01T00:00:01.500+00:00",
        }
        assert "Zoë" in content


def test_resuming_gives_back_the_key_the_settings_and_the_answers(path: Path) -> None:
    with LabelLog.open(path, settings=SETTINGS, key=b"first") as log:
        log.append("a", "spam")
        log.append("b", SKIP)
        created = log.created
    with LabelLog.open(path, settings=SETTINGS, key=b"second") as log:
        assert (log.key, log.settings, log.created) == (b"first", SETTINGS, created)
        assert datetime.datetime.fromisoformat(created).tzinfo is not None
        assert log.answers == {"a": "spam", "b": SKIP}


def test_a_key_that_is_not_given_is_drawn(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        with LabelLog.open(tmp_path / name) as log:
            keys.add(log.key)

    assert len(keys) == 2
    assert {len(key) for key in keys} == {16}


@given(st.dictionaries(st.text(), labels))
def test_every_label_comes_back_with_its_exact_type(answers: dict[str, Any]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder) / "log", *answers.items())
        with LabelLog.open(Path(folder) / "log") as log:
            found = log.answers

    assert found == answers
    assert {item_id: type(label) for item_id, label in found.items()} == {
        item_id: type(label) for item_id, label in answers.items()
    }


@pytest.mark.parametrize(
    ("given_label", "plain"),
    [(np.int64(3), 3), (np.str_("spam"), "spam"), (np.bool_(True), True), (2.0, 2), (np.float64(2.0), 2)],
)
def test_numpy_scalars_are_stored_as_plain_values(path: Path, given_label: Any, plain: Any) -> None:
    with LabelLog.open(path) as log:
        log.append("a", given_label)
        found = log.answers["a"]

    assert found == plain
    assert type(found) is type(plain)
    assert rows(path)[0]["answer"] is plain or rows(path)[0]["answer"] == plain


def test_half_a_surrogate_pair_survives(path: Path) -> None:
    written(path, ("broken \ud83d name", "spam"))

    with LabelLog.open(path) as log:
        assert log.answers == {"broken \ud83d name": "spam"}


@pytest.mark.parametrize("answer", [None, 0.5, ["spam"], b"spam", float("nan")])
def test_what_is_no_label_is_refused_and_not_written(path: Path, answer: Any) -> None:
    with LabelLog.open(path) as log:
        before = path.read_bytes()
        with pytest.raises(InvalidInput, match="is not a label"):
            log.append("a", answer)

        assert path.read_bytes() == before
        assert log.answers == {}


def test_the_first_class_stands_and_later_ones_are_kept_as_lines(path: Path) -> None:
    with LabelLog.open(path) as log:
        for answer in (SKIP, "spam", "ham", SKIP):
            log.append("a", answer)
        assert log.answers == {"a": "spam"}

    assert [row.get("answer", "skip") for row in rows(path)] == ["skip", "spam", "ham", "skip"]
    with LabelLog.open(path) as log:
        assert log.answers == {"a": "spam"}


def test_undoing_is_a_line_of_its_own_and_another_answer_may_follow(path: Path) -> None:
    with LabelLog.open(path) as log:
        log.append("a", "spam")
        log.append("b", "spam")
        log.undo("a")
        assert log.answers == {"b": "spam"}
        log.append("a", "ham")
        assert log.answers == {"b": "spam", "a": "ham"}

    assert [row.get("undo", False) for row in rows(path)] == [False, False, True, False]
    with LabelLog.open(path) as log:
        assert log.answers == {"b": "spam", "a": "ham"}
        log.undo("a")
    with LabelLog.open(path) as log:
        assert log.answers == {"b": "spam"}


def test_undoing_what_has_no_answer_is_refused(path: Path) -> None:
    with LabelLog.open(path) as log, pytest.raises(InvalidInput, match="no answer to 'a'"):
        log.undo("a")


def test_changing_the_answers_handed_out_changes_nothing(path: Path) -> None:
    with LabelLog.open(path) as log:
        log.append("a", "spam")
        log.answers.clear()
        assert log.answers == {"a": "spam"}


def test_other_settings_are_refused_by_name_with_both_values(path: Path) -> None:
    before = written(path, ("a", "spam"))
    now = {"batch_size": 50, "classes": ("spam", "ham"), "seed": 7}

    with pytest.raises(LogError) as refused:
        LabelLog.open(path, settings=now)
    message = str(refused.value)
    assert "batch_size is 20 in the log and 50 now" in message
    assert "strategy is 'margin' in the log and not set now" in message
    assert "seed is not set in the log and 7 now" in message
    assert "classes" not in message
    assert "or a new file for a new run" in message
    assert path.read_bytes() == before


def test_settings_may_hold_tuples_and_numpy_values(path: Path) -> None:
    settings = {"classes": ("a", "b"), "n": np.int64(3), "rate": np.float32(0.5), "grid": np.array([1, 2])}
    LabelLog.open(path, settings=settings).close()

    with LabelLog.open(path, settings={"grid": [1, 2], "rate": 0.5, "n": 3, "classes": ["a", "b"]}) as log:
        assert log.settings == {"classes": ["a", "b"], "n": 3, "rate": 0.5, "grid": [1, 2]}


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_settings_that_are_no_json_are_refused_before_a_file_is_made(path: Path, value: Any) -> None:
    with pytest.raises(InvalidInput, match="must be plain JSON values"):
        LabelLog.open(path, settings={"x": value})
    assert not path.exists()


def test_a_log_opened_without_settings_takes_its_own(path: Path) -> None:
    written(path)

    with LabelLog.open(path) as log:
        assert log.settings == SETTINGS


def test_a_log_cut_at_any_byte_keeps_every_whole_line(path: Path) -> None:
    whole = written(path, ("ä", "späm"), ("b", SKIP), ("c", 3))
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    answers = {"ä": "späm", "b": SKIP, "c": 3}

    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        with LabelLog.open(path, settings=SETTINGS, key=b"k" * 16) as log:
            # a line of which only the end is missing says everything
            n_whole = sum(end <= cut for end in ends[1:])
            assert log.answers == dict(list(answers.items())[:n_whole]), cut
            log.append("new", "ham")
        with LabelLog.open(path) as log:
            assert log.answers == {**dict(list(answers.items())[:n_whole]), "new": "ham"}, cut
            assert log.key == b"k" * 16


def test_a_cut_inside_the_header_begins_the_log_anew(path: Path) -> None:
    header = written(path)
    path.write_bytes(header[:-5])

    with LabelLog.open(path, settings={"other": 1}) as log:
        assert log.settings == {"other": 1}


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": "b"}',
        b'{"answer": "spam"}',
        b'{"id": 3, "answer": "spam"}',
        b'{"id": "b", "answer": null}',
        b'{"id": "b", "answer": 0.5}',
        b'["b", "spam"]',
        b'{"id": "b", "answ',
        b"\xff\xfe",
        b"",
    ],
)
def test_a_bad_line_before_the_last_is_named_and_nothing_is_changed(path: Path, line: bytes) -> None:
    content = written(path, ("a", "spam")) + line + b"\n" + b'{"id": "c", "ans'
    path.write_bytes(content)

    with pytest.raises(LogError, match="Line 3 of the label log"):
        LabelLog.open(path, settings=SETTINGS)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [
        b"text,label\nhello,spam\n",
        b"hello",
        b"[1, 2]\n",
        b'{"format": "something else"}\n',
        BEGIN + b"}\n",
        BEGIN + b', "key": "xy", "settings": {}, "created": ""}\n',
        BEGIN + b', "key": "00", "settings": 3, "created": ""}\n',
        BEGIN + b', "key": "00", "settings": {}, "created": 3}\n',
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_another_file_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(LogError, match="is no label log"):
        LabelLog.open(path)
    assert path.read_bytes() == content


def test_a_log_of_a_later_version_is_refused(path: Path) -> None:
    written(path)
    path.write_text(
        path.read_text(encoding="utf-8").replace('"version": 1', '"version": 2'), encoding="utf-8"
    )

    with pytest.raises(LogError, match="format version 2; this program reads version 1"):
        LabelLog.open(path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"No such file or directory\. Check that its folder exists"):
        LabelLog.open(tmp_path / "nowhere" / "labels.jsonl")


def test_a_log_in_use_is_refused_until_it_is_closed(path: Path) -> None:
    pytest.importorskip("fcntl")
    with LabelLog.open(path), pytest.raises(LogError, match="in use by another process"):
        LabelLog.open(path)

    LabelLog.open(path).close()


def test_a_refused_log_is_not_left_locked(path: Path) -> None:
    written(path)
    with pytest.raises(LogError, match="other settings"):
        LabelLog.open(path, settings={})

    LabelLog.open(path).close()


def test_without_locks_the_log_works_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)

    assert written(path, ("a", "spam")).count(b"\n") == 2


def test_a_file_system_without_locks_is_no_obstacle(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def no_locks(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)

    assert written(path, ("a", "spam")).count(b"\n") == 2


def test_a_closed_log_says_so(path: Path) -> None:
    log = LabelLog.open(path)
    log.append("a", "spam")
    log.close()
    log.close()

    with pytest.raises(LogError, match="is closed"):
        log.append("b", "spam")
    with pytest.raises(LogError, match="is closed"):
        log.undo("a")
    assert log.answers == {"a": "spam"}


def test_a_full_disk_leaves_the_log_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def half_a_line(fd: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data[:-19])

    with LabelLog.open(path) as log:
        log.append("a", "spam")
        before = path.read_bytes()
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", half_a_line)
            with pytest.raises(LogError, match=r"No space left on device\. The last answer was not saved"):
                log.append("b", "ham")

        assert path.read_bytes() == before
        assert log.answers == {"a": "spam"}
        log.append("b", "ham")
    assert [row["id"] for row in rows(path)] == ["a", "b"]


def test_a_line_written_in_pieces_is_whole_in_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with LabelLog.open(path) as log:
        monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
        log.append("a", "spam")
    with LabelLog.open(path) as log:
        assert log.answers == {"a": "spam"}


def test_a_line_is_synced_to_the_disk_before_append_returns(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    with LabelLog.open(path) as log:
        monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_size))
        log.append("a", "spam")
        log.undo("a")

    lengths = [len(line) + 1 for line in path.read_bytes().split(b"\n")[:-1]]
    assert synced == [sum(lengths[:2]), sum(lengths)]


@pytest.mark.skipif(os.name == "nt", reason="folders can't be synced")
def test_a_new_log_is_synced_with_its_name_in_the_folder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    LabelLog.open(path).close()

    assert synced == [path.stat().st_ino, path.parent.stat().st_ino]


def test_a_folder_that_cannot_be_synced_is_no_obstacle(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def only_files(name: Any, flags: int, mode: int = 0o777) -> int:
        if Path(name).is_dir():
            raise PermissionError(errno.EACCES, "as on Windows")
        return opened(name, flags, mode)

    monkeypatch.setattr(os, "open", only_files)

    assert written(path).count(b"\n") == 1


WRITER = """
import sys
from bootstrap.store import LabelLog

path, first = sys.argv[1], int(sys.argv[2])
with LabelLog.open(path, settings={"run": "kill"}) as log:
    for number in range(first, first + 100_000):
        log.append(f"Stück {number}", f"Größe {number % 7}", by="Zoë", seconds=1.0)
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_after_kill_nine_every_acknowledged_answer_is_there_once(path: Path, repository: Path) -> None:
    rng = random.Random(11)
    acknowledged: set[int] = set()
    for round_ in range(10):
        command = [sys.executable, "-c", WRITER, str(path), str(round_ * 100_000)]
        environment = {**os.environ, "PYTHONPATH": str(repository), "PYTHONIOENCODING": "utf-8"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
            assert writer.stdout is not None
            acknowledged.add(int(writer.stdout.readline()))
            time.sleep(rng.uniform(0.0, 0.05))
            writer.kill()
            # a kill may cut the last acknowledgement short, too
            acknowledged.update(int(line) for line in writer.stdout if line.endswith("\n"))
        assert writer.returncode == -signal.SIGKILL

    with LabelLog.open(path, settings={"run": "kill"}) as log:
        answers = log.answers
    ids = [row["id"] for row in rows(path)]
    assert len(ids) == len(set(ids)) == len(answers)
    assert len(acknowledged) >= 10
    for number in acknowledged:
        assert answers[f"Stück {number}"] == f"Größe {number % 7}"
    assert len(answers) <= len(acknowledged) + 10  # at most one unacknowledged answer a kill
