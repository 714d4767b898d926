"""Labels that exist already, from a file into a store: JSON lines, CSV, Parquet or Label Studio's JSON.

An item is known by its id, or by its content where the file has none. What is there already is a duplicate,
another label for the same item is kept beside the one that counts, and a row that can't be read is reported
with its number: nothing is overwritten and nothing is lost without a word.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, func, select

from bootstrap.classes import ClassList
from bootstrap.content import content_hash, content_id
from bootstrap.errors import InvalidInput
from bootstrap.labels import Outcome
from bootstrap.pool import Place
from bootstrap.records import Class, Skip
from bootstrap.store.answers import LabelRow
from bootstrap.store.database import Database, opened
from bootstrap.store.desks.shown import ClassLists
from bootstrap.store.files.import_files import BadRow, ImportRow, Unit, read_import, unit_of
from bootstrap.store.loop_names import one_loop
from bootstrap.store.loops.loop_record import LoopRecord
from bootstrap.store.schema import aliases, items, loops, members, rounds
from bootstrap.store.slices import in_slices

__all__ = ["FileItems", "ImportReport", "import_items", "read_items"]

_CHUNK: Final = 2000  # rows of the file in one transaction
_COUNTED_AS: Final[Mapping[Outcome, str]] = {
    "kept": "n_new",
    "skipped": "n_skipped",
    "extra": "n_extra",
    "repeated": "n_repeated",
}
_COUNTS: Final = (*_COUNTED_AS.values(), "n_unlabeled", "n_unsettled", "n_traps", "n_held_out", "n_as_text")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the rows of a file, and of the answers in them: a row may hold several.

    Attributes
    ----------
    n_rows : int
        All rows, bad ones too.
    n_new : int
        Labels that count now.
    n_skipped : int
        Answers of SKIP for items without any answer.
    n_extra : int
        Labels kept beside another one that counts.
    n_repeated : int
        Answers that say again what was known, or SKIP where there is an answer: not kept.
    n_unlabeled : int
        Rows of known items without a label.
    n_unsettled : int
        Rows of known items with answers beside which no class counts: where they come from, people disagreed,
        could not tell, or more of them were to be asked. These answers are passed over.
    n_traps : int
        Answers to traps about known items, passed over as well.
    n_held_out : int
        New labels of held-out items: kept, but neither trained on, since the model is measured there, nor
        evidence, since it is not known that they were given blind. Such an item is not audited any more.
    n_as_text : int
        New labels that look like whole numbers and were taken as text: the file says all labels as text, and
        the loop's list of classes is open and has no numbers yet. For numbers begin the loop with them,
        `classes=[0, 1]`, or import from JSON lines or Parquet.
    new_classes : tuple of class
        Those that no label of the loop was before, in the order in which they came: a list of classes that is
        open takes a misspelt one, too.
    unit : {"line", "row", "task"}
        What the numbers below count, from 1: lines of the file, rows of Parquet, tasks of Label Studio.
    duplicates : tuple of int
        Where the file says only what the store knew already.
    unknown : tuple of int
        Where the item is none of the loop's. `read_items` gives them: add them with `loop.add`.
    bad : tuple of (int, str)
        What can't be read, and why.
    """

    n_rows: int = 0
    n_new: int = 0
    n_skipped: int = 0
    n_extra: int = 0
    n_repeated: int = 0
    n_unlabeled: int = 0
    n_unsettled: int = 0
    n_traps: int = 0
    n_held_out: int = 0
    n_as_text: int = 0
    new_classes: tuple[Class, ...] = ()
    unit: Unit = "line"
    duplicates: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()
    bad: tuple[tuple[int, str], ...] = ()

    @property
    def n_duplicates(self) -> int:
        """Rows that say what the store knew already."""
        return len(self.duplicates)


@dataclass(frozen=True, slots=True)
class FileItems:
    """The rows of a file as `loop.add` and `loop.add_labels` take them.

    Attributes
    ----------
    lines : list of int
        Where each begins; in Parquet the number of the row, in Label Studio's JSON that of the task.
    ids : list of str or None
        None where the file has no ids.
    items : list
    labels : list
        A class, SKIP, or None where there is none.
    bad : tuple of (int, str)
        What can't be read, by line (row, task), and why.
    """

    lines: list[int]
    ids: list[str] | None
    items: list[Any]
    labels: list[Class | Skip | None]
    bad: tuple[tuple[int, str], ...] = ()


