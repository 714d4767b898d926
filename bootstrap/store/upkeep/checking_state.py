"""The part of a check that looks at what changes while people work: items, loops, queries, places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, exists, func, or_, select, text

from bootstrap.content import content_hash
from bootstrap.store.schema import blocks, claims, class_lists, items, labels, loops, members, queries, slots
from bootstrap.store.upkeep.findings import Findings, streamed

__all__ = ["StateCheck"]


class StateCheck:
    """Rows that contradict each other.

    Parameters
    ----------
    connection : Connection
    findings : Findings
    """

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self._connection = connection
        self._findings = findings

    def look_at_the_file(self) -> None:
        """What SQLite itself finds."""
        for found in self._connection.execute(text("PRAGMA quick_check(20)")).scalars():
            if found != "ok":
                self._findings.say(f"The file is damaged: {found}")
        for row in self._connection.execute(text("PRAGMA foreign_key_check")):
            number = "" if row[1] is None else f" (row {row[1]})"
            self._findings.say(
                f"A row of the table {row[0]!r}{number} refers to one of {row[2]!r} that is not there."
            )

    def look_at_items(self) -> None:
        """Content, keys, and where the features are."""
        names = [str(name) for name in self._connection.execute(select(loops.c.name)).scalars()]
        for row in streamed(self._connection, _ITEMS, at_once=100):
            why = None
            if row.erased_at is not None:
                if row.content is not None or row.payload is not None:
                    why = "was erased, and its content is there"
            elif row.content is None:
                why = "has no content any more, and was not erased"
            elif not _is_of(row.key, row.content, names):
                why = "has another content than its key was made of"
            if why is not None:
                self._findings.say(f"{self._findings.item(row.id)} {why}.")
        say_of = self._findings.say_of
        say_of(_NO_FEATURES, "{item} in {loop}: its features are in no block, or beyond the end of theirs.")
        say_of(_SAME_NAME, "In {loop} {n} items have the id {name!r}.")

    def look_at_loops(self, taken_up_to: Mapping[int, int]) -> None:
        """Numbers that a loop goes by, with what the trail says of them."""
        say_of = self._findings.say_of
        say_of(_OTHER_LIST, "{loop} is at version {version} of its classes, and the last list is {last}.")
        say_of(_NO_LIST, "{loop} is at version {version} of its classes, and there is no list.")
        say_of(_TOO_FAR, "{loop} has read up to label {label}, which is none of its labels.")
        for loop_id, noted in self._connection.execute(select(loops.c.id, loops.c.taken_up_to)).all():
            by_trail = taken_up_to.get(loop_id, 0)
            if noted != by_trail:
                self._findings.say(
                    f"{self._findings.loop(loop_id)} has read up to label {by_trail} by the trail, and up to "
                    f"{noted} by its own row."
                )

    def look_at_queries(self) -> None:
        """Their states, and the places for answers with the leases on them."""
        say_of = self._findings.say_of
        say_of(
            _NO_STATE,
            "Query {query} about {item} in {loop}: its state is {state!r}, not open, settled or withdrawn.",
        )
        say_of(_UNANSWERED, "Query {query} about {item} in {loop} is settled, and nobody has answered it.")
        say_of(_ASKED_AGAIN, "Query {query} about {item} in {loop} is open, though it was answered.")
        say_of(_STUCK, "Query {query} about {item} in {loop} is open, and no place for an answer is.")
        say_of(_CLOSED, "Slot {slot} for {item} in {loop} is open, and its query {query} is {state}.")
        say_of(_MISMATCHED, "Slot {slot} is about another item or loop than its query {query} about {item}.")
        say_of(
            _BACKWARDS, "Slot {slot} for {item} in {loop}: its lease ends before it begins, or nobody has it."
        )
        say_of(
            _UNCLAIMED, "Slot {slot} for {item} in {loop} is held under a token that was never handed out."
        )


def _is_of(key: str, content: str, loop_names: Sequence[str]) -> bool:
    """Items from outside of a pool are an item each: the loop's name goes into their key."""
    if content.startswith("outside:"):
        return any(content_hash(f"{name} {content}") == key for name in loop_names)
    return content_hash(content) == key


