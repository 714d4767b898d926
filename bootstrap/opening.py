"""A loop's place in a store: begun, or resumed where the store knows a loop of its name."""

from __future__ import annotations

from typing import Any

from bootstrap.journal import Journal
from bootstrap.rounds import Rounds
from bootstrap.store.database import Database
from bootstrap.store.loops.loop_reading import LoopReader
from bootstrap.store.loops.loop_record import LoopRecord
from bootstrap.stored_settings import refuse_another_seed, refuse_other

__all__ = ["open_journal"]


def open_journal(loop: Rounds, storage: str, settings: dict[str, Any]) -> None:
    """Give a loop its journal: begun, or resumed where the store knows a loop of its name.

    Raises
    ------
    InvalidInput, MissingExtra
        For something that is no URL of a store, or PostgreSQL without its driver.
    StoreError
        If the store can't be used, or the loop in it was begun with other settings.
    """
    database, name = Database(storage), loop.settings.name
    try:
        with database.writing() as connection:
            record = LoopRecord.find(connection, name)
            is_new = record is None
            if record is None:
                at = database.time(connection)
                record = LoopRecord.begin(
                    connection,
                    at,
                    name,
                    settings=settings,
                    entropy=int(loop._entropy),
                    key=loop._key,
                    classes=settings["classes"],
                )
            else:
                latest = LoopReader(connection, record.id).class_list()[1]
        if not is_new:
            given = settings["classes"]
            now = settings | {"classes": latest if given is None else given}
            refuse_other(record.settings | {"classes": latest}, now, name, database.url)
            refuse_another_seed(record, loop.settings.random_state)
            loop._given_classes = record.settings["classes"]  # what was changed since is gone through
        journal = Journal(loop, database, record)
        loop._journal = journal
        if is_new:
            journal.begin()
        else:
            journal.resume()
    except BaseException:
        database.close()
        raise
