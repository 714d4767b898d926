"""One store on two kinds of database: what is promised of every transaction."""

from __future__ import annotations

from sqlalchemy import select

from bootstrap.store import schema
from bootstrap.store.database import Database


def test_a_new_store_knows_its_schema(database: Database) -> None:
    with database.reading() as connection:
        found = connection.execute(select(schema.store.c.schema_version)).scalar_one()

    assert found == schema.SCHEMA_VERSION