def read_items(
    path: str | os.PathLike[str],
    *,
    lines: Iterable[int] | None = None,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    spreadsheet_safe: bool = True,
) -> FileItems:
    """Items and labels of a file, for a loop that does not know them yet.

    Parameters
    ----------
    path, format, columns, spreadsheet_safe
        As for `read_import`.
    lines : iterable of int, optional
        Only these lines (rows, tasks), such as `ImportReport.unknown`.

    Raises
    ------
    InvalidInput
        As `read_import`; and if only some rows have an id.
    """
    wanted = None if lines is None else set(lines)
    rows: list[ImportRow] = []
    bad = []
    for row in read_import(path, format=format, columns=columns, spreadsheet_safe=spreadsheet_safe):
        if wanted is not None and row.line not in wanted:
            continue
        if isinstance(row, BadRow):
            bad.append((row.line, row.why))
        else:
            rows.append(row)
    without = [row.line for row in rows if row.id is None]
    if without and len(without) < len(rows):
        where = f"{unit_of(path, format)} {without[0]}"
        raise InvalidInput(f"{path} has ids, but {where} has none: give every row one, or none")
    return FileItems(
        lines=[row.line for row in rows],
        ids=None if without or not rows else [str(row.id) for row in rows],
        items=[row.item for row in rows],
        labels=[row.answers[0].label if row.answers else None for row in rows],
        bad=tuple(bad),
    )


def import_items(
    storage: str | Database,
    path: str | os.PathLike[str],
    *,
    loop: str | None = None,
    by: str | None = None,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    spreadsheet_safe: bool = True,
) -> ImportReport:
    """Give a loop the labels of a file for the items that it knows. Doing so again changes nothing.

    They count as labels that existed before they were asked for: trained on, but for those of held-out items,
    and no evidence. A process that trains the loop reads them as it reads people's answers. That holds for
    second answers in the file, too. When an answer was given is kept where the file says it. Some thousand
    rows are one transaction: after a failure import the file again.

    Parameters
    ----------
    storage : str or Database
        URL of a store that exists, or an open one.
    path, format, columns, spreadsheet_safe
        As for `read_import`.
    loop : str, optional
        May be left out where the store has one.
    by : str, optional
        Who gave the labels, where the file does not say.

    Raises
    ------
    InvalidInput
        If the file as a whole can't be read or has no labels, or the loop is not known.
    """
    rows = read_import(
        path, format=format, columns=columns, spreadsheet_safe=spreadsheet_safe, needs_labels=True
    )
    report = _Report()
    with opened(storage) as database:
        while chunk := list(islice(rows, _CHUNK)):
            good = [row for row in chunk if isinstance(row, ImportRow)]
            report.n_rows += len(chunk)
            report.bad += [(row.line, row.why) for row in chunk if isinstance(row, BadRow)]
            with database.writing() as connection:
                _give(connection, database, good, loop, by, report)
    return ImportReport(
        **report.counts,
        n_rows=report.n_rows,
        new_classes=tuple(report.new_classes),
        unit=unit_of(path, format),
        duplicates=tuple(report.duplicates),
        unknown=tuple(report.unknown),
        bad=tuple(sorted(report.bad)),
    )


@dataclass(slots=True)
class _Report:
    n_rows: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))
    new_classes: dict[Class, None] = field(default_factory=dict)
    duplicates: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)

    def see(self, row: ImportRow) -> None:
        """A row of a known item, before its answers are judged."""
        self.counts["n_unsettled"] += row.is_unsettled
        self.counts["n_unlabeled"] += not row.answers and not row.is_unsettled
        self.counts["n_traps"] += row.n_traps

    def count(self, outcome: Outcome) -> None:
        """One answer."""
        self.counts[_COUNTED_AS[outcome]] += 1

    def keep(self, label: Class, *, is_new: bool, held_out: bool, as_text: bool) -> None:
        """A label that counts."""
        self.counts["n_held_out"] += held_out
        self.counts["n_as_text"] += as_text
        if is_new:
            self.new_classes.setdefault(label)


