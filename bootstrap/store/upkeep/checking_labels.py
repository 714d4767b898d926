"""The part of a check that asks which label should count, of all that was said about an item.

It goes through the labels in their order, as those did who wrote them: a class never gives way to another, a
SKIP gives way to whatever is meant to count after it, one that was taken back counts no more, nor does a
class that was split since. Whether a label was meant to count at all is in its row, which the trail covers:
so nothing here has to know how many people were asked, or what an adjudicator said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from bootstrap.classes import ClassList
from bootstrap.errors import InvalidInput
from bootstrap.store.class_lists import read_classes
from bootstrap.store.schema import labels, loops, standing
from bootstrap.store.upkeep.findings import Findings, streamed

__all__ = ["LabelCheck"]


class LabelCheck:
    """It holds what was said about one item by one loop, and the classes of each loop.

    Parameters
    ----------
    connection : Connection
    findings : Findings
    """

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self._connection = connection
        self._findings = findings
        self._classes: dict[int, ClassList] = {}  # of loops whose classes were changed
        self._split: dict[tuple[int, str, int], bool] = {}

    def look_at_what_counts(self) -> None:
        """Of each item, and of each row that takes another back."""
        self._findings.say_of(
            _NO_SUCH_LABEL,
            "What counts of {item} in {loop} ({opinion} answer) is noted as label {label}, which is not "
            "there, is about something else, counts for nothing, or is no such answer.",
        )
        self._findings.say_of(
            _BACK_WRONG, "Label {label} of {item} in {loop} takes back a label of another item or loop."
        )
        self._read_changed_classes()
        said = streamed(self._connection, _SAID)
        for _, about in groupby(said, lambda row: (row.item_id, row.loop_id)):
            rows = list(about)
            for second in (False, True):
                self._compare([row for row in rows if (row.source == "second") is second], second)

    def _read_changed_classes(self) -> None:
        changed = select(loops.c.id).where(loops.c.class_version > 1)
        for loop_id in self._connection.execute(changed).scalars().all():
            try:
                self._classes[loop_id] = read_classes(self._connection, loop_id)
            except (InvalidInput, AttributeError, TypeError, ValueError):
                self._findings.say(f"The lists of classes of {self._findings.loop(loop_id)} can't be read.")

    def _compare(self, rows: list[Any], second: bool) -> None:
        """What should count with what does, of one item in one loop."""
        if not rows:
            return
        should = self._what_counts(rows)
        does = rows[0].counts
        if does == (None if should is None else should.id):
            return
        item_id, loop_id = rows[0].item_id, rows[0].loop_id
        where = f"{self._findings.item(item_id, loop_id)} in {self._findings.loop(loop_id)}"
        where += " (second answer)" if second else ""
        if should is None:
            self._findings.say(f"Label {does} of {where} counts, though it was taken back or may not.")
        else:
            instead = "none does" if does is None else f"label {does} does"
            self._findings.say(f"Label {should.id} of {where} should count, and {instead}.")

    def _what_counts(self, rows: Iterable[Any]) -> Any:
        """The label that should count in the end, or None."""
        now: Any = None
        for row in rows:
            if row.undoes is not None:
                now = None if now is not None and row.undoes == now.id else now
            elif not row.extra:
                if now is None or now.label is None or self._was_split(now, before=row):
                    now = row
                else:
                    self._findings.say(
                        f"Label {row.id} of {self._findings.item(row.item_id, row.loop_id)} in "
                        f"{self._findings.loop(row.loop_id)} was stored as one that counts, though label "
                        f"{now.id} did already."
                    )
        return None if now is not None and self._was_split(now) else now

    def _was_split(self, row: Any, before: Any = None) -> bool:
        """Whether the class of a label was split, and may have been when another was given."""
        classes = self._classes.get(row.loop_id)
        if classes is None or row.label is None:
            return False
        if before is not None and before.class_version <= row.class_version:
            return False
        key = (row.loop_id, row.label, row.class_version)
        if key not in self._split:
            self._split[key] = classes.now(json.loads(row.label), row.class_version) is None
        return self._split[key]


_of = labels.alias()
_is_second = labels.c.source == "second"
_THE_LABEL = (labels.c.id.label("label"), labels.c.item_id, labels.c.loop_id)

_SAID = (
    select(
        labels.c.id,
        labels.c.item_id,
        labels.c.loop_id,
        labels.c.source,
        labels.c.label,
        labels.c.extra,
        labels.c.undoes,
        labels.c.class_version,
        standing.c.label_id.label("counts"),
    )
    .outerjoin(
        standing,
        and_(
            standing.c.loop_id == labels.c.loop_id,
            standing.c.item_id == labels.c.item_id,
            (standing.c.opinion == "second") == _is_second,
        ),
    )
    .order_by(labels.c.item_id, labels.c.loop_id, labels.c.id)
)
_NO_SUCH_LABEL = (
    select(
        standing.c.loop_id,
        standing.c.item_id,
        standing.c.opinion,
        standing.c.label_id.label("label"),
    )
    .outerjoin(labels, labels.c.id == standing.c.label_id)
    .where(
        or_(
            labels.c.id.is_(None),
            labels.c.loop_id != standing.c.loop_id,
            labels.c.item_id != standing.c.item_id,
            labels.c.undoes.is_not(None),
            labels.c.extra,
            standing.c.skip != labels.c.label.is_(None),
            standing.c.opinion.not_in(("first", "second")),
            (standing.c.opinion == "second") != _is_second,
        )
    )
    .order_by(standing.c.loop_id, standing.c.item_id)
)
_BACK_WRONG = (
    select(*_THE_LABEL)
    .join(_of, _of.c.id == labels.c.undoes)
    .where(or_(_of.c.item_id != labels.c.item_id, _of.c.loop_id != labels.c.loop_id, _of.c.id >= labels.c.id))
    .order_by(labels.c.id)
)
