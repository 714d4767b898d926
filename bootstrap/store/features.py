"""Features in the store: rows in blocks, exact in value and kind, and never pickled.

A place is `(block id, row of the block)`. A block holds rows of one kind: arrays as numpy writes them, CSR
as its three arrays, a DataFrame column by column, anything else as JSON. Reading goes block by block.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, insert, select, update

from bootstrap.errors import InvalidInput, StoreError
from bootstrap.features import Features, n_rows, rows_as_items, take
from bootstrap.store import frames
from bootstrap.store.payloads import decoded, encoded, payload_from, payload_text
from bootstrap.store.schema import blocks

__all__ = [
    "BLOCK_ROWS",
    "Place",
    "blank_rows",
    "payload_from",
    "payload_text",
    "read_features",
    "read_rows",
    "write_block",
    "write_features",
]

#: Where the features of an item are: (block id, row of the block).
Place: TypeAlias = tuple[int, int]

#: A block has at most so many rows,
BLOCK_ROWS: Final = 2048

#: and fewer where they are long: one row is shown without reading much more.
_BLOCK_BYTES: Final = 2**20

_BLOCK = select(blocks.c.kind, blocks.c.data).where(blocks.c.id == bindparam("block"))


def write_features(connection: Connection, X: Features) -> list[Place]:
    """Store rows of any number; returns where each is.

    Parameters
    ----------
    connection : Connection
        Of a transaction that writes.
    X : array (n, …), CSR (n, d), DataFrame with n rows, or list of n raw items
        As :func:`bootstrap.features.check_features` gives it. A DataFrame's index is not kept.

    Raises
    ------
    InvalidInput
        If a column or a value can't be kept exactly.
    """
    places: list[Place] = []
    for start, end in _chunks(X):
        block = write_block(connection, X[start:end] if not _is_frame(X) else X.iloc[start:end])
        places += [(block, at) for at in range(end - start)]
    return places


def write_block(connection: Connection, X: Features) -> int:
    """Store rows as one block; returns its id.

    Raises
    ------
    InvalidInput
        If there are more than `BLOCK_ROWS`, or a column or a value can't be kept exactly.
    """
    if n_rows(X) > BLOCK_ROWS:
        raise InvalidInput(f"a block has at most {BLOCK_ROWS} rows, got {n_rows(X)}: use write_features")
    kind = _kind_of(X)
    row = {"kind": kind, "n_rows": n_rows(X), "data": _WRITERS[kind](X)}
    key = connection.execute(insert(blocks), row).inserted_primary_key
    return int(key[0]) if key is not None else 0


def read_features(connection: Connection, places: Sequence[Place]) -> Features:
    """The rows at these places, in this order, as the kind of features they were written as.

    Without places, an empty list: what kind it would be is not known.

    Raises
    ------
    InvalidInput
        If the rows are of different kinds.
    StoreError
        If a block is not there.
    """
    parts, positions, kinds = [], [], set()
    for where, at, kind, X in _by_block(connection, places):
        kinds.add(kind)
        positions.append(where)
        parts.append(_taken(X, at))
    if len(kinds) > 1:
        raise InvalidInput(f"features of different kinds ({', '.join(sorted(kinds))}) are no one table")
    if not parts:
        return []
    X = _joined(parts)
    order = np.concatenate(positions)
    if (order[1:] > order[:-1]).all():
        return X
    return take(X, np.argsort(order))


def read_rows(connection: Connection, places: Sequence[Place]) -> list[Any]:
    """The rows at these places, in this order, each as people see it; they may be of different kinds.

    See :func:`bootstrap.features.rows_as_items`.
    """
    rows: list[Any] = [None] * len(places)
    for where, at, _, X in _by_block(connection, places):
        for i, row in zip(where.tolist(), rows_as_items(_taken(X, at)), strict=True):
            rows[i] = row
    return rows


def blank_rows(connection: Connection, places: Sequence[Place]) -> None:
    """Overwrite rows so that nothing of them stays: zeros, empty texts, missing values.

    What belongs to a column stays: its name, and the list of categories of a categorical one.
    """
    for block, (_, at, kind, X) in _each_block(connection, places):
        data = _WRITERS[kind](_BLANKERS[kind](X, at))
        connection.execute(update(blocks).where(blocks.c.id == block).values(data=data))


# which blocks


def _by_block(
    connection: Connection, places: Sequence[Place]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], str, Features]]:
    for _, found in _each_block(connection, places):
        yield found


def _each_block(
    connection: Connection, places: Sequence[Place]
) -> Iterator[tuple[int, tuple[NDArray[np.intp], NDArray[np.intp], str, Features]]]:
    """Block id -> (positions in `places`, rows of the block, its kind, all its rows)."""
    table = np.asarray(places, dtype=np.int64).reshape(-1, 2)
    order = np.argsort(table[:, 0], kind="stable")
    ids, starts = np.unique(table[order, 0], return_index=True)
    for block, where in zip(ids.tolist(), np.split(order, starts[1:]), strict=bool(len(ids))):
        row = connection.execute(_BLOCK, {"block": block}).one_or_none()
        if row is None:
            raise StoreError(f"The store has no block {block} of features. Run: bootstrap-labels db check.")
        yield block, (where, table[where, 1], row.kind, _READERS[row.kind](bytes(row.data)))


def _chunks(X: Features) -> Iterator[tuple[int, int]]:
    """Begin and end of each block."""
    n = n_rows(X)
    if isinstance(X, list):
        yield from _chunks_of_list(X)
        return
    if sp.issparse(X):
        n_bytes = X.data.nbytes + X.indices.nbytes
    elif _is_frame(X):
        n_bytes = int(X.memory_usage(deep=True).sum())
    else:
        n_bytes = X.nbytes
    step = max(1, min(BLOCK_ROWS, _BLOCK_BYTES * n // max(n_bytes, 1)))
    for start in range(0, n, step):
        yield start, min(n, start + step)


def _chunks_of_list(X: list[Any]) -> Iterator[tuple[int, int]]:
    """A new block where texts get long; of other items, that only people know."""
    start = size = 0
    for i, item in enumerate(X):
        length = len(item) if isinstance(item, str | bytes) else 0
        if i > start and (i - start == BLOCK_ROWS or size + length > _BLOCK_BYTES):
            yield start, i
            start, size = i, 0
        size += length
    if start < len(X):
        yield start, len(X)


# the four kinds


def _is_frame(X: Features) -> bool:
    return hasattr(X, "iloc")


def _kind_of(X: Features) -> str:
    if isinstance(X, list):
        return "objects"
    if _is_frame(X):
        return "frame"
    if sp.issparse(X):
        return "csr"
    if isinstance(X, np.ndarray) and X.dtype.kind in "biufc":
        return "dense"
    raise InvalidInput(
        f"features of type {type(X).__name__} can't be kept: pass a list, array, CSR or DataFrame"
    )


def _joined(parts: list[Features]) -> Features:
    if isinstance(parts[0], list):
        return [row for part in parts for row in part]
    if len(parts) == 1:
        return parts[0]
    if _is_frame(parts[0]):
        return frames.below_each_other(parts)
    if sp.issparse(parts[0]):
        return sp.vstack(parts, format="csr")
    return np.concatenate(parts)


def _taken(X: Features, at: NDArray[np.intp]) -> Features:
    """Rows of a block; without a copy where it is all of them."""
    if len(at) == n_rows(X) and (at == np.arange(len(at))).all():
        return X
    return take(X, at)


def _dense_bytes(X: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(X), allow_pickle=False)
    return buffer.getvalue()


def _dense_from(data: bytes) -> NDArray[Any]:
    X: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return X


def _csr_bytes(X: Any) -> bytes:
    buffer = io.BytesIO()
    shape = np.array([*X.shape, isinstance(X, sp.sparray)], dtype=np.int64)
    for array in (shape, X.data, X.indices, X.indptr):
        np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _csr_from(data: bytes) -> Any:
    buffer = io.BytesIO(data)
    (n, d, is_array), values, indices, indptr = (np.load(buffer, allow_pickle=False) for _ in range(4))
    make = sp.csr_array if is_array else sp.csr_matrix
    return make((values, indices, indptr), shape=(int(n), int(d)))


def _objects_bytes(X: list[Any]) -> bytes:
    rows = []
    for i, row in enumerate(X):
        try:
            rows.append(encoded(row))
        except InvalidInput as error:
            raise InvalidInput(f"row {i}: {error}") from None
    return json.dumps(rows, separators=(",", ":")).encode()


def _objects_from(data: bytes) -> list[Any]:
    rows: list[Any] = decoded(json.loads(data))
    return rows


def _blank_dense(X: NDArray[Any], at: NDArray[np.intp]) -> NDArray[Any]:
    X[at] = 0
    return X


def _blank_csr(X: Any, at: NDArray[np.intp]) -> Any:
    keep = np.ones(X.shape[0], dtype=bool)
    keep[at] = False
    lengths = np.diff(X.indptr)
    kept = np.repeat(keep, lengths)
    indptr = np.concatenate([[0], np.cumsum(np.where(keep, lengths, 0))]).astype(X.indptr.dtype)
    return type(X)((X.data[kept], X.indices[kept], indptr), shape=X.shape)


def _blank_objects(X: list[Any], at: NDArray[np.intp]) -> list[Any]:
    for i in at.tolist():
        X[i] = "" if isinstance(X[i], str) else None
    return X


_WRITERS: dict[str, Callable[[Any], bytes]] = {
    "dense": _dense_bytes,
    "csr": _csr_bytes,
    "frame": frames.frame_bytes,
    "objects": _objects_bytes,
}
_READERS: dict[str, Callable[[bytes], Features]] = {
    "dense": _dense_from,
    "csr": _csr_from,
    "frame": frames.frame_from,
    "objects": _objects_from,
}
_BLANKERS: dict[str, Callable[[Any, NDArray[np.intp]], Features]] = {
    "dense": _blank_dense,
    "csr": _blank_csr,
    "frame": frames.blank_frame,
    "objects": _blank_objects,
}
