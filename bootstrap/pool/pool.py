"""Items by stable id, and which of them are the same.

The pool knows contents: two items that a person could not tell apart are one content, asked about once,
and every copy's id leads to it. `places.py` says where each content is; `incoming.py` checks what comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.content import content_hash
from bootstrap.errors import InvalidInput, UnknownItem
from bootstrap.features import Features, check_features, n_rows, row_as_item, stack, take
from bootstrap.pool.incoming import checked_ids, content_keys, listed_items
from bootstrap.pool.places import Place, Places

__all__ = ["Added", "Pool"]


@dataclass(frozen=True, slots=True)
class Added:
    """What an `add` did.

    Attributes
    ----------
    new : int
        Contents that the pool did not have.
    held_out : int
        Of these, how many went to the held-out set.
    copies : int
        Items whose content was there already (in the pool or earlier in the same call); their ids lead
        to the first copy.
    """

    new: int
    held_out: int
    copies: int


class Pool(Places):
    """All items that may be queried or audited, with features, raw items and places.

    Parameters
    ----------
    key : bytes
        Key of the held-out draw; kept with the labels.
    held_out : float
        Share of contents set aside, in [0, 1).
    reserved : float
        Share of the other contents, in [0, 1], that is asked about in random order and by no strategy.
    allow_nan : bool
        Whether NaN features are accepted.
    """

    def __init__(
        self, key: bytes, held_out: float, *, reserved: float = 0.0, allow_nan: bool = False
    ) -> None:
        super().__init__(key, held_out, reserved=reserved)
        self._allow_nan = allow_nan
        self._row_of: dict[str, int] = {}  # item id -> row of its content
        self._row_of_content: dict[str, int] = {}
        self._row_of_features: dict[str, int] = {}  # for rows whose content is a raw item
        self._has_items: bool | None = None  # whether what people see came beside the features
        self._items: dict[int, Any] = {}  # row -> what people see, where it isn't the features
        self._erased: frozenset[str] = frozenset()  # contents that must not come again, as hashes
        self.X: Features | None = None

    # reading

    def __len__(self) -> int:
        """Number of distinct contents that were put in the pool (labels from outside not counted)."""
        return len(self._ids) - self.count(Place.OUTSIDE)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._row_of

    def __iter__(self) -> Iterator[str]:
        """The ids of distinct contents, in the order in which they came."""
        return (i for i, place in zip(self._ids, self._place, strict=True) if place != Place.OUTSIDE)

    @property
    def n_items(self) -> int:
        """Number of items by id, copies included."""
        return len(self._row_of)

    def row(self, item_id: str) -> int:
        """Row of the item's content in `X`.

        Raises
        ------
        UnknownItem
            If no item has this id.
        """
        try:
            return self._row_of[item_id]
        except (KeyError, TypeError):
            raise UnknownItem(
                f"no item has the id {item_id!r}; the pool holds {len(self._row_of)} ids. Ids are strings: "
                "those that were given, or a hash of the raw item (bootstrap.content.content_id)"
            ) from None

    def item(self, row: int) -> Any:
        """What a person sees of it: the raw item, or the row of features where none was given."""
        if row in self._items:
            return self._items[row]
        return row_as_item(self.X, row)

    def shown(self, row: int) -> Any:
        """The raw item, None where the features are what people see."""
        return self._items.get(row)

    @property
    def has_items(self) -> bool:
        """Whether raw items came beside the features."""
        return bool(self._has_items)

    # changing

    def add(self, X: Any, *, items: Any = None, ids: Iterable[str] | None = None) -> Added:
        """Add items at any time; contents that are known already are not added twice.

        Equal contents are one item. The exception: numbers with `ids` and without `items` are an item
        each, since whoever labels them may know more (two patients with equal figures); they still fall
        on one side of the held-out draw, and there are one item.

        Parameters
        ----------
        X : features of n items
        items : n raw items, optional
            What people see, and what decides which items are the same. By default the rows of `X`.
        ids : n strings, optional
            By default a hash of each raw item.

        Raises
        ------
        InvalidInput
            If lengths differ, an id comes twice in `ids`, or an id is known with another content.
        """
        X = self._checked(X)
        n = n_rows(X)
        raw = None if items is None else listed_items(items, n)
        self._refuse_a_mix(raw is not None)
        keys = content_keys(X, raw, named=ids is not None)
        names = checked_ids(ids, n) if ids is not None else [k or "" for k in keys]
        contents = [key or f"id:{name}" for key, name in zip(keys, names, strict=True)]
        held = self._drawn_held_out(contents)
        if ids is not None and raw is None and not isinstance(X, list):
            # Numbers with an id of their own: who labels may know more of it than these numbers.
            named = zip(contents, names, held.tolist(), strict=True)
            contents = [key if is_held else f"{key} of {name}" for key, name, is_held in named]
        self._refuse_known_ids(names, contents)

        features = [None] * n if raw is None else content_keys(X, None, named=True)
        fresh, rows, alike = self._find_new(contents, features, held)
        places, turns = self._draw([contents[i] for i in fresh], held[fresh])
        self._append(
            X if len(fresh) == n else take(X, np.array(fresh, dtype=np.intp)),
            [names[i] for i in fresh],
            places,
            turns,
            None if raw is None else [raw[i] for i in fresh],
        )
        self._row_of_content.update(rows)
        self._row_of_features.update(alike)
        for name, content in zip(names, contents, strict=True):
            if content in self._row_of_content:  # else erased
                self._row_of[name] = self._row_of_content[content]
        if n:
            self._has_items = raw is not None
        return Added(new=len(fresh), held_out=int(held[fresh].sum()), copies=n - len(fresh))

    def add_outside(self, X: Any, ids: Iterable[Any] | None = None) -> NDArray[np.intp]:
        """Take labeled items from outside the pool, each as it is, equal ones too.

        An item whose content is in the pool is that item: it is not put in again. A copy that is added
        to the pool later leads here and is never asked about. They come without raw items, so it is their
        features that decide. With `ids` they can be found by these, too.

        Returns
        -------
        ndarray of shape (n,)
            The row of each item.

        Raises
        ------
        InvalidInput
            If `ids` does not name each item, or one is the id of another.
        """
        X = self._checked(X)
        keys = content_keys(X, None, named=True)
        names = [] if ids is None else checked_ids(ids, n_rows(X))
        rows = np.array([self._row_in_pool(key) for key in keys], dtype=np.intp)
        for i, row in self._rows_named(names, keys):
            rows[i] = row
        new = np.flatnonzero(rows < 0)
        rows[new] = np.arange(len(self._ids), len(self._ids) + len(new))
        ids = [self._outside_id(row) for row in rows[new].tolist()]
        self._append(take(X, new), ids, np.full(len(new), Place.OUTSIDE), np.full(len(new), np.inf), None)
        self._row_of.update(zip(ids, rows[new].tolist(), strict=True))
        for i in new.tolist():
            if keys[i] is not None:
                self._row_of_content.setdefault(str(keys[i]), int(rows[i]))
        self._row_of.update(zip(names, rows.tolist(), strict=True) if names else ())
        return rows

    def _rows_named(self, names: list[str], keys: list[str | None]) -> list[tuple[int, int]]:
        """(position, row) of those whose id is known."""
        known = [(i, self._row_of[name]) for i, name in enumerate(names) if name in self._row_of]
        if known:
            there = content_keys(take(self.X, np.array([row for _, row in known])), None, named=True)
            for (i, _), key in zip(known, there, strict=True):
                if key != keys[i]:
                    _refuse_id(names[i])
        return known

    def restore(
        self,
        X: Any,
        *,
        ids: list[str],
        contents: list[str],
        places: NDArray[Any],
        turns: NDArray[np.float64],
        items: list[Any] | None,
    ) -> None:
        """Put back the next rows, as :meth:`rows_since` gave them."""
        start = len(self._ids)
        self._append(X, ids, places, turns, items)
        rows = range(start, start + len(ids))
        for row, item_id, content, place in zip(rows, ids, contents, places.tolist(), strict=True):
            self._row_of[item_id] = row
            self._row_of_content.setdefault(content, row)
            if place != Place.OUTSIDE:
                self._has_items = items is not None
        if items is not None:
            for row, key in zip(rows, content_keys(X, None, named=True), strict=True):
                if key is not None and self._row_in_pool(key) < 0:
                    self._row_of_features[key] = row

    def restore_copies(self, rows: dict[str, int]) -> None:
        """Put back further ids of items: id -> row."""
        self._row_of |= rows

    def rows_since(self, start: int) -> list[tuple[int, str, str, Place, float]]:
        """(row, id, content, home, turn) of rows from `start` on; the content says which are the same."""
        content_of: dict[int, str] = {}
        for content, row in reversed(self._row_of_content.items()):  # the latest rows stand at the end
            if row >= start:
                content_of[row] = content
            if len(content_of) == len(self._ids) - start:
                break
        found = []
        for row in range(start, len(self._ids)):
            home = Place.OUTSIDE if self._place[row] == Place.OUTSIDE else self.home(row)
            content = content_of.get(row, f"outside:{row}")
            found.append((row, self._ids[row], content, home, float(self._turn[row])))
        return found

    def copies_since(self, n: int) -> list[tuple[str, int]]:
        """(id, row) of all ids but the first `n`."""
        return list(islice(self._row_of.items(), n, None))

    def forbid(self, erased: Iterable[str]) -> None:
        """Contents that were erased are left out when they come again; given as `content_hash` of each."""
        self._erased = frozenset(erased)

    # the parts of adding

    def _checked(self, X: Any) -> Features:
        X = check_features(X, allow_nan=self._allow_nan)
        if self.X is not None and n_rows(self.X) and n_rows(X):
            stack(take(self.X, [0]), take(X, [0]))  # refuses another kind or width before anything changes
        return X

    def _find_new(
        self, contents: list[str], features: Sequence[str | None], held: NDArray[np.bool_]
    ) -> tuple[list[int], dict[str, int], dict[str, int]]:
        """Which of these contents are new: (their positions, content -> row, features -> row).

        What people see decides that. Where it differs and the features are equal, the two are held out
        together or not at all (`held` is changed), and what came labeled from outside is that item.
        """
        fresh: list[int] = []
        rows: dict[str, int] = {}
        alike: dict[str, int] = {}
        start = len(self._ids)
        for i, (content, key) in enumerate(zip(contents, features, strict=True)):
            if content in self._row_of_content or content in rows:
                continue
            if self._erased and content_hash(content) in self._erased:
                continue
            row = start + len(fresh)
            if key is not None:
                other = alike.get(key, self._row_in_pool(key))
                if 0 <= other < start and self.place(other) is Place.OUTSIDE:
                    rows[content] = other
                    continue
                if other >= 0:
                    held[i] = held[fresh[other - start]] if other >= start else self.is_held_out(other)
                else:
                    alike[key] = row
            rows[content] = row
            fresh.append(i)
        return fresh, rows, alike

    def _row_in_pool(self, key: str | None) -> int:
        if key is None:
            return -1
        if key in self._row_of_content:
            return self._row_of_content[key]
        return self._row_of_features.get(key, -1)

    def _outside_id(self, row: int) -> str:
        item_id = f"outside-{row}"
        while item_id in self._row_of:  # somebody's own id
            item_id += "'"
        return item_id

    def _refuse_a_mix(self, has_items: bool) -> None:
        if self._has_items not in (None, has_items):
            before, now = ("with", "without") if self._has_items else ("without", "with")
            raise InvalidInput(
                f"items came {before} items= before and come {now} it now: what people see decides which "
                "items are the same, so give it for all or for none. Nothing was added"
            )

    def _refuse_known_ids(self, names: Sequence[str], contents: Sequence[str]) -> None:
        for name, content in zip(names, contents, strict=True):
            row = self._row_of.get(name)
            if row is not None and self._row_of_content.get(content) != row:
                _refuse_id(name)

    def _append(
        self,
        X: Features,
        ids: list[str],
        places: NDArray[Any],
        turns: NDArray[np.float64],
        raw: list[Any] | None,
    ) -> None:
        start = len(self._ids)
        joined = self.X
        if self.X is None or n_rows(self.X) == 0:
            joined = X if isinstance(X, np.memmap) else X.copy()  # what happens to theirs later is not ours
        elif ids:
            joined = stack(self.X, X)
        shown = {} if raw is None else dict(zip(range(start, start + len(ids)), raw, strict=True))
        self._append_rows(ids, places, turns)
        self.X = joined
        self._items |= shown


def _refuse_id(name: str) -> None:
    raise InvalidInput(
        f"the id {name!r} is taken by another item: ids must stay with their content. Nothing was added"
    )
