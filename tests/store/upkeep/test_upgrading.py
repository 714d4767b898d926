"""A store of every schema there was can be brought up to date, and is refused with the command until then.

`stored/schema-N.db` is a store as version N wrote it. After a change of the schema that is not released yet,
write the present one anew with

    BOOTSTRAP_LABELS_STORE_ANEW=1 python -m pytest tests/store/test_upgrading.py -k stored
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text, update

import bootstrap
from bootstrap.errors import StoreError
from bootstrap.store import schema
from bootstrap.store.database import Database
from bootstrap.store.upkeep.backing_up import backup
from bootstrap.store.upkeep.checking import check
from bootstrap.store.upkeep.upgrading import Upgraded, upgrade

NEXT = schema.SCHEMA_VERSION + 1
STORED = Path(__file__).with_name("stored")
EVERY_SCHEMA = range(1, schema.SCHEMA_VERSION + 1)

#: Makes two tables anew, which others refer to, as SQLite needs it for most changes.
MIGRATION = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT:04d}"
down_revision = "{schema.SCHEMA_VERSION:04d}"

def upgrade():
    with op.batch_alter_table("reviewers") as table:
        table.add_column(sa.Column("team", sa.Text))
    with op.batch_alter_table("items") as table:
        table.alter_column("payload", new_column_name="shown")
    op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("UPDATE reviewers SET team = 'day'")
"""


