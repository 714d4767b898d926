"""Items by stable id; each is in exactly one place.

The pool knows contents: two items that a person could not tell apart are one content, asked about once,
and every copy's id leads to it. Before any strategy looks, a keyed hash of the content decides whether it
belongs to the held-out set; nothing can move it across afterwards.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.content import content_hash, content_id, content_ids
from bootstrap.errors import InvalidInput, UnknownItem
from bootstrap.features import Features, check_features, n_rows, row_as_item, rows_as_items, stack, take
from bootstrap.measuring.draw import uniform_draw

__all__ = ["Added", "Place", "Pool"]


class Place(enum.IntEnum):
    """Where an item is. One number per item: it can't be in two places."""

    AVAILABLE = 0  #: may be queried for training
    ASKED = 1  #: out with a labeler, for training
    LABELED = 2  #: has a label and is trained on
    SKIPPED = 3  #: a labeler could not tell; not asked again unless wanted
    OUTSIDE = 4  #: came with a label and was never in the pool; trained on
    RESERVED = 5  #: for training, in its random turn: no strategy may pick it
    ERASED = 6  #: its content is gone: neither asked nor trained on
    HELD_OUT = 7  #: set aside, not yet asked
    AUDITING = 8  #: held out, out with a labeler
    AUDITED = 9  #: held out, has a blind label: evidence
    AUDIT_SKIPPED = 10  #: held out, a labeler could not tell
    HELD_OUT_LABELED = 11  #: held out, has a label that was not blind: neither evidence nor trained on
    HELD_OUT_ERASED = 12  #: held out, its content is gone: no later model can be measured on it


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


