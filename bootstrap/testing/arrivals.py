"""Items that arrive in a simulated world: what is true, what the model says and what people answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Arrival", "Arrivals"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One item; the fields are those of :class:`Arrivals`."""

    at: int
    content: int
    rank: float
    luck: float
    truth: int
    tempting: int
    predicted: int
    confidence: float
    first: int
    second: int
    delay: int


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """Items in the order in which they arrive; every field is an array of shape (n,).

    Attributes
    ----------
    at : ndarray of int
        Number of the arrival, from 0.
    content : ndarray of int
        Copies share it.
    rank : ndarray of float
        Share of the items of which the model is less sure, in [0, 1).
    luck : ndarray of float
        The model is wrong where this is below its chance of being wrong.
    truth, tempting : ndarray of int
        The class, and the one for which models and people mistake it.
    predicted, confidence : ndarray
        What the model says, and how sure it is, in (0, 1).
    first, second : ndarray of int
        What two people answer, blind.
    delay : ndarray of int
        How many further items arrive before the first answer is there.
    """

    at: NDArray[np.int64]
    content: NDArray[np.int64]
    rank: NDArray[np.float64]
    luck: NDArray[np.float64]
    truth: NDArray[np.int64]
    tempting: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    delay: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Where the model is wrong in truth, whatever people say."""
        differs: NDArray[np.bool_] = self.predicted != self.truth
        return differs

    def take(self, which: ArrayLike) -> Arrivals:
        """Those at the given positions."""
        chosen = np.asarray(which, dtype=np.int64)
        return Arrivals(*(getattr(self, field.name)[chosen] for field in dataclasses.fields(self)))

    def distinct(self) -> Arrivals:
        """The first arrival of each content."""
        return self.take(np.sort(np.unique(self.content, return_index=True)[1]))

    def __iter__(self) -> Iterator[Arrival]:
        columns = (getattr(self, field.name).tolist() for field in dataclasses.fields(self))
        return (Arrival(*values) for values in zip(*columns, strict=True))