@pytest.fixture
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a copy of the stored store of one schema."""
    shutil.copy(STORED / f"schema-{request.param}.db", tmp_path / "labels.db")
    return f"sqlite:///{tmp_path / 'labels.db'}"


@pytest.fixture
def one_more(tmp_path: Path) -> Path:
    """A folder with a migration to a schema that does not exist yet."""
    folder = tmp_path / "further"
    folder.mkdir()
    (folder / f"schema_{NEXT:04d}.py").write_text(MIGRATION, encoding="utf-8")
    return folder


@pytest.fixture
def filled(storage: str, small_loop: Callable[..., None]) -> str:
    """A store of the present schema with a small loop, on each kind of database."""
    with closing(Database(storage)) as database:
        small_loop(database)
    return storage


def schema_of(storage: str) -> int:
    with closing(Database(storage, any_schema=True)) as database, database.reading() as connection:
        return int(connection.execute(select(schema.store.c.schema_version)).scalar_one())


@pytest.mark.skipif(
    "BOOTSTRAP_LABELS_STORE_ANEW" not in os.environ, reason="the stored store is written when asked for only"
)
def test_the_stored_store_of_the_present_schema_is_written(
    tmp_path: Path, small_loop: Callable[..., None]
) -> None:
    target = STORED / f"schema-{schema.SCHEMA_VERSION}.db"
    target.unlink(missing_ok=True)
    with closing(Database(f"sqlite:///{tmp_path / 'labels.db'}", clock=lambda: 1_767_225_600.0)) as database:
        small_loop(database)
        small_loop(database, "urgency")
        backup(database, target)


@pytest.mark.parametrize("stored", EVERY_SCHEMA, indirect=True)
def test_a_stored_store_of_every_schema_opens_once_it_is_up_to_date(stored: str) -> None:
    old = schema_of(stored)

    done = upgrade(stored)

    assert (done.old, done.new) == (old, schema.SCHEMA_VERSION)
    with closing(Database(stored, must_exist=True)) as database:
        report = check(database)
        assert report.problems == ()
        with database.reading() as connection:
            names = connection.execute(select(schema.loops.c.name).order_by(schema.loops.c.id)).scalars()
            assert list(names) == ["team", "urgency"]
            labels = connection.execute(select(schema.labels).order_by(schema.labels.c.id)).all()
    said = [(label.item_id, label.label, label.by, label.undoes) for label in labels[:6]]
    assert said == [
        (1, '"a"', "ann", None),
        (2, '"b"', "ann", None),
        (3, None, "ann", None),
        (4, '"a"', "ann", None),
        (4, None, "ann", 4),
        (1, '"b"', "ann", None),
    ]


@pytest.mark.parametrize("stored", EVERY_SCHEMA, indirect=True)
def test_the_tables_of_a_stored_store_become_those_of_a_new_one(stored: str, tmp_path: Path) -> None:
    def tables(url: str) -> dict[str, object]:
        with closing(Database(url)) as database, database.engine.connect() as connection:
            look = inspect(connection)
            return {
                name: (
                    sorted((c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(name)),
                    sorted((i["name"], str(i["column_names"]), i["unique"]) for i in look.get_indexes(name)),
                    sorted(str(key) for key in look.get_foreign_keys(name)),
                    look.get_pk_constraint(name)["constrained_columns"],
                )
                for name in look.get_table_names()
            }

    upgrade(stored)

    assert tables(stored) == tables(f"sqlite:///{tmp_path / 'new.db'}")


def test_a_store_that_is_up_to_date_is_left_alone(filled: str, tmp_path: Path) -> None:
    before = check(filled)

    assert upgrade(filled) == Upgraded(schema.SCHEMA_VERSION, schema.SCHEMA_VERSION)

    assert check(filled) == before
    assert not list(tmp_path.glob("*.schema-*"))


def test_an_upgrade_changes_the_tables_and_the_trail_still_verifies(filled: str, one_more: Path) -> None:
    before = check(filled)

    done = upgrade(filled, version_locations=[one_more])

    assert (done.old, done.new) == (NEXT - 1, NEXT)
    assert schema_of(filled) == NEXT
    with closing(Database(filled, any_schema=True)) as database, database.engine.connect() as connection:
        assert inspect(connection).has_table("notes")
        assert connection.execute(text("SELECT name, team FROM reviewers")).all() == [("ann", "day")]
        shown = connection.execute(text("SELECT shown FROM items ORDER BY id")).scalars().all()
        assert shown[0] is not None
        connection.execute(text("ALTER TABLE items RENAME COLUMN shown TO payload"))
        connection.execute(text(f"UPDATE store SET schema_version = {NEXT - 1}"))
        connection.commit()
        last = connection.execute(select(schema.trail).order_by(schema.trail.c.seq.desc())).first()
        assert last is not None
        assert (last.kind, last.body) == ("upgraded", f'{{"from":{NEXT - 1},"to":{NEXT}}}')
    after = check(filled)
    assert after.problems == ()
    assert after.entries == before.entries + 1


@pytest.mark.parametrize("stored", [schema.SCHEMA_VERSION], indirect=True)
def test_a_file_is_copied_beside_itself_before_it_is_upgraded(stored: str, one_more: Path) -> None:
    taken = one_more.parent / f"labels.db.schema-{NEXT - 1}.1"
    taken.write_text("mine", encoding="utf-8")

    done = upgrade(stored, version_locations=[one_more])

    assert done.backup == one_more.parent / f"labels.db.schema-{NEXT - 1}.2"
    assert schema_of(f"sqlite:///{done.backup}") == NEXT - 1
    assert check(f"sqlite:///{done.backup}").ok
    assert taken.read_text(encoding="utf-8") == "mine"


def test_until_then_it_is_refused_with_the_command(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "SCHEMA_VERSION", NEXT)

    with pytest.raises(StoreError, match=rf"has schema {NEXT - 1}.*uses {NEXT}.*bootstrap-labels db upgrade"):
        Database(filled)


def test_a_newer_store_is_refused_and_left_alone(filled: str, tmp_path: Path) -> None:
    with closing(Database(filled)) as database, database.claiming() as connection:
        connection.execute(update(schema.store).values(schema_version=NEXT + 5))

    for opening in (Database, upgrade):
        with pytest.raises(
            StoreError, match=rf"has schema {NEXT + 5}.*pip install --upgrade bootstrap-labels"
        ):
            opening(filled)

    assert schema_of(filled) == NEXT + 5
    assert not list(tmp_path.glob("*.schema-*"))


@pytest.mark.parametrize(
    ("ending", "error", "match"),
    [
        ('op.execute("UPDATE nothing SET at = 0")', StoreError, "failed"),
        ('raise ZeroDivisionError("in the middle")', ZeroDivisionError, "in the middle"),
    ],
)
def test_an_upgrade_that_fails_leaves_the_store_as_it_was(
    filled: str, one_more: Path, ending: str, error: type[Exception], match: str
) -> None:
    script = one_more / f"schema_{NEXT:04d}.py"
    script.write_text(f"{MIGRATION}    {ending}\n", encoding="utf-8")
    before = check(filled)

    with pytest.raises(error, match=match):
        upgrade(filled, version_locations=[one_more])

    assert schema_of(filled) == NEXT - 1
    assert check(filled) == before
    with closing(Database(filled)) as database, database.engine.connect() as connection:
        assert not inspect(connection).has_table("notes")


def test_an_upgrade_after_which_rows_would_refer_to_nothing_is_undone(
    tmp_path: Path, small_loop: Callable[..., None], one_more: Path
) -> None:
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    with closing(Database(storage)) as database:
        small_loop(database)
    script = one_more / f"schema_{NEXT:04d}.py"
    script.write_text(f'{MIGRATION}    op.execute("DELETE FROM items WHERE id = 1")\n', encoding="utf-8")

    with pytest.raises(StoreError, match=r"rows of .* would refer to nothing.*undone"):
        upgrade(storage, version_locations=[one_more])

    assert schema_of(storage) == NEXT - 1
    assert check(storage).ok


def test_there_is_nothing_to_upgrade_where_there_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store"):
        upgrade(f"sqlite:///{tmp_path / 'nothing.db'}")


def test_a_migration_leads_to_the_present_schema() -> None:
    from alembic.script import ScriptDirectory

    import bootstrap.store.upkeep.migrations as migrations

    scripts = ScriptDirectory(str(Path(migrations.__path__[0])))
    numbers = [int(script.revision) for script in scripts.walk_revisions()]

    assert sorted(numbers) == list(EVERY_SCHEMA)
    for script in scripts.walk_revisions():
        assert Path(script.path).name == f"schema_{script.revision}.py"


def test_alembic_is_imported_by_an_upgrade_only(tmp_path: Path) -> None:
    code = (
        "import sys; from bootstrap.store.database import Database; import bootstrap.store.upkeep.upgrading\n"
        f"Database('sqlite:///{(tmp_path / 'labels.db').as_posix()}').close()\n"
        "print('alembic' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(bootstrap.__file__).parents[1])}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert ran.stdout == "False\n"
