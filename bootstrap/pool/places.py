"""Where each content of a pool is, and when its random turn comes.

Each is in exactly one place. Before any strategy looks, a keyed hash of the content decides whether it
belongs to the held-out set; nothing can move it across afterwards. Another such hash puts what is asked at
random in an order that depends on nothing else.
"""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.errors import InvalidInput
from bootstrap.measuring.draw import uniform_draw

__all__ = ["Place", "Places"]


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


class Places:
    """Rows of a pool, one for each content: the id, the place and the turn.

    Parameters
    ----------
    key : bytes
        Key of the held-out draw; kept with the labels.
    held_out : float
        Share of contents set aside, in [0, 1).
    reserved : float
        Share of the other contents, in [0, 1], that is asked about in random order and by no strategy.
    """

    def __init__(self, key: bytes, held_out: float, *, reserved: float = 0.0) -> None:
        self._key = key
        self._held_out = held_out
        self._reserved = reserved
        self._ids: list[str] = []  # row -> the id that was there first
        self._place = bytearray()  # row -> Place; quick one by one, and a view for numpy
        self._turn = np.empty(0)  # row -> when it is asked, where that is random; infinite elsewhere
        self._last_turn = {Place.HELD_OUT: 0.0, Place.RESERVED: 0.0}  # of those asked so far

    # reading

    @property
    def n_rows(self) -> int:
        """Rows of the pool, labels from outside included."""
        return len(self._ids)

    def id(self, row: int) -> str:
        """The id of the content in this row (the first copy's)."""
        return self._ids[row]

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
        if not self.is_erased(row):  # which it stays, whatever was asked or said of it
            self._place[row] = place

    def erase(self, row: int) -> None:
        """Its content is gone: it stays where it is counted, and is nothing that can be asked or learned."""
        self._place[row] = Place.HELD_OUT_ERASED if self.is_held_out(row) else Place.ERASED

    # inside

    def _drawn_held_out(self, contents: list[str]) -> NDArray[np.bool_]:
        """Whether the draw puts each of these contents into the held-out set."""
        return np.asarray(uniform_draw(self._key, contents, "held-out")) < self._held_out

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

    def _append_rows(self, ids: list[str], places: NDArray[Any], turns: NDArray[np.float64]) -> None:
        """Put new contents there; what fails changes nothing."""
        turn = np.concatenate([self._turn, turns])
        place = self._place + places.astype(np.uint8).tobytes()
        self._turn, self._place = turn, place
        self._ids += ids
