"""A pandas DataFrame as bytes and back: the same columns, dtypes and values; the index is not kept.

A JSON text says what each column is, and numpy arrays follow it. Nothing is pickled.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.errors import InvalidInput
from bootstrap.store.payloads import decoded, encoded

__all__ = ["below_each_other", "blank_frame", "frame_bytes", "frame_from"]


def frame_bytes(X: Any) -> bytes:
    """A DataFrame as bytes.

    Raises
    ------
    InvalidInput
        Naming the column whose dtype or values can't be kept exactly.
    """
    arrays: list[NDArray[Any]] = []
    columns = []
    for position, name in enumerate(X.columns):
        try:
            columns.append({"name": encoded(name), **_described(X.iloc[:, position], arrays)})
        except InvalidInput as error:
            raise InvalidInput(f"column {name!r}: {error}") from None
    said = {"n_rows": len(X), "n_arrays": len(arrays), "columns": columns}
    header = json.dumps(said, separators=(",", ":")).encode()
    buffer = io.BytesIO()
    for array in (np.frombuffer(header, dtype=np.uint8), *arrays):
        np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def frame_from(data: bytes) -> Any:
    """What :func:`frame_bytes` was given, with an index from 0."""
    import pandas as pd

    buffer = io.BytesIO(data)
    header = json.loads(np.load(buffer, allow_pickle=False).tobytes())
    arrays = (np.load(buffer, allow_pickle=False) for _ in range(header["n_arrays"]))
    values = {i: _restored(said, arrays) for i, said in enumerate(header["columns"])}
    frame = pd.DataFrame(values, index=pd.RangeIndex(header["n_rows"]))
    frame.columns = pd.Index([decoded(said["name"]) for said in header["columns"]])
    return frame


def below_each_other(parts: Sequence[Any]) -> Any:
    """Frames of the same columns as one, with an index from 0."""
    import pandas as pd

    return pd.concat(parts, ignore_index=True)


def blank_frame(X: Any, at: NDArray[np.intp]) -> Any:
    """The frame with these rows overwritten: zeros, or missing values where a column has such."""
    import pandas as pd

    values = {}
    for position, dtype in enumerate(X.dtypes):
        column = X.iloc[:, position].copy()
        kind = dtype.kind if isinstance(dtype, np.dtype) else None
        column.iloc[at] = 0 if kind in tuple("iufc") else False if kind == "b" else None
        values[position] = column
    frame = pd.DataFrame(values, index=X.index)
    frame.columns = X.columns
    return frame


def _described(column: Any, arrays: list[NDArray[Any]]) -> dict[str, Any]:
    """What a column is; its numbers are added to `arrays`."""
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            return {"is": "objects", "values": [encoded(value) for value in column.tolist()]}
        arrays.append(column.to_numpy())
        return {"is": "numpy"}
    if isinstance(dtype, pd.CategoricalDtype):
        arrays.append(column.cat.codes.to_numpy())
        inside = _described(dtype.categories.to_series(index=range(len(dtype.categories))), arrays)
        return {"is": "categories", "ordered": bool(dtype.ordered), "categories": inside}
    if isinstance(dtype, pd.StringDtype):
        missing = column.isna().to_numpy()
        texts = [None if gone else str(text) for text, gone in zip(column.tolist(), missing, strict=True)]
        storage = dtype.storage.removesuffix("_numpy")  # pandas 2.2 says of NaN so, later ones apart
        kind = {"storage": storage, "has_na": dtype.na_value is pd.NA}
        return {"is": "texts", **kind, "values": texts}
    if isinstance(dtype, pd.DatetimeTZDtype):
        arrays.append(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
        return {"is": "times", "dtype": str(dtype)}
    if isinstance(column.array, _masked(pd)):
        arrays.append(column.to_numpy(dtype=dtype.numpy_dtype, na_value=0))
        arrays.append(column.isna().to_numpy())
        return {"is": "masked"}
    raise InvalidInput(f"the dtype {dtype} can't be kept in a store: use numbers, texts, times or categories")


def _restored(said: dict[str, Any], arrays: Iterator[NDArray[Any]]) -> Any:
    """The column that was described so."""
    import pandas as pd

    if said["is"] == "objects":
        return pd.Series(decoded(said["values"]), dtype=object)
    if said["is"] == "numpy":
        return pd.Series(next(arrays))
    if said["is"] == "categories":
        codes = next(arrays)
        categories = pd.Index(_restored(said["categories"], arrays))
        return pd.Series(pd.Categorical.from_codes(codes, categories, ordered=said["ordered"]))
    if said["is"] == "texts":
        dtype = pd.StringDtype(said["storage"]) if said["has_na"] else _texts_with_nan(said["storage"])
        return pd.Series(said["values"], dtype=dtype)
    if said["is"] == "times":
        return pd.Series(next(arrays)).dt.tz_localize("UTC").astype(said["dtype"])
    values, missing = next(arrays), next(arrays)
    make = {"b": pd.arrays.BooleanArray, "f": pd.arrays.FloatingArray}
    return pd.Series(make.get(values.dtype.kind, pd.arrays.IntegerArray)(values, missing))


def _masked(pd: Any) -> tuple[type, ...]:
    return pd.arrays.IntegerArray, pd.arrays.FloatingArray, pd.arrays.BooleanArray


def _texts_with_nan(storage: str) -> Any:
    """The type of texts in which NaN stands for what is missing; plain objects in a pandas that has none."""
    import pandas as pd

    try:
        return pd.StringDtype(storage, na_value=np.nan)
    except TypeError:  # before pandas 2.3
        return np.dtype(object)
