"""A backup is a store as it was at one moment, and overwrites nothing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from bootstrap.errors import InvalidInput, StoreError
from bootstrap.store import schema
from bootstrap.store.database import Database
from bootstrap.store.upkeep.backing_up import backup
from bootstrap.store.upkeep.checking import check


@pytest.fixture
def filled(tmp_path: Path, small_loop: Callable[..., None]) -> Iterator[Database]:
    """A store on SQLite with a small loop."""
    with closing(Database(f"sqlite:///{tmp_path / 'labels.db'}")) as database:
        small_loop(database)
        yield database


def n_labels(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.labels)).scalar_one())


def test_a_backup_is_a_sound_store_with_the_same_trail(filled: Database, tmp_path: Path) -> None:
    made = backup(f"sqlite:///{tmp_path / 'labels.db'}", tmp_path / "copy.db")

    assert made == tmp_path / "copy.db"
    assert check(f"sqlite:///{made}") == check(filled)
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_backup_holds_one_moment_while_others_write(
    filled: Database, tmp_path: Path, small_loop: Callable[..., None]
) -> None:
    threads = [threading.Thread(target=small_loop, args=(filled, f"loop {i}")) for i in range(3)]
    for thread in threads:
        thread.start()
    made = [backup(filled, tmp_path / f"copy-{i}.db") for i in range(3)]
    for thread in threads:
        thread.join()

    for path in made:
        assert check(f"sqlite:///{path}").problems == ()
    assert n_labels(filled) == 4 * 6


def test_nothing_is_ever_overwritten(filled: Database, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", encoding="utf-8")

    with pytest.raises(InvalidInput, match=r"something at .*mine\.txt already"):
        backup(filled, mine)
    with pytest.raises(InvalidInput, match="already"):
        backup(filled, tmp_path / "labels.db")

    assert mine.read_text(encoding="utf-8") == "mine"
    assert check(filled).ok


def test_what_a_killed_backup_left_does_not_stop_the_next(filled: Database, tmp_path: Path) -> None:
    (tmp_path / "copy.db.unfinished").write_bytes(b"half")

    assert check(f"sqlite:///{backup(filled, tmp_path / 'copy.db')}").ok


def test_a_backup_that_fails_leaves_nothing(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copies"
    target.mkdir()
    with filled.reading() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK
        )

    with pytest.raises(StoreError, match=r"could not be copied to .*copies: .*the store is as it was"):
        backup(filled, target / "copy.db")

    assert list(target.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(filled: Database, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no folder .*nowhere for the backup"):
        backup(filled, tmp_path / "nowhere" / "copy.db")


def test_a_place_that_cannot_be_written_is_named(filled: Database) -> None:
    with pytest.raises(StoreError, match="can't be written"):
        backup(filled, Path("/proc/copy.db"))


def test_there_is_no_backup_of_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store"):
        backup(f"sqlite:///{tmp_path / 'nothing.db'}", tmp_path / "copy.db")

    assert list(tmp_path.iterdir()) == []


def test_a_store_of_another_version_is_copied_as_it_is(filled: Database, tmp_path: Path) -> None:
    with filled.claiming() as connection:
        connection.execute(update(schema.store).values(schema_version=99))

    made = backup(f"sqlite:///{tmp_path / 'labels.db'}", tmp_path / "copy.db")

    with closing(Database(f"sqlite:///{made}", any_schema=True)) as copied, copied.reading() as connection:
        assert connection.execute(select(schema.store.c.schema_version)).scalar_one() == 99


def test_what_was_erased_is_not_in_a_backup(filled: Database, tmp_path: Path) -> None:
    secret = "a very private text " * 500
    with filled.claiming() as connection:
        connection.execute(insert(schema.items).values(key="x", content=secret, added_at=0.0))
    with filled.claiming() as connection:
        connection.execute(update(schema.items).where(schema.items.c.key == "x").values(content="gone"))

    assert b"very private" not in backup(filled, tmp_path / "copy.db").read_bytes()


def test_postgresql_is_copied_by_its_own_program(postgres_storage: str, tmp_path: Path) -> None:
    with closing(Database(postgres_storage)) as database:
        with pytest.raises(
            StoreError, match=rf"pg_dump --format=custom --file={tmp_path}/copy.dump --host=/"
        ):
            backup(database, tmp_path / "copy.dump")
        assert not (tmp_path / "copy.dump").exists()
