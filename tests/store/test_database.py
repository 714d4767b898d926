"""One store on two kinds of database: what is promised of opening it and of every transaction."""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import threading
import time
import weakref
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from bootstrap.errors import InvalidInput, MissingExtra, StoreError
from bootstrap.store import database as database_module
from bootstrap.store import schema, trail
from bootstrap.store.answers import next_id
from bootstrap.store.database import Database, opened
from bootstrap.store.desks.desk import Desk


def add_item(database: Database, key: str) -> None:
    with database.writing() as connection:
        connection.execute(insert(schema.items).values(key=key, added_at=0.0))


def n_items(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.items)).scalar_one())


def test_a_new_store_knows_its_schema_and_has_an_empty_trail(database: Database) -> None:
    with database.reading() as connection:
        row = connection.execute(select(schema.store)).one()

    assert (row.id, row.schema_version, row.trail_length) == (1, schema.SCHEMA_VERSION, 0)
    assert row.trail_head == "0" * 64
    assert abs(row.created_at - time.time()) < 600


def test_a_store_is_opened_again_as_it_was(storage: str) -> None:
    with closing(Database(storage)) as database:
        add_item(database, "x")
    with closing(Database(storage, must_exist=True)) as database:
        assert n_items(database) == 1


def test_many_may_begin_one_store_at_once(storage: str) -> None:
    failed: list[BaseException] = []

    def begin() -> None:
        try:
            Database(storage).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    with closing(Database(storage, must_exist=True)) as database, database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(schema.store)).scalar_one() == 1


def test_a_store_that_must_exist_is_not_made(storage: str, tmp_path: Path) -> None:
    for opening in (lambda: Database(storage, must_exist=True), lambda: opened(storage).__enter__()):
        with pytest.raises(StoreError, match="There is no store at"):
            opening()

    assert list(tmp_path.iterdir()) == []


def test_a_file_without_tables_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "labels.db").touch()

    with pytest.raises(StoreError, match="the database has no such tables"):
        Database(f"sqlite:///{tmp_path / 'labels.db'}", must_exist=True)


def test_what_is_given_open_is_left_open(database: Database) -> None:
    with opened(database) as same:
        assert same is database
    assert n_items(database) == 0


def test_a_closed_store_can_be_used_again(database: Database) -> None:
    database.close()
    add_item(database, "x")
    assert n_items(database) == 1


@pytest.mark.parametrize(
    ("url", "match"),
    [
        (None, "storage is a URL such as"),
        (Path("labels.db"), "storage is a URL such as"),
        ("labels.db", "storage is a URL such as"),
        ("sqlite://", "names no file to keep labels in"),
        ("sqlite:///", "names no file to keep labels in"),
        ("sqlite:///:memory:", "names no file to keep labels in"),
        ("sqlite://labels.db", "a fourth slash for a path from the root"),
        ("sqlite://host/labels.db", "a fourth slash for a path from the root"),
        ("sqlite:///a\0b.db", "names no file"),
        ("sqlite:///labels.db?timeout=5", "options after a question mark"),
        ("sqlite:///file:labels.db?mode=ro&uri=true", "options after a question mark"),
        ("postgresql://host:port/labels", "storage is a URL such as"),
        ("mysql://host/labels", "on SQLite or PostgreSQL, got mysql"),
    ],
)
def test_what_is_no_url_of_a_store_is_refused(url: Any, match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        Database(url)


@pytest.mark.parametrize(
    "name",
    ["my labels.db", "my%20labels.db", "really?.db", "?.db", "a#1.db", "100%.db", "ünï.db", "a&b+c@d:e.db"],
)
def test_a_path_means_what_it_says(name: str, tmp_path: Path) -> None:
    """And so does the URL that messages show: it opens the same store."""
    with closing(Database(f"sqlite:///{tmp_path / name}")) as database:
        add_item(database, "x")
        shown = database.url
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]
    assert shown == f"sqlite:///{tmp_path / name}"
    with closing(Database(shown, must_exist=True)) as database:
        assert n_items(database) == 1


@pytest.mark.parametrize("name", [r"C:\team\labels.db", "C:/team/labels.db"])
def test_a_windows_path_is_taken_as_it_is(name: str) -> None:
    assert database_module._parse(f"sqlite:///{name}").database == name


def test_whoever_comes_before_the_loop_is_told_to_start_it(storage: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"There is no store at .* first start the loop with this storage"):
        Desk(storage, "ann")
    assert list(tmp_path.iterdir()) == []


