"""What a user brings with items that are added, checked: ids, raw items, and what tells contents apart.

Nothing here knows the pool, so that whatever is refused has changed nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from bootstrap.content import content_id, content_ids
from bootstrap.errors import InvalidInput
from bootstrap.features import Features, rows_as_items

__all__ = ["checked_ids", "content_keys", "listed_items"]


def listed_items(items: Any, n: int) -> list[Any]:
    """Raw items, one for each of `n` rows of features.

    Raises
    ------
    InvalidInput
        For a single string, or another number of items.
    """
    if isinstance(items, str | bytes):
        raise InvalidInput("items is a single string; pass one raw item per row of X")
    rows = list(rows_as_items(items))
    if len(rows) != n:
        raise InvalidInput(f"X has {n} rows and items has {len(rows)}: pass one raw item per row")
    return rows


def checked_ids(ids: Iterable[Any], n: int) -> list[str]:
    """The ids of `n` items, as text.

    Raises
    ------
    InvalidInput
        For a single string, an id that is missing or comes twice, or another number of ids.
    """
    if isinstance(ids, str | bytes):
        raise InvalidInput("ids is a single string; pass one id per row of X")
    names = list(ids)
    missing = [
        i for i, name in enumerate(names) if name is None or (isinstance(name, float) and name != name)
    ]
    if missing:
        raise InvalidInput(f"ids has none for row {missing[0]}: give each item its own, or leave ids out")
    names = [str(name) for name in names]
    if len(names) != n:
        raise InvalidInput(f"X has {n} rows and ids has {len(names)}: pass one id per row")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InvalidInput(
            f"{len(twice)} ids come more than once (such as {twice[0]!r}): an id names one item. "
            "Nothing was added"
        )
    return names


def content_keys(X: Features, raw: list[Any] | None, *, named: bool) -> list[str | None]:
    """What tells each content apart: its `content_id`, of the raw item or else of the row of features.

    Parameters
    ----------
    X : features of n items
    raw : list of n raw items, or None
        None where the rows of `X` are what people see.
    named : bool
        Whether the items have ids: one that no stable content can be told of is None then.

    Raises
    ------
    InvalidInput
        For such an item without an id.
    """
    if raw is None and isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "biuf":
        return list(content_ids(X))
    keys: list[str | None] = []
    for item in raw if raw is not None else rows_as_items(X):
        try:
            keys.append(content_id(item))
        except InvalidInput:
            if not named:
                raise
            keys.append(None)  # no content to compare: the id stands for it
    return keys
