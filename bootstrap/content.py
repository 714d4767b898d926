"""What makes two items the same: an id from the raw content, never from the position.

The id is a BLAKE2b hash of a canonical byte string, so it is the same after a restart, on another machine,
and for an integer or a floating-point array of the same numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.errors import InvalidInput

__all__ = ["content_hash", "content_id", "content_ids", "hidden_id"]

_DIGEST_BYTES = 10  # 80 bits: a chance of 4e-13 for any collision among a million contents
_BLOCK = 4096  # rows brought into one form at a time
_EXACT = 2**53  # whole numbers up to here are exact in floating point


def content_id(item: Any) -> str:
    """A stable id of a raw item: 20 hexadecimal digits.

    Parameters
    ----------
    item : str, bytes, number, path, array, or a list or mapping of such
        Exact content counts: `"Yes"` and `"yes "` are two contents. The order of a mapping's keys
        does not count.

    Raises
    ------
    InvalidInput
        If the item is of a kind that has no canonical form; pass `ids=` then.

    Examples
    --------
    >>> content_id("where is my card?")
    '43b4d179e57e7e0004b1'
    >>> content_id([1, 2]) == content_id([1.0, 2.0])
    True
    """
    return hashlib.blake2b(_canonical(item), digest_size=_DIGEST_BYTES).hexdigest()


def content_ids(matrix: NDArray[Any]) -> list[str]:
    """:func:`content_id` of each row of a matrix of numbers, a few times faster than one by one."""
    ids: list[str] = []
    for start in range(0, len(matrix), _BLOCK):
        block = matrix[start : start + _BLOCK]
        if _all_fit_float(block):
            rows = (b"array:" + row.tobytes() for row in _as_floats(block))
            ids += [hashlib.blake2b(row, digest_size=_DIGEST_BYTES).hexdigest() for row in rows]
        else:
            ids += [content_id(row) for row in block]
    return ids


def content_hash(content: str) -> str:
    """What stands for a content where nothing of it may: 32 hexadecimal digits.

    Parameters
    ----------
    content : str
        What decides which items are the same; it may hold an id that a user gave.
    """
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _canonical(item: Any) -> bytes:
    if isinstance(item, str):
        return b"text:" + item.encode("utf-8", "surrogatepass")
    if isinstance(item, bytes):
        return b"bytes:" + item
    if isinstance(item, PathLike):
        return _canonical(fspath(item))
    if isinstance(item, list | tuple) and item and all(_fits_float(v) for v in item):
        item = np.asarray(item)
    if isinstance(item, np.ndarray) and item.dtype.kind in "biuf" and _all_fit_float(item):
        shape = "" if item.ndim == 1 else repr(item.shape)
        return b"array:" + shape.encode() + _as_floats(item).tobytes()
    try:
        return b"json:" + json.dumps(_plain(item), ensure_ascii=True, sort_keys=True).encode()
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"an item of type {type(item).__name__} has no stable content to make an id from ({error}): "
            "pass ids=, or items= with what people see (a text, a mapping, a path)"
        ) from None


def _as_floats(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in one form, on every machine."""
    values = np.ascontiguousarray(array) + 0.0  # -0.0 is 0.0
    values[np.isnan(values)] = np.nan  # there are many bit patterns of it
    return values.astype("<f8", copy=False)


def _fits_float(value: Any) -> bool:
    """Whether it is a number, and no whole one too large for floating point."""
    if isinstance(value, int | np.integer):
        return not isinstance(value, bool) and abs(int(value)) <= _EXACT
    return isinstance(value, float | np.floating)


def _all_fit_float(array: NDArray[Any]) -> bool:
    if array.dtype.kind in "bf":
        return True
    return bool(((array >= -_EXACT) & (array <= _EXACT)).all())


def _plain(value: Any) -> Any:
    """`value` with numpy scalars, arrays, paths and mappings as JSON types; -0.0 and 1.0 as 0 and 1."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        named = {str(k): _plain(v) for k, v in value.items()}
        if len(named) < len(value):
            raise ValueError("two of its keys are the same as text")
        return named
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, PathLike):
        return fspath(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


def hidden_id(name: str) -> str:
    """What a store has in place of the id of an item that was erased."""
    return f"erased:{content_hash(name)}"
