"""The trail: each entry holds the hash of the one before, and never what people saw."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from bootstrap.store import schema, trail
from bootstrap.store.database import Database

GENESIS = "0" * 64

values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text() | st.binary()


def entries(database: Database) -> list[tuple[object, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(schema.trail).order_by(schema.trail.c.seq))]


def test_entries_are_numbered_from_one_and_each_holds_the_hash_of_the_one_before(database: Database) -> None:
    with database.writing() as connection:
        numbers = [
            trail.append(connection, "one", {"b": 1, "a": [2]}, 1.5),
            trail.append(connection, "two", {}, 2.0, rows=[(1, "x")]),
        ]
        assert trail.length_of(connection) == 2
    told = entries(database)

    assert numbers == [1, 2]
    first = trail.entry_hash(GENESIS, 1, None, "one", '{"a":[2],"b":1}', trail.digest([]), 1.5)
    second = trail.entry_hash(first, 2, None, "two", "{}", trail.digest([(1, "x")]), 2.0)
    assert told == [
        (1, None, "one", '{"a":[2],"b":1}', trail.digest([]), 1.5, first),
        (2, None, "two", "{}", trail.digest([(1, "x")]), 2.0, second),
    ]
    with database.reading() as connection:
        head = connection.execute(select(schema.store.c.trail_head, schema.store.c.trail_length)).one()
    assert tuple(head) == (second, 2)


def test_an_entry_of_a_call_that_failed_was_never_there(database: Database) -> None:
    def half() -> None:
        with database.writing() as connection:
            trail.append(connection, "half", {}, 1.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with database.writing() as connection:
        trail.append(connection, "whole", {}, 1.0)

    assert [(entry[0], entry[2]) for entry in entries(database)] == [(1, "whole")]


@pytest.mark.parametrize("part", range(7))
def test_every_part_of_an_entry_is_in_its_hash(part: int) -> None:
    told = ["before", 1, 1, "kind", "{}", "digest", 1.5]
    other = ["after", 2, 2, "another", "[]", "another", 2.5]
    changed = [*told[:part], other[part], *told[part + 1 :]]

    assert trail.entry_hash(*changed) != trail.entry_hash(*told)  # type: ignore[arg-type]


@given(st.lists(values, min_size=1, max_size=4), st.lists(values, min_size=1, max_size=4))
def test_rows_have_one_digest_if_and_only_if_they_say_the_same(one: list[object], two: list[object]) -> None:
    def plain(row: list[object]) -> str:
        return json.dumps([["bytes", v.hex()] if isinstance(v, bytes) else _as_kept(v) for v in row])

    assert (trail.digest([one]) == trail.digest([two])) == (plain(one) == plain(two))


def _as_kept(value: object) -> object:
    if isinstance(value, float):
        return None if value != value else int(value) if value.is_integer() else value
    return value


def test_rows_are_kept_apart_and_in_order() -> None:
    apart = [trail.digest(rows) for rows in ([(1, 2)], [(1,), (2,)], [(2, 1)], [(1, 2), (1, 2)], [])]

    assert len(set(apart)) == len(apart)


def test_numbers_that_a_database_gives_back_otherwise_have_one_digest(database: Database) -> None:
    written = (-0.0, float("nan"), 3)
    with database.writing() as connection:
        connection.execute(
            insert(schema.loops).values(
                name="x", settings="", entropy="", key="", created_at=0.0, class_version=1, taken_up_to=0
            )
        )
        connection.execute(
            insert(schema.models).values(
                loop_id=1, number=1, round=1, estimator="", n_trained=0, training=b"\0\xff", packages="", at=3
            )
        )
        connection.execute(insert(schema.items).values(key="x", added_at=-0.0, erased_at=float("nan")))
        item = connection.execute(select(schema.items.c.added_at, schema.items.c.erased_at)).one()
        model = connection.execute(select(schema.models.c.at, schema.models.c.training)).one()

    assert trail.digest([[*item, model.at]]) == trail.digest([written])
    assert (
        trail.digest([[model.training]])
        == trail.digest([[b"\0\xff"]])
        == trail.digest([[memoryview(b"\0\xff")]])
    )


def test_a_body_is_one_text_however_its_keys_were_ordered() -> None:
    assert trail.to_json({"b": 1, "a": {"d": "ä", "c": None}}) == '{"a":{"c":null,"d":"\\u00e4"},"b":1}'
