"""How the classes of a loop change, and what becomes of labels that were given before.

A list of classes has versions. A change makes the next one: classes are added, renamed, merged or split. What
was said under an older version is mapped; where a class was split, only a person can say which of its parts
is meant, so that such a label stands no more. Nothing here knows of a store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bootstrap.classes import ClassList, plain_answer
from bootstrap.errors import InvalidInput
from bootstrap.records import Class, Skip

__all__ = ["ClassChange"]


@dataclass(frozen=True, slots=True)
class ClassChange:
    """What made one version of a list of classes of the one before; all of it at once.

    Attributes
    ----------
    added : tuple of class
    renamed : tuple of (old, new)
    merged : tuple of (new, olds)
        The new name may be one of the old ones.
    split : tuple of (old, parts)
        A part may be called like the old class, or be a class that is there already.
    """

    added: tuple[Class, ...] = ()
    renamed: tuple[tuple[Class, Class], ...] = ()
    merged: tuple[tuple[Class, tuple[Class, ...]], ...] = ()
    split: tuple[tuple[Class, tuple[Class, ...]], ...] = ()
    _becomes: dict[Class, tuple[Class, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        becomes: dict[Class, tuple[Class, ...]] = {old: (new,) for old, new in self.renamed}
        becomes |= {old: (new,) for new, olds in self.merged for old in olds}
        becomes |= dict(self.split)
        object.__setattr__(self, "_becomes", becomes)

    @classmethod
    def of(
        cls,
        *,
        add: Iterable[Any] = (),
        rename: Mapping[Any, Any] | None = None,
        merge: Mapping[Any, Iterable[Any]] | None = None,
        split: Mapping[Any, Iterable[Any]] | None = None,
    ) -> ClassChange:
        """A change as a person writes it down.

        Parameters
        ----------
        add : classes
        rename : mapping of old to new
        merge : mapping of new to the old ones
        split : mapping of old to the new ones

        Raises
        ------
        InvalidInput
            If nothing changes, something is no class, a class is changed twice, or one is merged alone or
            split into one.
        """
        change = cls(
            added=_classes(add, "add"),
            renamed=tuple((_class(old), _class(new)) for old, new in (rename or {}).items()),
            merged=tuple((_class(new), _classes(olds, "merge")) for new, olds in (merge or {}).items()),
            split=tuple((_class(old), _classes(parts, "split")) for old, parts in (split or {}).items()),
        )
        if change == cls():
            raise InvalidInput("say what changes: add=, rename=, merge= or split=")
        for name, several in (*change.merged, *change.split):
            if len(several) < 2:
                raise InvalidInput(
                    f"merge and split name at least two classes for {name!r}, got {list(several)!r}; to call "
                    "a class something else, use rename={old: new}"
                )
        _refuse_twice(change.olds, "is changed twice: say in one place what becomes of it")
        return change

    @property
    def olds(self) -> tuple[Class, ...]:
        """The classes that are renamed, merged or split, as often as they are."""
        merged = (old for _, olds in self.merged for old in olds)
        return (*(old for old, _ in self.renamed), *merged, *(old for old, _ in self.split))

    @property
    def parts(self) -> tuple[Class, ...]:
        """The classes that others are split into."""
        return tuple(part for _, parts in self.split for part in parts)

    @property
    def news(self) -> tuple[Class, ...]:
        """The classes that there are by this change."""
        made = (*(new for _, new in self.renamed), *(new for new, _ in self.merged))
        return (*self.added, *made, *self.parts)

    def now(self, label: Class) -> Class | None:
        """What a class is called afterwards; None where it was split."""
        becomes = self._becomes.get(label, (label,))
        return becomes[0] if len(becomes) == 1 else None

    def names(self, label: Class) -> tuple[Class, ...]:
        """What a class has become."""
        return self._becomes.get(label, (label,))

    def apply(self, classes: Sequence[Class]) -> tuple[Class, ...]:
        """The classes afterwards, in their order: what replaces one stands where that one stood."""
        after = dict.fromkeys(new for name in classes for new in self.names(name))
        return tuple(after | dict.fromkeys(self.added))

    def check(self, classes: Sequence[Class], *, is_open: bool) -> tuple[Class, ...]:
        """The classes afterwards.

        Parameters
        ----------
        classes : sequence
            The present ones; of an open list, those that labels have named so far.
        is_open : bool

        Raises
        ------
        InvalidInput
            For a class that is not there, a new name that is taken, classes of two kinds, fewer than two
            classes left, or one to be added to an open list.
        """
        unknown = [old for old in self.olds if old not in classes]
        if unknown:
            raise InvalidInput(
                f"{unknown[0]!r} is none of the classes {list(classes)!r}. Nothing was changed"
            )
        if is_open and self.added:
            raise InvalidInput(
                "the list of classes is open, so that any answer is a class: nothing has to be added"
            )
        kept = [name for name in classes if name not in self._becomes]
        _refuse_twice(
            [*kept, *(new for new in self.news if not (new in self.parts and new in kept))],
            "would be there twice: to make one class of several, use merge={name: [old, old]}",
        )
        after = self.apply(classes)
        ClassList().check_all(after)
        if not is_open and len(after) < 2:
            raise InvalidInput(f"only {after[0]!r} would be left: a list needs at least two classes")
        return after

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON. Pairs, since a class may be a number, and a key of JSON is text."""
        return {
            "added": list(self.added),
            "renamed": [list(pair) for pair in self.renamed],
            "merged": [[new, list(olds)] for new, olds in self.merged],
            "split": [[old, list(parts)] for old, parts in self.split],
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> ClassChange:
        """What :meth:`to_dict` gave; of an empty record, one that changes nothing."""
        return cls(
            added=tuple(record.get("added", ())),
            renamed=tuple((old, new) for old, new in record.get("renamed", ())),
            merged=tuple((new, tuple(olds)) for new, olds in record.get("merged", ())),
            split=tuple((old, tuple(parts)) for old, parts in record.get("split", ())),
        )


def _class(name: Any) -> Class:
    label = plain_answer(name)
    if isinstance(label, Skip):
        raise InvalidInput("SKIP is no class: it says that somebody can't tell")
    return label


def _classes(names: Iterable[Any], where: str) -> tuple[Class, ...]:
    if isinstance(names, str | bytes):
        raise InvalidInput(f"{where} has a single string, {names!r}, where it needs a list of classes")
    classes = tuple(_class(name) for name in names)
    _refuse_twice(classes, f"stands twice in one list of {where}")
    return classes


def _refuse_twice(names: Iterable[Class], why: str) -> None:
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise InvalidInput(f"{twice[0]!r} {why}. Nothing was changed")
