"""Every label of a loop, in the order it came: appended to, never changed.

An item's first label counts. A later, different answer is kept beside it as an extra label and never
overwrites it; saying the same again changes nothing. The log is the truth; all else here is read off it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bootstrap.records import SKIP, Class, Label, Skip, Source

__all__ = ["Labels", "Outcome", "Told"]


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


#: What one answer turns out to be; the fields of :class:`Told`.
Outcome: TypeAlias = Literal["kept", "repeated", "extra", "skipped"]


class Labels:
    """The label log of a loop, and what stands in it about each row of the pool.

    Attributes
    ----------
    log : list of Label
        Everything, skips and extra labels included.
    """

    def __init__(self) -> None:
        self.log: list[Label] = []
        self._first: dict[int, Class] = {}  # row of the pool -> its label
        self._second: dict[int, Class | Skip] = {}  # row -> what a second person said
        self._extra: dict[int, set[Class | Skip]] = {}  # row -> what was said and is not its label
        self._unsure: set[int] = set()  # rows that were disputed before the classes were changed
        self._skipped: set[int] = set()
        self._counted = (0, 0, 0, 0)

    def __contains__(self, row: int) -> bool:
        return row in self._first

    @property
    def n_asked(self) -> int:
        """Labels given to queries; extra ones too, since they cost work."""
        return self._counts()[1]

    @property
    def n_given(self) -> int:
        """Labels that existed already."""
        return self._counts()[2]

    @property
    def n_skipped(self) -> int:
        """Answers of SKIP."""
        return self._counts()[3]

    def _counts(self) -> tuple[int, int, int, int]:
        """Entries counted, and how many of them are labels asked for, labels given, and skips."""
        n, asked, given, skipped = self._counted
        for entry in self.log[n:]:
            if isinstance(entry.label, Skip):
                skipped += 1  # extra ones too: somebody was asked
            elif entry.source is Source.GIVEN:
                given += 1
            else:
                asked += 1
        self._counted = (asked + given + skipped, asked, given, skipped)
        return self._counted

    def of(self, rows: NDArray[np.intp]) -> list[Class]:
        """The first labels of these rows, all of which must have one."""
        return [self._first[row] for row in rows.tolist()]

    def answer(self, row: int) -> Class | Skip | None:
        """The first label of this row, SKIP where nobody could tell, None without an answer."""
        return self._first.get(row, SKIP if row in self._skipped else None)

    def disputed(self) -> list[int]:
        """Rows that people have answered without a label: they differ, or somebody could not tell."""
        unsure = {row for row, said in self._extra.items() if len(said) > 1 or SKIP in said}
        return [row for row in unsure | self._unsure if row not in self._first and row not in self._skipped]

    def _was_said(self, row: int, answer: Class) -> bool:
        return answer in self._extra.get(row, set())

    def judge_second(self, row: int, answer: Class | Skip) -> Outcome:
        """What a second answer about this row would be; nothing is stored."""
        if row not in self._second:
            return "skipped" if isinstance(answer, Skip) else "kept"
        if isinstance(answer, Skip) or answer == self._second[row] or self._was_said(row, answer):
            return "repeated"
        return "extra"

    def judge(self, row: int, answer: Class | Skip) -> Outcome:
        """What an answer about this row would be; nothing is stored."""
        if isinstance(answer, Skip):
            return "repeated" if row in self._first or row in self._skipped else "skipped"
        if row not in self._first:
            return "kept"
        if answer == self._first[row] or self._was_said(row, answer):
            return "repeated"
        return "extra"

    def read(self, row: int, entry: Label) -> None:
        """Take one entry of the log into account; once or twice makes no difference."""
        if entry.extra:
            self._extra.setdefault(row, set()).add(entry.label)
        elif entry.source is Source.SECOND:
            self._second.setdefault(row, entry.label)
        elif isinstance(entry.label, Skip):
            self._skipped.add(row)
        else:
            self._first[row] = entry.label
            self._skipped.discard(row)

    def standing(self) -> Iterator[tuple[int, Class]]:
        """(row, its label) of every row that has one."""
        return iter(self._first.items())

    def change(self, now: Callable[[Class], Class | None]) -> tuple[list[int], list[int]]:
        """Call every class what it is called now, and forget the labels of those that were split.

        Returns
        -------
        first, second : list of int
            Rows whose first or second label is gone by this; the log keeps it.
        """
        first = {row: now(label) for row, label in self._first.items()}
        second = {
            row: label if isinstance(label, Skip) else now(label) for row, label in self._second.items()
        }
        gone = [row for row, label in first.items() if label is None]
        self._unsure = set(self.disputed())  # a merge does not settle it: somebody still has to
        extra: dict[int, set[Class | Skip]] = {}
        for row in self._extra.keys() - set(gone):  # those are asked again: nothing was said of them
            called = {label if isinstance(label, Skip) else now(label) for label in self._extra[row]}
            extra[row] = {label for label in called if label is not None}
        self._first = {row: label for row, label in first.items() if label is not None}
        self._second = {row: label for row, label in second.items() if label is not None}
        self._extra = extra
        return gone, [row for row, label in second.items() if label is None]

    def reopen(self, row: int) -> None:
        """Forget that the item was skipped, so that it can be asked again; the log keeps it."""
        self._skipped.discard(row)
        self._extra.get(row, set()).discard(SKIP)
        self._unsure.discard(row)
