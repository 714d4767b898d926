"""Which classes there are, and whether an answer is one of them."""

from __future__ import annotations

import difflib
import math
import reprlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.errors import InvalidInput
from bootstrap.records import Class, Skip

if TYPE_CHECKING:
    from bootstrap.class_changes import ClassChange

__all__ = ["ClassList", "plain_answer"]

_KINDS: dict[type, str] = {str: "string", bool: "bool", int: "whole number"}


class ClassList:
    """The classes of a loop: fixed up front, or open and growing with the labels.

    Parameters
    ----------
    classes : sequence, optional
        All classes in the order they are shown; an answer must be one of them. Without it, every answer of
        the same kind (string, whole number, bool) as the first is a class.
    """

    def __init__(self, classes: Sequence[Any] | None = None) -> None:
        if isinstance(classes, str | bytes):
            raise InvalidInput(f"classes is a single string, {classes!r}: pass a list of classes")
        self.is_open = True  # while the given ones are checked against each other
        self._changes: list[ClassChange] = []  # each made the next version
        self._code_of: dict[Class, int] = {}  # in order of appearance
        for label in self.check_all(classes) if classes is not None else ():
            if not isinstance(label, Skip):
                self.add(label)
        self.is_open = classes is None
        if classes is not None and len(self._code_of) < 2:
            raise InvalidInput(f"classes needs at least two different classes, got {list(classes)!r}")

    def __len__(self) -> int:
        return len(self._code_of)

    @property
    def fixed(self) -> tuple[Class, ...] | None:
        """The classes given up front, or None where the list is open."""
        return None if self.is_open else tuple(self._code_of)

    @property
    def shown(self) -> tuple[Class, ...]:
        """The classes in the order people see them: as given, or sorted."""
        return tuple(self._code_of) if not self.is_open else tuple(sorted(self._code_of))

    def add(self, label: Class) -> int:
        """Remember a checked label's class; returns its code, the same until :meth:`change`."""
        return self._code_of.setdefault(label, len(self._code_of))

    @property
    def version(self) -> int:
        """Which version this is, from 1."""
        return 1 + len(self._changes)

    def change(self, change: ClassChange) -> None:
        """Go on to the next version, which has been checked; every class gets another code."""
        after = change.apply(tuple(self._code_of))
        every = dict.fromkeys([*after, *change.parts] if self.is_open else after)
        self._code_of = {name: code for code, name in enumerate(every)}
        self._changes.append(change)

    def now(self, label: Class, version: int) -> Class | None:
        """What a label of an older version is called now; None where its class was split since."""
        found: Class | None = label
        for change in self._changes[version - 1 :]:
            if found is not None:
                found = change.now(found)
        return found

    def encoding(self, codes: NDArray[np.intp]) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """(classes, codes into them) for codes of labels to train on.

        The classes are all of them where they are fixed, else those that occur, sorted, so that the order
        in which labels came makes no difference.
        """
        every = list(self._code_of)
        if not self.is_open:
            return np.array(every), codes
        occurring = np.flatnonzero(np.bincount(codes, minlength=len(every)))
        in_order = sorted(occurring.tolist(), key=every.__getitem__)
        position = np.zeros(len(every), dtype=np.intp)
        position[in_order] = np.arange(len(in_order))
        return np.array([every[code] for code in in_order]), position[codes]

    def check(self, answer: Any) -> Class | Skip:
        """`answer` as a plain class or SKIP.

        Raises
        ------
        InvalidInput
            If it is None, NaN, of another kind than the classes so far, or not among fixed classes.
        """
        label = plain_answer(answer)
        if isinstance(label, Skip):
            return label
        if self._code_of:
            first = next(iter(self._code_of))
            if type(first) is not type(label):
                raise InvalidInput(
                    f"{label!r} is a {_KINDS[type(label)]} and the classes so far are {_KINDS[type(first)]}s "
                    f"(such as {first!r}): use one kind of label"
                )
        if label not in self._code_of:
            self._refuse_old(label)
        if not self.is_open and label not in self._code_of:
            written = {str(known): known for known in self._code_of}
            near = difflib.get_close_matches(str(label), written, n=1)
            hint = f"; did you mean {written[near[0]]!r}?" if near else ""
            raise InvalidInput(
                f"{label!r} is not one of the {len(self._code_of)} classes {_some(self._code_of)}{hint}"
            )
        return label

    def _refuse_old(self, label: Class) -> None:
        """Refuse what was a class in an older version; who says so has not seen the new one."""
        for i in range(len(self._changes) - 1, -1, -1):
            change = self._changes[i]
            if label in change.news:
                return
            if label in change.olds:
                raise InvalidInput(
                    f"{label!r} is no class any more: version {i + 2} of the classes has "
                    f"{_some(change.names(label))} in its place"
                )

    def check_all(self, labels: Iterable[Any]) -> list[Class | Skip]:
        """Check labels that come together and must be of one kind; nothing is remembered.

        Raises
        ------
        InvalidInput
            Naming the first position that is wrong.
        """
        checked: list[Class | Skip] = []
        kind: type | None = None
        for i, answer in enumerate(labels):
            try:
                label = self.check(answer)
            except InvalidInput as error:
                raise InvalidInput(f"label {i}: {error}") from None
            if not isinstance(label, Skip):
                if kind is not None and type(label) is not kind:
                    raise InvalidInput(
                        f"label {i}: {label!r} is a {_KINDS[type(label)]} among {_KINDS[kind]}s: "
                        "use one kind of label"
                    )
                kind = type(label)
            checked.append(label)
        return checked


def plain_answer(answer: Any) -> Class | Skip:
    """An answer as a plain string, whole number, bool or SKIP.

    numpy's scalars and members of enums become what they stand for, and 3.0 becomes 3.

    Raises
    ------
    InvalidInput
        For anything else: None, NaN, 0.5, a list, an empty string.
    """
    if isinstance(answer, np.generic):
        answer = answer.item()
    if isinstance(answer, float) and answer.is_integer():
        answer = int(answer)
    if isinstance(answer, bool | Skip):
        return answer
    if isinstance(answer, int) and abs(answer) < 2**63:
        return int(answer)
    if isinstance(answer, str):
        text = str.__str__(answer)  # of an enum of strings, its value
        if not text.strip():
            raise InvalidInput('an empty string is not a label: answer SKIP for "can\'t tell"')
        if text.endswith("\x00"):
            raise InvalidInput(f"{text!r} is not a label: numpy drops a NUL at the end")
        return text
    if answer is None or (isinstance(answer, float) and math.isnan(answer)):
        raise InvalidInput(f'{answer!r} is not a label: answer SKIP (bootstrap.SKIP) for "can\'t tell"')
    raise InvalidInput(
        f"{reprlib.repr(answer)} ({type(answer).__name__}) is not a label: "
        "a class is a string, a whole number of at most 64 bits or a bool"
    )


def _some(classes: Iterable[Class], most: int = 8) -> str:
    names = [repr(c) for c in classes]
    return "(" + ", ".join(names[:most]) + (", …)" if len(names) > most else ")")
