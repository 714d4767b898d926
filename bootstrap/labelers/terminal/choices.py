"""Which of several classes a person means by what was typed."""

from __future__ import annotations

from collections.abc import Iterable

from bootstrap.records import Class

__all__ = ["called", "kind_and_name", "matching", "once"]


def matching(text: str, classes: Iterable[Class]) -> tuple[Class, ...]:
    """Return the classes that hold every word of `text`, whatever their case; the best first.

    A class equal to the text comes first, then those that begin with it, then the others.
    """
    wanted = text.casefold().strip()
    ranked = []
    for label in classes:
        name = str(label).casefold()
        if all(word in name for word in wanted.split()):
            ranked.append((0 if name == wanted else 1 if name.startswith(wanted) else 2, label))
    return tuple(label for _, label in sorted(ranked, key=lambda pair: pair[0]))


def called(text: str, classes: Iterable[Class]) -> Class | None:
    """Return the class called `text`, or failing that the only one in another case."""
    alike = [label for label in classes if str(label).casefold() == text.casefold()]
    for label in alike:
        if str(label) == text:
            return label
    return alike[0] if len(alike) == 1 else None


def kind_and_name(label: Class) -> tuple[type, Class]:
    """Return a key under which True, 1 and "1" differ."""
    return type(label), label


def once(labels: Iterable[Class]) -> tuple[Class, ...]:
    """Return the labels without repeats, in order."""
    return tuple({kind_and_name(label): label for label in labels}.values())