class Pool:
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
        self._key = key
        self._held_out = held_out
        self._reserved = reserved
        self._allow_nan = allow_nan
        self._row_of: dict[str, int] = {}  # item id -> row of its content
        self._row_of_content: dict[str, int] = {}
        self._row_of_features: dict[str, int] = {}  # for rows whose content is a raw item
        self._has_items: bool | None = None  # whether what people see came beside the features
        self._ids: list[str] = []  # row -> the id that was there first
        self._items: dict[int, Any] = {}  # row -> what people see, where it isn't the features
        self._place = bytearray()  # row -> Place; quick one by one, and a view for numpy
        self._turn = np.empty(0)  # row -> when it is asked, where that is random; infinite elsewhere
        self._last_turn = {Place.HELD_OUT: 0.0, Place.RESERVED: 0.0}  # of those asked so far
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

    @property
    def n_rows(self) -> int:
        """Rows of `X`, labels from outside included."""
        return len(self._ids)

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

    def id(self, row: int) -> str:
        """The id of the content in this row (the first copy's)."""
        return self._ids[row]

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

    def place(self, row: int) -> Place:
        """Where the content is."""
        return Place(self._place[row])

    def rows(self, *places: Place) -> NDArray[np.intp]:
        """Rows in any of these places, ascending."""
        place = self._places()
        found = place == places[0]
        for other in places[1:]:
            found |= place == other
        return np.flatnonzero(found)

    def count(self, *places: Place) -> int:
        """How many contents are in these places."""
        return len(self.rows(*places))

    def erase(self, row: int) -> None:
        """Its content is gone: it stays where it is counted, and is nothing that can be asked or learned."""
        self._place[row] = Place.HELD_OUT_ERASED if self.is_held_out(row) else Place.ERASED

    def is_erased(self, row: int) -> bool:
        """Whether its content is gone."""
        return self._place[row] in (Place.ERASED, Place.HELD_OUT_ERASED)

    def is_held_out(self, row: int) -> bool:
        """Whether the content is in the held-out set."""
        return self._place[row] >= Place.HELD_OUT

    def held_out_rows(self) -> NDArray[np.intp]:
        """Rows of the whole held-out set, asked or not, ascending; not those that were erased."""
        place = self._places()
        return np.flatnonzero((place >= Place.HELD_OUT) & (place != Place.HELD_OUT_ERASED))

    def home(self, row: int) -> Place:
        """Where the content was before anything was asked, and goes back to without an answer."""
        if self.is_held_out(row):
            return Place.HELD_OUT
        return Place.RESERVED if np.isfinite(self._turn[row]) else Place.AVAILABLE

    def turn(self, row: int) -> float:
        """When its random turn comes among its like, in (0, 1); infinite where turns are not random."""
        return float(self._turn[row])

    def last_turn(self, home: Place) -> float:
        """The latest turn among those asked so far, of what is held out or of what is reserved."""
        return self._last_turn[home]

    def next_audits(self, n: int) -> NDArray[np.intp]:
        """The next `n` rows to audit: waiting held-out contents in hash order."""
        return self._next(Place.HELD_OUT, n)

    def next_reserved(self, n: int) -> NDArray[np.intp]:
        """The next `n` rows to train on that were drawn at random, in hash order."""
        return self._next(Place.RESERVED, n)

    def _next(self, place: Place, n: int) -> NDArray[np.intp]:
        waiting = self.rows(place)
        return waiting[np.argsort(self._turn[waiting], kind="stable")[:n]]

    # changing

    def move(self, row: int, place: Place) -> None:
        """Put a content elsewhere. It never crosses between the held-out set and the rest."""
        if (place >= Place.HELD_OUT) != (self._place[row] >= Place.HELD_OUT):
            raise InvalidInput(
                f"item {self._ids[row]!r} can't move from {self.place(row).name} to {place.name}: "
                "the held-out set is fixed before anything is trained"
            )
        if place in (Place.ASKED, Place.AUDITING):
            home = self.home(row)
            if home in self._last_turn:
                self._last_turn[home] = max(self._last_turn[home], float(self._turn[row]))
        self._place[row] = place

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
        raw = None if items is None else _as_list(items, n)
        self._refuse_a_mix(raw is not None)
        keys = self._content_keys(X, raw, ids is not None)
        names = _check_ids(ids, n) if ids is not None else [k or "" for k in keys]
        contents = [key or f"id:{name}" for key, name in zip(keys, names, strict=True)]
        held = np.asarray(uniform_draw(self._key, contents, "held-out")) < self._held_out
        if ids is not None and raw is None and not isinstance(X, list):
            # Numbers with an id of their own: who labels may know more of it than these numbers.
            named = zip(contents, names, held.tolist(), strict=True)
            contents = [key if is_held else f"{key} of {name}" for key, name, is_held in named]
        self._refuse_known_ids(names, contents)

        features = [None] * n if raw is None else self._content_keys(X, None, named=True)
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

    def add_outside(self, X: Any) -> NDArray[np.intp]:
        """Take labeled items from outside the pool, each as it is, equal ones too.

        An item whose content is in the pool is that item: it is not put in again. A copy that is added
        to the pool later leads here and is never asked about. They come without raw items, so it is their
        features that decide.

        Returns
        -------
        ndarray of shape (n,)
            The row of each item.
        """
        X = self._checked(X)
        keys = self._content_keys(X, None, named=True)
        rows = np.array([self._row_in_pool(key) for key in keys], dtype=np.intp)
        new = np.flatnonzero(rows < 0)
        rows[new] = np.arange(len(self._ids), len(self._ids) + len(new))
        ids = [self._outside_id(row) for row in rows[new].tolist()]
        self._append(take(X, new), ids, np.full(len(new), Place.OUTSIDE), np.full(len(new), np.inf), None)
        self._row_of.update(zip(ids, rows[new].tolist(), strict=True))
        for i in new.tolist():
            if keys[i] is not None:
                self._row_of_content.setdefault(str(keys[i]), int(rows[i]))
        return rows

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
            for row, key in zip(rows, self._content_keys(X, None, named=True), strict=True):
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

    def _draw(
        self, contents: list[str], held: NDArray[np.bool_]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """(place, turn) of new contents: one order for all of them, whenever they came."""
        places = np.where(held, Place.HELD_OUT, Place.AVAILABLE).astype(np.uint8)
        turns = np.full(len(contents), np.inf)
        turns[held] = uniform_draw(self._key, [contents[i] for i in np.flatnonzero(held)], "audit-order")
        if self._reserved > 0.0:
            others = np.flatnonzero(~held)
            draws = uniform_draw(self._key, [contents[i] for i in others], "random-training")
            chosen = draws < self._reserved
            turns[others[chosen]] = draws[chosen]
            places[others[chosen]] = Place.RESERVED
        return places, turns

    def _places(self) -> NDArray[np.uint8]:
        """A copy: a view that an exception keeps alive would forbid the next `add`."""
        return np.frombuffer(bytes(self._place), dtype=np.uint8)

    # the parts of adding

    def _checked(self, X: Any) -> Features:
        X = check_features(X, allow_nan=self._allow_nan)
        if self.X is not None and n_rows(self.X) and n_rows(X):
            stack(take(self.X, [0]), take(X, [0]))  # refuses another kind or width before anything changes
        return X

    def _content_keys(self, X: Features, raw: list[Any] | None, named: bool) -> list[str | None]:
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
                raise InvalidInput(
                    f"the id {name!r} is taken by another item: ids must stay with their content. "
                    "Nothing was added"
                )

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
        turn = np.concatenate([self._turn, turns])
        place = self._place + places.astype(np.uint8).tobytes()
        shown = {} if raw is None else dict(zip(range(start, start + len(ids)), raw, strict=True))
        self.X, self._turn, self._place = joined, turn, place
        self._items |= shown
        self._ids += ids


def _as_list(items: Any, n: int) -> list[Any]:
    if isinstance(items, str | bytes):
        raise InvalidInput("items is a single string; pass one raw item per row of X")
    rows = list(rows_as_items(items))
    if len(rows) != n:
        raise InvalidInput(f"X has {n} rows and items has {len(rows)}: pass one raw item per row")
    return rows


def _check_ids(ids: Iterable[Any], n: int) -> list[str]:
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
