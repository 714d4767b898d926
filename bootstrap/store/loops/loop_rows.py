"""What a loop writes into a store and reads back from it: rows of its pool, queries, fits."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.records import Class

__all__ = ["Member", "Published", "StoredModel", "pack", "unpack"]


@dataclass(frozen=True, slots=True)
class Member:
    """One row of a loop's pool.

    Attributes
    ----------
    content : str
        What decides which items are the same.
    home : int
        Its place before anything was asked.
    turn : float
        When its random turn comes; infinite where it has none.
    item : object
        What people see; None where the features are that.
    """

    row: int
    name: str
    content: str
    home: int
    turn: float
    item: Any = None


@dataclass(frozen=True, slots=True)
class Published:
    """One query as it goes out, with what was decided before it did.

    Attributes
    ----------
    probability : float or None
        The chance with which the item was drawn; None where a strategy picked it.
    model : int or None
        The model that was live.
    predicted : class or None
    confidence : float or None
    alone : bool or None
        Whether the model would have decided it alone.
    is_erased : bool
        Whether the item was erased while it was chosen: nobody is asked.
    """

    row: int
    token: str
    kind: str
    batch: int
    position: int
    round: int
    usefulness: float
    probability: float | None = None
    model: int | None = None
    predicted: Class | None = None
    confidence: float | None = None
    alone: bool | None = None
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One fit: enough to fit the same model again, and to see whether it is the same."""

    number: int
    round: int
    estimator: str
    n_trained: int
    training: NDArray[np.int64]
    packages: dict[str, str]
    fingerprint: NDArray[np.float64] | None


def pack(array: NDArray[Any]) -> bytes:
    """An array of numbers as bytes."""
    header = json.dumps({"dtype": array.dtype.str, "shape": array.shape}).encode()
    level = 0 if array.dtype.kind == "f" else 1  # digits of measured numbers hardly shrink
    return header + b"\n" + zlib.compress(np.ascontiguousarray(array).tobytes(), level)


def unpack(data: bytes) -> NDArray[Any]:
    """What :func:`pack` made bytes of."""
    header, packed = bytes(data).split(b"\n", 1)
    about = json.loads(header)
    return np.frombuffer(zlib.decompress(packed), dtype=about["dtype"]).reshape(about["shape"]).copy()
