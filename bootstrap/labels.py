"""Every label of a loop, in the order it came: appended to, never changed.

An item's first label counts. A later, different answer is kept beside it as an extra label and never
overwrites it; saying the same again changes nothing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootstrap.records import Class, Label, Skip, Source

__all__ = ["Labels", "Told"]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the answers in one call.

    Attributes
    ----------
    kept : int
        First labels of an item.
    repeated : int
        Answers that said again what was known: nothing was stored.
    extra : int
        Answers that contradict an item's first label: stored beside it, never in its place.
    skipped : int
        Answers of SKIP.
    """

    kept: int = 0
    repeated: int = 0
    extra: int = 0
    skipped: int = 0

    def __add__(self, other: Told) -> Told:
        return Told(
            self.kept + other.kept,
            self.repeated + other.repeated,
            self.extra + other.extra,
            self.skipped + other.skipped,
        )


class Labels:
    """The label log of a loop.

    Attributes
    ----------
    log : list of Label
        Everything, skips and extra labels included.
    n_asked, n_given, n_skipped : int
        Labels given to queries (extra ones included: they cost work too), labels that existed already,
        and skips.
    """

    def __init__(self) -> None:
        self.log: list[Label] = []
        self.n_asked = self.n_given = self.n_skipped = 0
        self._first: dict[int, Class] = {}  # row of the pool -> its label
        self._extra: set[tuple[int, Class]] = set()
        self._skipped: set[int] = set()

    def __contains__(self, row: int) -> bool:
        return row in self._first

    def of(self, rows: NDArray[np.intp]) -> list[Class]:
        """The first labels of these rows, all of which must have one."""
        return [self._first[row] for row in rows.tolist()]

    def add(self, row: int, label: Label) -> Told:
        """Append one answer about the content in this row of the pool, unless it says nothing new."""
        answer = label.label
        if isinstance(answer, Skip):
            if row in self._first or row in self._skipped:
                return Told(repeated=1)
            self._skipped.add(row)
            self.n_skipped += 1
            self.log.append(label)
            return Told(skipped=1)
        is_first = row not in self._first
        if not is_first and (answer == self._first[row] or (row, answer) in self._extra):
            return Told(repeated=1)
        if label.source is Source.GIVEN:
            self.n_given += 1
        else:
            self.n_asked += 1
        if is_first:
            self._first[row] = answer
            self._skipped.discard(row)
            self.log.append(label)
            return Told(kept=1)
        self._extra.add((row, answer))
        self.log.append(dataclasses.replace(label, extra=True))
        return Told(extra=1)

    def reopen(self, row: int) -> None:
        """Forget that the item was skipped, so that it can be asked again; the log keeps it."""
        self._skipped.discard(row)