_ITEMS = select(items.c.id, items.c.key, items.c.content, items.c.payload, items.c.erased_at).order_by(
    items.c.id
)
_NO_FEATURES = (
    select(members.c.loop_id, members.c.item_id)
    .outerjoin(blocks, blocks.c.id == members.c.block_id)
    .where(
        or_(
            members.c.block_id.is_(None) & members.c.at.is_not(None),
            members.c.block_id.is_not(None)
            & or_(
                blocks.c.id.is_(None),
                members.c.at.is_(None),
                members.c.at < 0,
                members.c.at >= blocks.c.n_rows,
            ),
        )
    )
    .order_by(members.c.loop_id, members.c.row)
)
_SAME_NAME = (
    select(members.c.loop_id, members.c.name, func.count().label("n"))
    .where(members.c.name.not_like("erased:%"))  # an id may be given anew once its item was erased
    .group_by(members.c.loop_id, members.c.name)
    .having(func.count() > 1)
    .order_by(members.c.loop_id, members.c.name)
)

_last = select(func.max(class_lists.c.version)).where(class_lists.c.loop_id == loops.c.id).scalar_subquery()
_THE_LOOP = select(loops.c.id.label("loop_id"), loops.c.class_version.label("version"), _last.label("last"))
_OTHER_LIST = _THE_LOOP.where(loops.c.class_version != _last).order_by(loops.c.id)
_NO_LIST = _THE_LOOP.where(_last.is_(None)).order_by(loops.c.id)
_TOO_FAR = (
    select(loops.c.id.label("loop_id"), loops.c.taken_up_to.label("label"))
    .where(loops.c.taken_up_to > 0)
    .where(~exists().where(labels.c.id == loops.c.taken_up_to, labels.c.loop_id == loops.c.id))
    .order_by(loops.c.id)
)

_THE_QUERY = select(
    queries.c.id.label("query"), queries.c.item_id, queries.c.loop_id, queries.c.state
).order_by(queries.c.id)
_NO_STATE = _THE_QUERY.where(queries.c.state.not_in(("open", "settled", "withdrawn")))
_was_answered = exists().where(
    labels.c.item_id == queries.c.item_id,
    labels.c.loop_id == queries.c.loop_id,
    (labels.c.source == "trap") == (queries.c.kind == "trap"),
    (labels.c.source == "second") == (queries.c.kind == "second"),
)
_UNANSWERED = _THE_QUERY.where(queries.c.state == "settled", ~_was_answered)
_has_slots = exists().where(slots.c.query_id == queries.c.id)
_back = labels.alias()
_stands_answered = exists().where(
    labels.c.item_id == queries.c.item_id,
    labels.c.query_id == queries.c.id,
    labels.c.undoes.is_(None),
    ~labels.c.extra,
    ~exists().where(_back.c.undoes == labels.c.id),
)
_ASKED_AGAIN = _THE_QUERY.where(queries.c.state == "open", ~_has_slots, _stands_answered)
_has_open_slots = exists().where(slots.c.query_id == queries.c.id, slots.c.is_open)
_STUCK = _THE_QUERY.where(queries.c.state == "open", _has_slots, ~_has_open_slots)

_THE_SLOT = (
    select(
        slots.c.id.label("slot"),
        slots.c.query_id.label("query"),
        queries.c.item_id,
        queries.c.loop_id,
        queries.c.state,
    )
    .join(queries, queries.c.id == slots.c.query_id)
    .order_by(slots.c.id)
)
_CLOSED = _THE_SLOT.where(slots.c.is_open, queries.c.state != "open")
_MISMATCHED = _THE_SLOT.where(or_(slots.c.item_id != queries.c.item_id, slots.c.loop_id != queries.c.loop_id))
_BACKWARDS = _THE_SLOT.where(
    slots.c.is_open,
    slots.c.token.is_not(None),
    or_(slots.c.reviewer.is_(None), slots.c.expires_at.is_(None), slots.c.expires_at < slots.c.leased_at),
)
_UNCLAIMED = _THE_SLOT.where(
    slots.c.token.is_not(None),
    # not of this slot: an answer under an older lease closes the place that its person has now
    ~exists().where(claims.c.token == slots.c.token, claims.c.query_id == slots.c.query_id),
)
