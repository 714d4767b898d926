"""No statement that people wait for reads a table that grows from end to end."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager

import pytest
from sklearn.linear_model import LogisticRegression
from sqlalchemy import event

from bootstrap import SKIP, BootstrapLoop
from bootstrap.records import Query
from bootstrap.store.database import Database
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.progress import progress_of

#: What was looked up before, tables with a row for each loop, reviewer or class list, and indexes of what
#: is open or taken back.
SHORT = (
    "anon_1",
    "class_lists",
    "loops",
    "reviewers",
    "store",
    "slots USING INDEX slots_in_order",
    "labels USING COVERING INDEX labels_undoing",
)


@contextmanager
def heard(database):
    """Every statement that this database is sent, with values for it."""
    said = {}

    def hear(connection, cursor, statement, values, context, many):
        said[statement] = values[0] if many else values

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)


def reads_whole_tables(path, said):
    """Statement -> what of its plan goes through a table that grows."""
    found = {}
    with closing(sqlite3.connect(path)) as connection:
        for statement, values in said.items():
            if not statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
                continue
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            scans = [step for step in plan if step.startswith("SCAN") and not step[5:].startswith(SHORT)]
            if scans:
                found[statement] = scans
    return found


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.db"


def test_what_a_person_at_a_desk_does_is_looked_up(path, publish):
    with closing(Database(f"sqlite:///{path}")) as database:
        loop_id = publish(database, 30, overlap=2)
        with heard(database) as said:
            bert = Desk(database, "bert")
            bert.tell({bert.claim()[0].queries[0].token: "b"})
            anna = Desk(database, "anna", loop="team")
            first, second, third = (claim.queries[0].token for claim in anna.claim(3))
            anna.tell({first: "a"})  # where bert said something else
            anna.undo(first)
            anna.tell({"i0": "b", second: SKIP})
            anna.renew(third)
            anna.release(third)
            anna.release_all()
            with database.reading() as connection:
                progress_of(connection, loop_id)
        assert len(said) > 15
        assert reads_whole_tables(path, said) == {}


def test_a_round_of_a_loop_is_looked_up(path):
    def knows(queries: list[Query]):
        return [str(int(query.id) % 2) for query in queries]

    X = [[float(i % 2), i / 100] for i in range(200)]
    loop = BootstrapLoop(
        LogisticRegression(),
        knows,
        strategy="margin",
        batch_size=10,
        random_state=0,
        storage=f"sqlite:///{path}",
    )
    with closing(loop):
        loop.run(X, ids=[str(i) for i in range(200)], rounds=2)
        with heard(loop._journal.database) as said:
            loop.run(rounds=3)
            loop.wait(new_labels=1, timeout=0)
        assert len(said) > 15
        assert reads_whole_tables(path, said) == {}
