"""Keys by the hundred: a statement takes only so many of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ["in_slices"]

_T = TypeVar("_T")

_SIZE = 500


def in_slices(keys: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """The keys in their order, as many at a time as one statement is given."""
    return (keys[start : start + _SIZE] for start in range(0, len(keys), _SIZE))
