"""Who answers at desks: people by name, with how much each may hold at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

from bootstrap.errors import InvalidInput
from bootstrap.store import schema
from bootstrap.store.database import Database, opened
from bootstrap.store.desks.claiming import CLOCK_SLACK
from bootstrap.store.prepared import Prepared
from bootstrap.store.schema import labels, slots

__all__ = [
    "ADJUDICATORS",
    "MOST_HELD",
    "Reviewer",
    "add_reviewer",
    "enter",
    "locked",
    "n_held",
    "remove_reviewer",
    "reviewers",
]

#: How many queries one person may hold at a time, where nobody says.
MOST_HELD: Final = 20


#: The names of all who may settle what others disagree about.
ADJUDICATORS: Final = select(schema.reviewers.c.name).where(
    schema.reviewers.c.is_adjudicator, schema.reviewers.c.removed_at.is_(None)
)


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One person who answers.

    Attributes
    ----------
    name : str
    is_adjudicator : bool
        Whether they settle what others disagree about.
    most_held : int
        How many queries they may hold at a time.
    held : int
        How many they hold now.
    answered : int
        Answers of theirs, in every loop, that they have not taken back.
    removed : bool
        Whether they get nothing any more.
    """

    name: str
    is_adjudicator: bool
    most_held: int
    held: int
    answered: int
    removed: bool


def add_reviewer(
    storage: str | Database, name: str, *, is_adjudicator: bool | None = None, most_held: int | None = None
) -> None:
    """Let somebody answer, or change what they may do; who was removed is let in again.

    Of somebody who is known only what is given changes: one call may name an adjudicator, and another say
    how much they may hold.

    Parameters
    ----------
    storage : str or Database
    name : str
    is_adjudicator : bool, optional
        Whether they settle what others disagree about, or could not tell. By default as before, and False
        for somebody new.
    most_held : int, optional
        How many queries they may hold at a time, so that nobody keeps what others could answer. By default
        as before, and 20 for somebody new.

    Raises
    ------
    InvalidInput
        For an empty name, `is_adjudicator` that is neither True nor False, or `most_held` below 1.
    """
    name = checked_name(name)
    if is_adjudicator not in (None, True, False):
        raise InvalidInput(f"is_adjudicator is True or False, got {is_adjudicator!r}")
    if most_held is not None and (
        isinstance(most_held, bool) or not isinstance(most_held, int) or most_held < 1
    ):
        raise InvalidInput(f"most_held is a whole number from 1, got {most_held!r}")
    chosen = {"is_adjudicator": is_adjudicator, "most_held": most_held}
    given: dict[str, Any] = {column: value for column, value in chosen.items() if value is not None}
    with opened(storage) as database, database.writing() as connection:
        known = update(schema.reviewers).where(schema.reviewers.c.name == name)
        if connection.execute(known.values({**given, "removed_at": None})).rowcount == 0:
            _add(connection, name, database.time(connection), **given)
        _pass_on(connection)


def remove_reviewer(storage: str | Database, name: str) -> int:
    """Hand nothing more to this person; what they hold goes to others. Their answers stay.

    Returns
    -------
    int
        How many queries they held.

    Raises
    ------
    InvalidInput
        If nobody of this name has a desk here.
    """
    with opened(storage) as database, database.writing() as connection:
        now = database.time(connection)
        if locked(connection, name) is None:
            raise InvalidInput(f"{name!r} is no reviewer of this store: {_some_names(connection)}")
        held = n_held(connection, name, now)
        gone = update(schema.reviewers).where(schema.reviewers.c.name == name)
        connection.execute(gone.values(removed_at=now))
        free = {"reviewer": None, "token": None, "leased_at": None, "expires_at": None}
        connection.execute(update(slots).where(slots.c.reviewer == name, slots.c.is_open).values(free))
        _pass_on(connection)
        return held


def reviewers(storage: str | Database) -> tuple[Reviewer, ...]:
    """Everybody who has, or had, a desk here, by name."""
    with opened(storage) as database, database.reading() as connection:
        held = {row.reviewer: row.n for row in connection.execute(_HELD, _moment(database.time(connection)))}
        answered = {row.by: row.n for row in connection.execute(_ANSWERED)}
        return tuple(
            Reviewer(
                name=row.name,
                is_adjudicator=row.is_adjudicator,
                most_held=row.most_held,
                held=held.get(row.name, 0),
                answered=answered.get(row.name, 0),
                removed=row.removed_at is not None,
            )
            for row in connection.execute(select(schema.reviewers).order_by(schema.reviewers.c.name))
        )


