"""Statements that go to the driver itself: what they return, and what their failures are called."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, event, select, text, update
from sqlalchemy.exc import IntegrityError

from bootstrap.errors import StoreError
from bootstrap.store import database as database_module
from bootstrap.store import schema
from bootstrap.store.database import Database
from bootstrap.store.inserting import insert_rows
from bootstrap.store.prepared import Prepared

BY_NAME = Prepared(select(schema.reviewers).where(schema.reviewers.c.name == bindparam("name")))
RENAME = Prepared(
    update(schema.reviewers).where(schema.reviewers.c.name == bindparam("was")).values(name=bindparam("is"))
)


def add(connection: Connection, name: str) -> None:
    values = {"name": name, "most_held": 3, "added_at": 1.5, "removed_at": None}
    insert_rows(connection, schema.reviewers, [{**values, "is_adjudicator": True}])


def test_rows_have_names_and_booleans_as_the_table_has_them(database: Database) -> None:
    with database.claiming() as connection:
        add(connection, "anna")
        row = BY_NAME.first(connection, {"name": "anna"})
        assert BY_NAME.first(connection, {"name": "bert"}) is None
        assert RENAME.run(connection, {"was": "anna", "is": "Anna"}) == 1
        assert RENAME.run(connection, {"was": "anna", "is": "Anna"}) == 0
    assert (row.name, row.is_adjudicator, row.most_held, row.added_at) == ("anna", True, 3, 1.5)
    assert row.is_adjudicator is True
    assert row.removed_at is None


def test_what_fails_has_the_name_that_sqlalchemy_gives_it(database: Database) -> None:
    def add_twice() -> None:
        with database.claiming() as connection:
            add(connection, "anna")
            add(connection, "anna")

    with pytest.raises(StoreError) as raised:
        add_twice()

    assert isinstance(raised.value.__cause__, IntegrityError)
    with database.reading() as connection:  # nothing of it is left
        assert BY_NAME.first(connection, {"name": "anna"}) is None


def test_whoever_listens_to_statements_hears_of_these_too(database: Database) -> None:
    heard: list[str] = []

    def listen(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement.split()[0])

    event.listen(database.engine, "before_cursor_execute", listen)
    with database.claiming() as connection:
        add(connection, "anna")
        assert BY_NAME.first(connection, {"name": "anna"}).is_adjudicator is True
        assert RENAME.run(connection, {"was": "anna", "is": "Anna"}) == 1

    assert heard[-3:] == ["INSERT", "SELECT", "UPDATE"]


def test_a_connection_that_broke_is_not_used_again(postgres_storage: str) -> None:
    with closing(Database(postgres_storage)) as database, closing(Database(postgres_storage)) as other:

        def lose_it() -> None:
            with database.claiming() as connection:
                mine = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
                with other.reading() as elsewhere:
                    elsewhere.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": mine})
                BY_NAME.first(connection, {"name": "anna"})

        with pytest.raises(StoreError, match="the connection to the server broke"):
            lose_it()
        with database.claiming() as connection:
            add(connection, "anna")


def test_only_leases_do_not_wait_for_the_disk(tmp_path: Any) -> None:
    def synchronous(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    with closing(Database(f"sqlite:///{tmp_path / 'labels.db'}")) as database:
        with database.claiming() as connection:
            assert synchronous(connection) == 1
        with database.writing() as connection:
            assert synchronous(connection) == 2


def test_a_writer_waits_for_the_one_before(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'labels.db'}"
    with closing(Database(url)) as database, closing(Database(url)) as other:
        begun, go_on = threading.Event(), threading.Event()

        def write() -> None:
            with database.writing() as connection:
                add(connection, "anna")
                begun.set()
                go_on.wait(30)

        thread = threading.Thread(target=write)
        thread.start()
        begun.wait(30)
        threading.Timer(0.05, go_on.set).start()
        with other.claiming() as connection:
            assert BY_NAME.first(connection, {"name": "anna"}) is not None
        thread.join()

        monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0.02)
        with (
            database.writing(),
            pytest.raises(StoreError, match="another process has been writing"),
            other.claiming(),
        ):
            raise AssertionError("it had its turn")
