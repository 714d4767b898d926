"""Bring a store of an older version up to date. The only place that imports Alembic.

The number in the table `store` says which schema it has; a migration's revision is that number. All of them
run in one transaction: afterwards the store is new, or as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, text, update

from bootstrap.errors import StoreError
from bootstrap.store import trail
from bootstrap.store.database import Database
from bootstrap.store.schema import store
from bootstrap.store.upkeep import migrations
from bootstrap.store.upkeep.backing_up import copy_to

__all__ = ["Upgraded", "upgrade"]

_OURS = Path(migrations.__path__[0])


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done.

    Attributes
    ----------
    old, new : int
        Schema numbers before and after; the same where nothing had to be done.
    backup : Path or None
        The copy that was made of an SQLite store before.
    """

    old: int
    new: int
    backup: Path | None = None


def upgrade(storage: str, *, version_locations: Sequence[Path] = ()) -> Upgraded:
    """Bring a store to the schema of this version.

    An SQLite file is copied first, to a new file beside it. Nobody should be labeling meanwhile.

    Parameters
    ----------
    storage : str
        URL of a store that exists.
    version_locations : sequence of Path
        Folders of further migrations, beside those of this package.

    Raises
    ------
    StoreError
        If the store is newer than this version, or a migration fails; the store is as it was then.
    """
    steps = _Steps(version_locations)
    database = Database(storage, must_exist=True, any_schema=True)
    try:
        with database.reading() as connection:
            old = _schema_of(connection)
        if old > steps.newest:
            raise StoreError(
                f"The store {database.url} has schema {old}; this version of bootstrap-labels knows up to "
                f"{steps.newest}. Install a newer one: pip install --upgrade bootstrap-labels. Nothing was "
                "changed."
            )
        if old == steps.newest:
            return Upgraded(old, old)
        copied = copy_to(database, _free_name(database, old)) if database.is_sqlite else None
        with _writing_without_references(database) as connection:
            old = _schema_of(connection)  # another upgrade may have been faster
            steps.run(connection, old)
            connection.execute(update(store).values(schema_version=steps.newest))
            body = {"from": old, "to": steps.newest}
            trail.append(connection, "upgraded", body, database.time(connection))
        return Upgraded(old, steps.newest, copied)
    finally:
        database.close()


class _Steps:
    """The migrations there are."""

    def __init__(self, version_locations: Sequence[Path]) -> None:
        from alembic.script import ScriptDirectory

        folders = [str(folder) for folder in (_OURS / "versions", *version_locations)]
        self._scripts = ScriptDirectory(str(_OURS), version_locations=folders)
        self.newest = int(self._scripts.get_current_head() or 0)

    def run(self, connection: Connection, old: int) -> None:
        """Those after `old`, in order."""
        from alembic.migration import MigrationContext
        from alembic.operations import Operations

        context = MigrationContext.configure(connection)
        newer = self._scripts.iterate_revisions(f"{self.newest:04d}", f"{old:04d}")
        with Operations.context(context):
            for step in reversed(list(newer)):
                step.module.upgrade()


def _schema_of(connection: Connection) -> int:
    return int(connection.execute(select(store.c.schema_version).with_for_update()).scalar_one())


def _free_name(database: Database, old: int) -> Path:
    """Beside the store, where nothing is yet."""
    file = Path(str(database.engine.url.database))
    number = 1
    while (name := file.with_name(f"{file.name}.schema-{old}.{number}")).exists():
        number += 1
    return name


@contextmanager
def _writing_without_references(database: Database) -> Iterator[Connection]:
    """As `Database.writing`; SQLite looks at references at the end only: tables are made anew meanwhile."""
    with database.failing(), database.engine.connect() as connection:
        _keep_references(database, connection, "OFF")
        try:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                trail.begin(connection)
                try:
                    yield connection
                    trail.flush(connection)
                finally:
                    trail.end(connection)
                if database.is_sqlite:
                    _refuse_lost_rows(database, connection)
        finally:
            _keep_references(database, connection, "ON")


def _refuse_lost_rows(database: Database, connection: Connection) -> None:
    lost = connection.execute(text("PRAGMA foreign_key_check")).all()
    if lost:
        raise StoreError(
            f"After the upgrade {len(lost)} rows of {database.url} would refer to nothing (the first in the "
            f"table {lost[0][0]}), so that it was undone. Look what is wrong: bootstrap-labels db check"
        )


def _keep_references(database: Database, connection: Connection, state: str) -> None:
    """Outside of a transaction: SQLite does not listen within one."""
    if database.is_sqlite:
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA foreign_keys = {state}")