def _give(
    connection: Connection,
    database: Database,
    rows: list[ImportRow],
    loop: str | None,
    by: str | None,
    report: _Report,
) -> None:
    """One transaction: the labels of these rows."""
    loop_id, _ = one_loop(connection, loop)
    record = LoopRecord(connection.execute(select(loops).where(loops.c.id == loop_id)).one())
    version = record.class_version
    classes = ClassLists().of(connection, loop_id, version)
    before = frozenset(classes.shown)
    ended = select(func.max(rounds.c.number)).where(rounds.c.loop_id == loop_id)
    number = (connection.execute(ended).scalar() or 0) + 1
    places = _places(connection, loop_id, rows)
    given: list[LabelRow] = []
    whose: list[int] = []  # which of the rows each is of: lines need not tell them apart
    for i, (row, place) in enumerate(zip(rows, places, strict=True)):
        if place is None:
            report.unknown.append(row.line)
            continue
        try:
            checked = [classes.check(_of_kind(answer.label, classes, row.is_text)) for answer in row.answers]
        except InvalidInput as error:
            report.bad.append((row.line, str(error)))
            continue
        report.see(row)
        for label, answer in zip(checked, row.answers, strict=True):
            if not isinstance(label, Skip):
                classes.add(label)
            who = by if answer.by is None else answer.by
            said = LabelRow(loop_id, place.item_id, place.row, label, "given", who, number, blind=False)
            given.append(replace(said, reason=answer.reason, touched_at=answer.at, class_version=version))
            whose.append(i)
    outcomes: dict[int, set[Outcome]] = {}
    judged = record.save_answers(connection, database.time(connection), given)
    for i, said, (outcome, _) in zip(whose, given, judged, strict=True):
        outcomes.setdefault(i, set()).add(outcome)
        report.count(outcome)
        if outcome == "kept" and not isinstance(said.label, Skip):
            as_text = rows[i].is_text and classes.is_open and _looks_whole(said.label)
            is_new = said.label not in before
            report.keep(said.label, is_new=is_new, held_out=places[i].home == Place.HELD_OUT, as_text=as_text)
    report.duplicates += [rows[i].line for i, found in outcomes.items() if found == {"repeated"}]


def _places(connection: Connection, loop_id: int, rows: list[ImportRow]) -> list[Any]:
    """Row, item and home of each in the loop, by id or else by content; None of those it does not know."""
    by_name: dict[str, Any] = {}
    by_key: dict[str, Any] = {}
    names = [row.id for row in rows if row.id is not None]
    keys = [_key(row) for row in rows]
    place = members.c.row, members.c.item_id, members.c.home
    of_loop = members.c.loop_id == loop_id
    for some in in_slices(names):
        named = select(members.c.name, *place).where(of_loop, members.c.name.in_(some))
        by_name |= {row.name: row for row in connection.execute(named)}
        copied = (
            select(aliases.c.name, *place)
            .join(members, (members.c.loop_id == aliases.c.loop_id) & (members.c.row == aliases.c.row))
            .where(of_loop, aliases.c.name.in_(some))
        )
        by_name |= {row.name: row for row in connection.execute(copied)}
    for some in in_slices([key for key in keys if key is not None]):
        alike = select(items.c.key, *place).join(items, items.c.id == members.c.item_id)
        found = connection.execute(alike.where(of_loop, items.c.key.in_(some)))
        by_key |= {row.key: row for row in found}
    return [by_name.get(row.id or "") or by_key.get(key or "") for row, key in zip(rows, keys, strict=True)]


def _key(row: ImportRow) -> str | None:
    """What the store would call the content; None where that can't be said."""
    try:
        return None if row.item is None else content_hash(content_id(row.item))
    except InvalidInput:
        return None


def _of_kind(label: Class | Skip, classes: ClassList, is_text: bool) -> Class | Skip:
    """A label as the classes are, where the file can only say it as text."""
    if not is_text or not isinstance(label, str):
        return label
    kind = type(classes.shown[0]) if len(classes) else str
    if kind is bool:
        return {"true": True, "false": False}.get(label.strip().casefold(), label)
    return int(label) if kind is int and _looks_whole(label) else label


def _looks_whole(label: Class | Skip) -> bool:
    return isinstance(label, str) and re.fullmatch(r"\s*[+-]?\d+\s*", label) is not None
