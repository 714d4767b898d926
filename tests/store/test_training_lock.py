"""One trainer at a time, and never one that is no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

import bootstrap
from bootstrap.errors import StoreError, StoreInUse
from bootstrap.store.database import Database
from bootstrap.store.training_lock import TrainingLock

HOLDER = """
import sys, time
from bootstrap.store.database import Database
from bootstrap.store.training_lock import TrainingLock
database = Database(sys.argv[1])
lock = TrainingLock(database, sys.argv[2])
lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def start_holder(database: Database, storage: str) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts another process that holds the lock of a loop."""
    del database  # which has made the store
    started: list[subprocess.Popen[str]] = []

    def start(loop: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(Path(bootstrap.__file__).parents[1])}
        command = [sys.executable, "-c", HOLDER, storage, loop]
        holder = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        return holder

    yield start
    for holder in started:
        holder.kill()
        holder.communicate()


def acquire_within(lock: TrainingLock, seconds: float) -> None:
    """The server needs a moment to see that the other end is gone."""
    end = time.monotonic() + seconds
    while True:
        try:
            return lock.acquire()
        except StoreInUse:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def test_a_second_trainer_is_refused_until_the_first_gives_the_lock_back(database: Database) -> None:
    with (
        closing(TrainingLock(database, "team")) as first,
        closing(TrainingLock(database, "team")) as second,
    ):
        first.acquire()
        with pytest.raises(
            StoreInUse, match=r"trains the loop 'team' of .*free as soon as its holder is gone"
        ):
            second.acquire()
        assert (first.held, second.held) == (True, False)

        first.release()
        second.acquire()
        assert (first.held, second.held) == (False, True)
        with pytest.raises(StoreInUse):
            first.acquire()


def test_loops_do_not_wait_for_each_other(database: Database) -> None:
    with TrainingLock(database, "team") as team, TrainingLock(database, "urgency") as urgency:
        assert team.held
        assert urgency.held


def test_taking_it_twice_is_taking_it_once(database: Database) -> None:
    with closing(TrainingLock(database, "team")) as lock, closing(TrainingLock(database, "team")) as other:
        lock.acquire()
        lock.acquire()
        lock.release()
        assert not lock.held
        other.acquire()
        assert other.held


def test_giving_back_what_is_not_held_does_nothing(database: Database) -> None:
    with TrainingLock(database, "team") as held, closing(TrainingLock(database, "team")) as lock:
        lock.release()
        assert held.held
    lock.release()
    lock.close()


def test_it_is_given_back_when_training_fails(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), TrainingLock(database, "team"):
        raise ZeroDivisionError
    with TrainingLock(database, "team") as lock:
        assert lock.held


def test_labels_come_in_while_it_is_held(database: Database) -> None:
    with TrainingLock(database, "team"), database.writing() as connection:
        assert database.time(connection) > 0


def test_another_process_is_named_and_once_it_is_killed_the_lock_is_free(
    database: Database, start_holder: Callable[[str], subprocess.Popen[str]]
) -> None:
    holder = start_holder("team")
    with closing(TrainingLock(database, "team")) as lock:
        with pytest.raises(StoreInUse, match=rf"\b{holder.pid} on .*since 20\d\d-"):
            lock.acquire()

        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        acquire_within(lock, 10)
        assert lock.held


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_of_the_holder_holds_nothing_and_its_end_takes_nothing_away(database: Database) -> None:
    def child() -> int:
        held = lock.held
        try:
            lock.acquire()
        except StoreInUse:
            return 1 if held else 0
        return 2

    with closing(TrainingLock(database, "team")) as lock, closing(TrainingLock(database, "team")) as other:
        lock.acquire()
        pid = os.fork()
        if pid == 0:
            code = 3
            try:
                code = child()
                lock.close()
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        assert lock.held
        with pytest.raises(StoreInUse):
            other.acquire()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_may_take_it_once_its_parent_has_given_it_back(database: Database) -> None:
    with closing(TrainingLock(database, "team")) as lock:
        lock.acquire()
        ready, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 3
            try:
                os.read(ready, 1)
                lock.acquire()
                code = 0 if lock.held else 1
            finally:
                os._exit(code)
        lock.release()
        os.write(go, b"x")
        _, status = os.waitpid(pid, 0)
        os.close(ready)
        os.close(go)

        assert os.waitstatus_to_exitcode(status) == 0
        acquire_within(lock, 10)
        assert lock.held


def test_one_thread_may_give_back_what_another_took(database: Database) -> None:
    with closing(TrainingLock(database, "team")) as lock:
        thread = threading.Thread(target=lock.acquire)
        thread.start()
        thread.join()
        assert lock.held
        lock.release()
        with TrainingLock(database, "team") as other:
            assert other.held


def test_of_many_who_want_it_at_once_one_gets_it(database: Database) -> None:
    locks = [TrainingLock(database, "team") for _ in range(8)]
    outcomes: list[str] = []

    def want(lock: TrainingLock) -> None:
        try:
            lock.acquire()
            outcomes.append("held")
        except StoreInUse:
            outcomes.append("refused")

    threads = [threading.Thread(target=want, args=(lock,)) for lock in locks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for lock in locks:
        lock.close()

    assert sorted(outcomes) == ["held"] + ["refused"] * 7


def test_the_side_file_lies_beside_the_store_wherever_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(Database("sqlite:///labels.db")) as database:
        lock = TrainingLock(database, "team")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        with lock:
            assert [path.suffix for path in tmp_path.glob("labels.db.*")] == [".trainer"]
        assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_side_file_that_is_something_else_says_what_to_do(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path}/labels.db")) as database:
        with TrainingLock(database, "team"):
            (side,) = tmp_path.glob("*.trainer")
        side.write_text("something else " * 100, encoding="utf-8")
        with closing(TrainingLock(database, "team")) as lock:
            with pytest.raises(StoreError, match=r"can't be locked for training.*may be deleted"):
                lock.acquire()
            assert not lock.held


def test_a_side_file_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path}/labels.db")) as database:
        with TrainingLock(database, "team"):
            (side,) = tmp_path.glob("*.trainer")
        side.unlink()
        side.mkdir()
        with pytest.raises(StoreError, match="can't be locked for training"):
            TrainingLock(database, "team").acquire()


def test_whoever_is_in_the_middle_of_coming_is_not_named(tmp_path: Path) -> None:
    import sqlite3

    with closing(Database(f"sqlite:///{tmp_path}/labels.db")) as database:
        with TrainingLock(database, "team"):
            (side,) = tmp_path.glob("*.trainer")
        with (
            closing(sqlite3.connect(side, isolation_level=None)) as coming,
            closing(TrainingLock(database, "team")) as lock,
        ):
            coming.execute("BEGIN EXCLUSIVE")
            with pytest.raises(StoreInUse, match=r"'team' of \S+\. Wait for it"):
                lock.acquire()


def test_a_connection_that_breaks_has_lost_the_lock_and_it_can_be_taken_again(postgres_storage: str) -> None:
    with (
        closing(Database(postgres_storage)) as database,
        closing(TrainingLock(database, "team")) as lock,
    ):
        lock.acquire()
        with database.claiming() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE application_name LIKE 'trainer %' AND datname = current_database()"
                )
            )
        assert not lock.held
        lock.release()
        lock.acquire()
        assert lock.held