def enter(database: Database, name: str) -> None:
    """Give a reviewer a desk; one who is not known yet is added.

    Raises
    ------
    InvalidInput
        For an empty name, or somebody who was removed.
    """
    name = checked_name(name)
    with database.reading() as connection:
        known = connection.execute(_BY_NAME, {"name": name}).one_or_none()
    if known is None:
        with database.writing() as connection:  # one at a time: two desks may open at once
            known = connection.execute(_BY_NAME, {"name": name}).one_or_none()
            if known is None:
                _add(connection, name, database.time(connection))
                return
    refuse_removed(known)


def _pass_on(connection: Connection) -> None:
    """Let anybody settle what every adjudicator of now has answered before; it would wait for ever."""
    if connection.execute(ADJUDICATORS).first() is not None:
        connection.execute(_TO_ANYBODY)


def _add(connection: Connection, name: str, at: float, **given: Any) -> None:
    """Somebody new, with the usual limits where nothing else is given."""
    values = {"is_adjudicator": False, "most_held": MOST_HELD} | given
    connection.execute(insert(schema.reviewers).values(name=name, added_at=at, **values))


def refuse_removed(reviewer: Any) -> None:
    """Refuse a row of `reviewers` that was removed."""
    if reviewer.removed_at is not None:
        raise InvalidInput(
            f"{reviewer.name!r} was removed from the reviewers of this store. To let them in again: "
            f"add_reviewer(storage, {reviewer.name!r})"
        )


def locked(connection: Connection, name: str) -> Any:
    """The row of a reviewer, or None; nobody else claims in this name before the transaction ends."""
    return _LOCKED.first(connection, {"name": name})


def n_held(connection: Connection, name: str, now: float) -> int:
    """How many slots a reviewer has in hand."""
    return int(_HELD_BY.first(connection, _moment(now) | {"name": name}).n)


def checked_name(name: Any) -> str:
    """A name that can be told from others.

    Raises
    ------
    InvalidInput
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput(f"a reviewer has a name, a string that is not empty; got {name!r}")
    return name


def _some_names(connection: Connection) -> str:
    names = connection.execute(select(schema.reviewers.c.name).order_by("name").limit(8)).scalars().all()
    return "nobody has a desk here yet" if not names else "there are " + ", ".join(map(repr, names))


def _moment(now: float) -> dict[str, Any]:
    return {"now": now, "latest": now + CLOCK_SLACK}


_BY_NAME = select(schema.reviewers).where(schema.reviewers.c.name == bindparam("name"))
_LOCKED = Prepared(_BY_NAME.with_for_update())
_LIVE = and_(slots.c.is_open, slots.c.expires_at > bindparam("now"), slots.c.leased_at <= bindparam("latest"))
_HELD_BY = Prepared(
    select(func.count().label("n")).select_from(slots).where(slots.c.reviewer == bindparam("name"), _LIVE)
)
_HELD = (
    select(slots.c.reviewer, func.count().label("n"))
    .where(slots.c.reviewer.is_not(None), _LIVE)
    .group_by(slots.c.reviewer)
)
_BACK = labels.alias("back")
_TAKEN_BACK = select(_BACK.c.id).where(_BACK.c.undoes == labels.c.id).correlate(labels)
_ANSWERED = (
    select(labels.c.by, func.count().label("n"))
    .where(labels.c.by.is_not(None), labels.c.undoes.is_(None), ~_TAKEN_BACK.exists())
    .group_by(labels.c.by)
)
_HAS_SAID = (
    select(labels.c.id)
    .where(labels.c.query_id == slots.c.query_id, labels.c.by == schema.reviewers.c.name)
    .where(labels.c.undoes.is_(None), ~_TAKEN_BACK.exists())
    .correlate(slots, schema.reviewers)
)
_IS_LEFT = ADJUDICATORS.where(~_HAS_SAID.exists()).correlate(slots)
_TO_ANYBODY = (
    update(slots)
    .where(slots.c.is_open, slots.c.for_adjudicator, ~_IS_LEFT.exists())
    .values(for_adjudicator=False)
)