def test_without_psycopg_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise ImportError("No module named 'psycopg'")

    monkeypatch.setattr(database_module, "create_engine", missing)

    with pytest.raises(MissingExtra, match=r"pip install psycopg\[binary\].*\[postgres\]"):
        Database("postgresql://host/labels")


def test_a_password_is_never_shown() -> None:
    importlib.import_module("psycopg")
    with pytest.raises(StoreError) as raised:
        Database("postgresql://ann:secret@127.0.0.1:1/labels")

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["postgresql//ann:secret@host", "postgresql://host/labels?password=secret"])
def test_a_password_in_a_wrong_url_is_not_shown_either(url: str) -> None:
    with pytest.raises(InvalidInput, match="storage") as raised:
        Database(url)

    assert "secret" not in str(raised.value)


def test_writers_come_one_after_the_other(database: Database) -> None:
    """Numbers of rows rise in the order of the trail, without a gap, whoever writes."""

    def write() -> None:
        for _ in range(10):
            with database.writing() as connection:
                number = next_id(connection, schema.loops)
                values = {
                    "name": f"loop {number}",
                    "settings": "",
                    "entropy": "",
                    "key": "",
                    "created_at": 0.0,
                }
                connection.execute(
                    insert(schema.loops).values(id=number, class_version=1, taken_up_to=0, **values)
                )
                trail.append(connection, "made", {"number": number}, 0.0)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.reading() as connection:
        bodies = connection.execute(select(schema.trail.c.body).order_by(schema.trail.c.seq)).scalars().all()
    assert bodies == [f'{{"number":{number}}}' for number in range(1, 41)]


def test_a_reader_sees_one_state_while_others_write(database: Database) -> None:
    add_item(database, "before")
    with database.reading() as connection:
        counting = select(func.count()).select_from(schema.items)
        seen = [connection.execute(counting).scalar_one()]
        thread = threading.Thread(target=add_item, args=(database, "meanwhile"))
        thread.start()
        thread.join()
        seen.append(connection.execute(counting).scalar_one())

    assert seen == [1, 1]
    assert n_items(database) == 2


def test_claims_do_not_wait_for_a_writer_on_postgresql(postgres_storage: str) -> None:
    with closing(Database(postgres_storage)) as database, database.writing() as connection:
        trail.append(connection, "long", {}, 0.0)
        with database.claiming() as claiming:
            claiming.execute(insert(schema.items).values(key="claimed", added_at=0.0))
        assert n_items(database) == 1


def test_nothing_of_a_call_that_failed_is_left_in_the_next(database: Database) -> None:
    def half() -> None:
        with database.writing() as connection:
            trail.append(connection, "half", {}, 1.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()

    with database.reading() as connection:
        assert trail.length_of(connection) == 0
    with (
        database.claiming() as connection,
        pytest.raises(RuntimeError, match=r"within Database\.writing only"),
    ):
        trail.append(connection, "claimed", {}, 1.0)


def test_the_databases_clock_is_the_time(database: Database) -> None:
    with database.reading() as connection:
        told = [database.time(connection), connection.execute(select(database.now)).scalar_one()]

    assert all(abs(float(at) - time.time()) < 600 for at in told)


def test_a_clock_that_is_given_is_the_time(storage: str) -> None:
    with closing(Database(storage, clock=lambda: 12.5)) as database, database.reading() as connection:
        assert database.time(connection) == 12.5
        assert connection.execute(select(database.now)).scalar_one() == 12.5


def test_sqlite_writes_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    with (
        closing(Database(f"sqlite:///{tmp_path / 'labels.db'}")) as database,
        database.reading() as connection,
    ):
        told = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 60_000}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_of_a_fork_uses_connections_of_its_own(database: Database) -> None:
    add_item(database, "parent")
    child = multiprocessing.get_context("fork").Process(target=add_item, args=(database, "child"))
    child.start()
    child.join(30)

    assert child.exitcode == 0
    add_item(database, "parent again")
    assert n_items(database) == 3


def test_a_store_that_nobody_holds_any_more_is_let_go(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'labels.db'}")
    database.close()
    left = weakref.ref(database)
    del database
    gc.collect()

    assert left() is None


def test_a_claim_looks_rows_up_by_an_index_and_nothing_else_has_to(postgres_storage: str) -> None:
    def reads_whole_tables(connection: Any) -> str:
        return str(connection.exec_driver_sql("SHOW enable_seqscan").scalar_one())

    with closing(Database(postgres_storage)) as database:
        with database.claiming() as connection:
            assert reads_whole_tables(connection) == "off"
        with database.writing() as connection:
            assert reads_whole_tables(connection) == "on"
