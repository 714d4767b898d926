"""Whatever was edited, removed or put in behind the writers' backs is found and named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sqlalchemy import delete, insert, select, text, update

from bootstrap import BootstrapLoop, Desk
from bootstrap.content import content_hash
from bootstrap.errors import StoreError
from bootstrap.labels import Told
from bootstrap.store import covered, schema, trail
from bootstrap.store.answers import LabelRow, add_labels
from bootstrap.store.class_lists import change_classes
from bootstrap.store.database import Database
from bootstrap.store.upkeep.checking import CheckReport, check

Tamper = Callable[..., None]


@pytest.fixture
def tamper(database: Database, small_loop: Callable[..., None]) -> Tamper:
    """Runs statements on a store that holds two small loops, as nobody should."""
    small_loop(database)
    small_loop(database, "urgency")

    def run(*statements: str) -> None:
        with database.engine.connect() as connection:
            if database.is_sqlite:
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.execute("PRAGMA foreign_keys = OFF")
            else:
                connection.execute(text("SET session_replication_role = replica"))
            for statement in statements:
                connection.execute(text(statement))
            connection.commit()
        database.close()  # a new connection holds the rules again

    return run


def test_a_store_that_nobody_touched_is_sound(database: Database, tamper: Tamper) -> None:
    del tamper
    report = check(database)

    assert report.problems == ()
    assert report.ok
    assert report.entries > 10
    assert str(report) == (f"The store is sound: {report.entries} entries in the trail, head {report.head}.")


def test_an_empty_store_is_sound(database: Database) -> None:
    assert check(database) == CheckReport(0, "0" * 64, (), 0)


def test_a_store_is_checked_by_its_url_and_closed_again(storage: str, database: Database) -> None:
    del database
    assert check(storage).ok


def test_others_may_write_while_a_store_is_checked(database: Database, tamper: Tamper) -> None:
    del tamper
    before = check(database)
    with database.writing() as connection:
        trail.append(connection, "said", {"what": "more"}, 1.0)
    after = check(database)

    assert after.ok
    assert after.entries == before.entries + 1
    assert after.head != before.head


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        # rows that are never changed
        (
            "UPDATE labels SET label = '\"b\"' WHERE id = 1",
            "(labels 1 to 2): some were edited, removed or put in. It is about item 'team-0' to 'team-1'.",
        ),
        (
            "UPDATE labels SET \"by\" = 'bob' WHERE id = 2",
            "(labels 1 to 2): some were edited, removed or put in. It is about item 'team-0' to 'team-1'.",
        ),
        (
            "UPDATE labels SET at = at - 3600 WHERE id = 5",
            "(labels 5): some were edited, removed or put in. It is about item 'team-3'.",
        ),
        ("DELETE FROM labels WHERE id = 6", "(labels) does not fit its rows (none of them is left)"),
        (
            "UPDATE decisions SET probability = 0.9 WHERE query_id = 3",
            "decisions 1 to 5): some were edited, removed or put in. It is about item 'team-0' to 'team-4'",
        ),
        ("UPDATE queries SET kind = 'audit' WHERE id = 3", "(published) does not fit its rows"),
        (
            "UPDATE members SET turn = 0 WHERE loop_id = 1 AND row = 2",
            "members 1/0 to 1/4)",
        ),
        (
            "UPDATE loops SET key = '00' WHERE id = 1",
            "(begun) does not fit its rows (loops 1 and class_lists 1/1)",
        ),
        (
            "UPDATE class_lists SET classes = '[\"a\"]' WHERE loop_id = 2",
            "(begun) does not fit its rows (loops 2 and class_lists 2/1)",
        ),
        (
            'INSERT INTO labels (id, loop_id, item_id, "row", source, "by", round, at, blind, extra, '
            'adjudicates, class_version) SELECT 99, loop_id, item_id, "row", source, "by", round, at, blind, '
            "true, adjudicates, class_version FROM labels WHERE id = 1",
            "Row labels 99 (item 'team-0') is in no entry of the trail",
        ),
        (
            "INSERT INTO rounds (loop_id, number, body, taken_up_to, class_version, at) "
            "VALUES (1, 1, '{}', 0, 1, 0)",
            "rounds 1/1 is in no entry of the trail",
        ),
        (
            "INSERT INTO certificates (loop_id, candidate, review_rate, body, class_version, at) "
            "VALUES (1, 1, 0.5, '{}', 1, 0)",
            "certificates 1/1/0.5 is in no entry of the trail",
        ),
        # the trail
        ("UPDATE trail SET body = '{\"ids\":[1,1]}' WHERE seq = 4", "Entry 4 of the trail (labels): edited"),
        ("UPDATE trail SET at = at - 1 WHERE seq = 4", "Entry 4 of the trail (labels): edited"),
        ("UPDATE trail SET hash = digest WHERE seq = 4", "Entry 5 of the trail (taken): edited, or put in."),
        ("DELETE FROM trail WHERE seq = 4", "Entry 4 of the trail: removed."),
        ("DELETE FROM trail WHERE seq BETWEEN 4 AND 6", "Entries 4 to 6 of the trail: removed."),
        ("DELETE FROM trail WHERE seq = (SELECT max(seq) FROM trail)", "The trail ends with entry"),
        (
            "INSERT INTO trail (seq, kind, body, digest, at, hash) "
            "SELECT max(seq) + 1, 'said', '{}', '', 0, '' FROM trail",
            "(said): edited, or put in.",
        ),
        ("UPDATE store SET trail_head = 'x'", "the store was written up to entry"),
        ("UPDATE store SET trail_length = 2", "the store was written up to entry 2"),
        # what the rows say together
        (
            "UPDATE items SET content = 'another' WHERE id = 2",
            "Item 'team-1' (number 2) has another content than its key was made of.",
        ),
        (
            "UPDATE items SET content = NULL WHERE id = 2",
            "Item 'team-1' (number 2) has no content any more, and was not erased.",
        ),
        (
            "UPDATE items SET erased_at = 5 WHERE id = 2",
            "Item 'team-1' (number 2) was erased, and its content is there.",
        ),
        (
            "UPDATE standing SET label_id = 2 WHERE loop_id = 1 AND item_id = 1",
            "What counts of item 'team-0' (number 1) in loop 'team' (first answer) is noted as label 2",
        ),
        (
            "DELETE FROM standing WHERE loop_id = 1 AND item_id = 1",
            "Label 1 of item 'team-0' (number 1) in loop 'team' should count, and none does.",
        ),
        (
            "INSERT INTO standing (loop_id, item_id, opinion, label_id, skip) "
            "VALUES (1, 4, 'first', 4, false)",
            "Label 4 of item 'team-3' (number 4) in loop 'team' counts, though it was taken back",
        ),
        (
            "UPDATE standing SET skip = true WHERE loop_id = 1 AND item_id = 1",
            "is noted as label 1, which is not there",
        ),
        (
            "UPDATE labels SET undoes = 1 WHERE id = 5",
            "Label 5 of item 'team-3' (number 4) in loop 'team' takes back a label of another item",
        ),
        (
            "UPDATE loops SET taken_up_to = 77 WHERE id = 1",
            "Loop 'team' has read up to label 77, which is none of its labels.",
        ),
        ("DELETE FROM store", "The row of the table store is gone, which says where the trail ends."),
        # loops
        (
            "UPDATE loops SET taken_up_to = 1 WHERE id = 1",
            "Loop 'team' has read up to label 2 by the trail, and up to 1 by its own row.",
        ),
        (
            "UPDATE loops SET taken_up_to = 8 WHERE id = 1",  # a label of the other loop
            "Loop 'team' has read up to label 8, which is none of its labels.",
        ),
        (
            "UPDATE loops SET class_version = 2 WHERE id = 2",
            "Loop 'urgency' is at version 2 of its classes, and the last list is 1.",
        ),
        (
            "DELETE FROM class_lists WHERE loop_id = 2",
            "Loop 'urgency' is at version 1 of its classes, and there is no list.",
        ),
        # members
        *(
            (
                f"UPDATE members SET {said} WHERE loop_id = 1 AND row = 3",
                "Item 'team-3' (number 4) in loop 'team': its",
            )
            for said in ("at = 5", "at = -1", "at = NULL", "block_id = NULL", "block_id = 9")
        ),
        (
            "UPDATE members SET name = 'team-1' WHERE loop_id = 1 AND row = 3",
            "In loop 'team' 2 items have the id 'team-1'.",
        ),
        # queries
        (
            "UPDATE queries SET state = 'done' WHERE id = 2",
            "Query 2 about item 'team-1' (number 2) in loop 'team': its state is 'done', not open,",
        ),
        (
            "UPDATE queries SET state = 'settled' WHERE id = 5",
            "Query 5 about item 'team-4' (number 5) in loop 'team' is settled, and nobody has answered it.",
        ),
        (
            "UPDATE slots SET is_open = false WHERE query_id = 5",
            "Query 5 about item 'team-4' (number 5) in loop 'team' is open, and no place for an answer is.",
        ),
        # leases
        (
            "UPDATE slots SET item_id = 3 WHERE id = 1",
            "Slot 1 is about another item or loop than its query 1 about item 'team-0' (number 1).",
        ),
        (
            "UPDATE slots SET expires_at = leased_at - 1 WHERE loop_id = 1 AND reviewer = 'ann'",
            ": its lease ends before it begins",
        ),
        (
            "UPDATE slots SET token = 'forged' WHERE id = 1",
            "Slot 1 for item 'team-0' (number 1) in loop 'team' is held under a token that was",
        ),
        (
            "UPDATE queries SET state = 'withdrawn' WHERE id = 2",
            "Slot 2 for item 'team-1' (number 2) in loop 'team' is open, and its query 2 is withdrawn.",
        ),
    ],
)
def test_a_row_changed_by_hand_is_found_and_named(
    database: Database, tamper: Tamper, statement: str, found: str
) -> None:
    tamper(statement)
    report = check(database)

    assert not report.ok
    assert any(found in problem for problem in report.problems), report.problems
    assert report.n_problems == len(report.problems)


def test_two_first_labels_for_one_item_are_found(database: Database, tamper: Tamper) -> None:
    tamper("UPDATE labels SET extra = false WHERE id = 6")
    twice = (
        "Label 6 of item 'team-0' (number 1) in loop 'team' was stored as one that counts, though label 1 "
        "did already."
    )
    assert twice in check(database).problems
    split_a(database)  # label 6, of the same version, can't have come in its place
    assert twice in check(database).problems


def test_a_label_that_counts_where_another_should_is_found(database: Database, tamper: Tamper) -> None:
    tamper("UPDATE standing SET label_id = 6 WHERE loop_id = 1 AND item_id = 1")

    of_item = "Label 1 of item 'team-0' (number 1) in loop 'team' should count, and label 6 does."
    assert of_item in check(database).problems


def split_a(database: Database) -> None:
    """Label 1, of the first item, counts no more."""
    change_classes(database, "team", split={"a": ["a", "other"]}, by="lead")


def say_more(database: Database, label: str, source: str, version: int) -> None:
    """Another label for the first item, that counts."""
    with database.writing() as connection:
        old = connection.execute(select(schema.labels).where(schema.labels.c.id == 1)).one()
        said = LabelRow(old.loop_id, old.item_id, old.row, label, source, "bob", 2, class_version=version)
        add_labels(connection, [said], old.at)


def test_what_was_said_of_a_class_that_was_split_counts_no_more_and_is_sound(
    database: Database, small_loop: Callable[..., None]
) -> None:
    small_loop(database)
    say_more(database, "b", "second", version=1)
    split_a(database)
    assert check(database).problems == ()
    say_more(database, "other", "training", version=2)
    change_classes(database, "team", rename={"b": "c"}, by="lead")

    assert check(database).problems == ()


def test_what_was_said_of_a_class_that_was_split_and_counts_is_found(
    database: Database, small_loop: Callable[..., None]
) -> None:
    small_loop(database)
    split_a(database)
    with database.claiming() as connection:
        row = {"loop_id": 1, "item_id": 1, "opinion": "first", "label_id": 1, "skip": False}
        connection.execute(insert(schema.standing).values(row))

    of_item = (
        "Label 1 of item 'team-0' (number 1) in loop 'team' counts, though it was taken back or may not."
    )
    assert check(database).problems == (of_item,)


@pytest.mark.parametrize("change", ["[]", "x", '{"split":[["a"]]}'])
def test_a_list_of_classes_that_can_not_be_read_stops_nothing(
    database: Database, small_loop: Callable[..., None], change: str
) -> None:
    small_loop(database)
    split_a(database)
    with database.claiming() as connection:
        connection.execute(update(schema.class_lists).values(change=change))

    problems = check(database).problems
    assert "The lists of classes of loop 'team' can't be read." in problems
    assert any("(classes) does not fit its rows" in problem for problem in problems)


def test_entries_of_many_rows_are_read_some_at_a_time(
    database: Database, tamper: Tamper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covered, "_MANY", 2)
    assert check(database).ok
    tamper("UPDATE members SET turn = 0 WHERE loop_id = 1 AND row = 4")

    (problem,) = check(database).problems
    assert "(added) does not fit its rows" in problem


def test_a_second_answer_is_compared_with_second_answers(
    database: Database, small_loop: Callable[..., None]
) -> None:
    small_loop(database)
    say_more(database, "b", "second", version=1)
    assert check(database).problems == ()
    with database.claiming() as connection:
        connection.execute(delete(schema.standing).where(schema.standing.c.opinion == "second"))

    of_item = (
        "Label 7 of item 'team-0' (number 1) in loop 'team' (second answer) should count, and none does."
    )
    assert check(database).problems == (of_item,)


def test_a_query_that_was_answered_and_is_open_again_is_found(storage: str) -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    knows = dict(zip([f"item {i}" for i in range(40)], (X[:, 0] > 0).tolist(), strict=True))
    loop = BootstrapLoop(
        LogisticRegression(),
        lambda queries: [knows[query.id] for query in queries],
        storage=storage,
        batch_size=5,
        random_state=1,
    )
    loop.run(X, ids=list(knows), rounds=1)
    loop.close()
    assert check(storage).ok
    with closing(Database(storage)) as database, database.claiming() as connection:
        connection.execute(update(schema.queries).where(schema.queries.c.id == 2).values(state="open"))

    report = check(storage)

    assert report.n_problems == 1
    assert report.problems[0].startswith("Query 2 about item 'item ")
    assert report.problems[0].endswith("in loop 'default' is open, though it was answered.")


def test_an_answer_under_an_older_lease_of_the_same_person_is_sound(storage: str) -> None:
    with BootstrapLoop(
        LogisticRegression(), storage=storage, overlap=2, batch_size=1, held_out=0, audit_share=0
    ) as loop:
        loop.add(np.arange(4.0).reshape(-1, 1))
        loop.ask()
        loop._journal.open_desks()
        with Desk(storage, "ann") as ann, Desk(storage, "eve") as eve:
            old = eve.ask()[0].token
            eve.release(old)
            ann.tell({ann.ask()[0].token: "a"})  # in the place that eve had
            assert eve.ask()[0].token != old
            assert eve.tell({old: "a"}) == Told(kept=1)
    assert check(storage).problems == ()


def test_a_store_whose_row_was_removed_is_not_opened(storage: str, tamper: Tamper) -> None:
    tamper("DELETE FROM store")
    with pytest.raises(StoreError, match=r"lost the row of its table `store`.* Go back to a backup"):
        check(storage)


def test_a_row_of_which_two_entries_speak_is_found(
    database: Database, small_loop: Callable[..., None]
) -> None:
    small_loop(database)
    with database.writing() as connection:
        trail.append(connection, "labels", {"ids": [1, 1]}, 0.0, loop_id=1)

    assert any(
        "Row labels 1 (item 'team-0') is in two entries of the trail" in problem
        for problem in check(database).problems
    )


def test_a_body_that_makes_no_sense_stops_nothing(
    database: Database, small_loop: Callable[..., None]
) -> None:
    small_loop(database)
    with database.writing() as connection:
        trail.append(connection, "labels", {"nonsense": 1}, 0.0, loop_id=1)

    assert [problem for problem in check(database).problems if "can't be read" in problem]


def test_an_entry_put_in_after_a_gap_stops_nothing(database: Database, tamper: Tamper) -> None:
    tamper(
        "DELETE FROM trail WHERE seq = 3",
        'UPDATE trail SET body = \'{"ids":["x","y"]}\' WHERE seq = 4',
    )
    report = check(database)

    assert "Entry 3 of the trail: removed." in report.problems
    assert any(problem.startswith("Entry 4 of the trail (labels)") for problem in report.problems)


def test_rows_that_were_written_out_of_order_are_covered_nevertheless(
    database: Database, small_loop: Callable[..., None]
) -> None:
    """Keys are held as ranges: a key between two others, and one that joins two ranges, are known too."""
    small_loop(database)
    columns = "(id, loop_id, from_rate, to_rate, reason, at)"
    with database.writing() as connection:
        for number in (5, 9, 7, 6, 8, 1):
            connection.execute(
                text(f"INSERT INTO stage_changes {columns} VALUES ({number}, 1, 1.0, 0.5, 'why', 0.0)")
            )
            row = connection.execute(text(f"SELECT * FROM stage_changes WHERE id = {number}")).one()
            trail.append(connection, "stage", {"change": number}, 0.0, loop_id=1, rows=[tuple(row)])

    assert check(database).problems == ()


def test_the_list_of_problems_ends_somewhere(database: Database) -> None:
    columns = '("key", content, added_at)'
    with database.claiming() as connection:
        for number in range(250):
            connection.execute(
                text(f"INSERT INTO items {columns} VALUES ('key {number}', 'content {number}', 0.0)")
            )
    report = check(database)

    assert (report.n_problems, len(report.problems)) == (500, 200)
    assert str(report).startswith("The store has 500 problems:\n- ")
    assert str(report).endswith("\n- and 300 more")


def test_one_problem_is_one_problem() -> None:
    assert str(CheckReport(1, "x", ("Item 1 is odd.",), 1)) == "The store has 1 problem:\n- Item 1 is odd."


def test_a_reference_to_nothing_is_found_on_sqlite(database: Database, tamper: Tamper) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL takes no such row")
    tamper("UPDATE standing SET label_id = 500 WHERE loop_id = 1 AND item_id = 1")
    problems = check(database).problems

    assert "A row of the table 'standing' refers to one of 'labels' that is not there." in problems
    assert any("is noted as label 500" in problem for problem in problems)


def test_items_from_outside_of_a_pool_and_certificates_are_covered(
    database: Database, small_loop: Callable[..., None]
) -> None:
    small_loop(database)
    key = content_hash("team outside:1")
    with database.writing() as connection:
        connection.execute(insert(schema.items).values(id=77, key=key, content="outside:1", added_at=0.0))
        added = {"first": 0, "n": 0, "items": [77, 1]}
        trail.append(connection, "added", added, 0.0, loop_id=1, rows=[(77, key, 0.0)])
        values = {
            "loop_id": 1,
            "candidate": 1,
            "review_rate": 0.25,
            "body": "{}",
            "class_version": 1,
            "at": 0.0,
        }
        connection.execute(insert(schema.certificates).values(values))
        body = {"candidate": 1, "review_rate": 0.25}
        row = connection.execute(select(schema.certificates)).one()
        trail.append(connection, "certified", body, 0.0, loop_id=1, rows=[tuple(row)])

    assert check(database).problems == ()


def test_damage_that_only_shows_when_everything_is_read_is_found(
    tmp_path: Path, small_loop: Callable[..., None]
) -> None:
    path = tmp_path / "labels.db"
    with closing(Database(f"sqlite:///{path}")) as database:
        small_loop(database)
    for old, new in (("FLOAT NOT NULL", "FLOAT"), ("FLOAT", "FLOAT NOT NULL")):
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(
                "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = 'items'",
                (f"added_at {old}", f"added_at {new}"),
            )
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            if new == "FLOAT":
                connection.execute("UPDATE items SET added_at = NULL WHERE id = 1")

    problems = check(f"sqlite:///{path}").problems
    assert "The file is damaged: NULL value in items.added_at" in problems
