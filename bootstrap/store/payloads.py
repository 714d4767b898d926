"""What people see of an item, as JSON text and back.

JSON has no word for bytes, paths, times, arrays or NaN: these are written as an object with the key `$`,
which names the kind. So is a mapping that has this key itself, or keys that are no strings.
"""

from __future__ import annotations

import base64
import datetime
import json
import math
import os
import sys
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np

from bootstrap.errors import InvalidInput

__all__ = ["decoded", "encoded", "payload_from", "payload_text"]

_MARK: Final = "$"

#: Arrays of at most so many numbers are written as numbers, which people can read; larger ones as bytes.
_MOST_NUMBERS: Final = 4096

#: Kind -> how its text is read.
_READERS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "bytes": base64.b64decode,
    "path": Path,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda parts: datetime.timedelta(*parts),
    "decimal": Decimal,
    "uuid": uuid.UUID,
    "complex": lambda parts: complex(*parts),
}

#: The first whose type fits is how a value is written. (A datetime is a date too.)
_WRITERS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (bytes, "bytes", lambda value: base64.b64encode(value).decode()),
    (os.PathLike, "path", lambda value: os.fsdecode(value)),
    (datetime.datetime, "datetime", lambda value: value.isoformat()),
    (datetime.date, "date", lambda value: value.isoformat()),
    (datetime.time, "time", lambda value: value.isoformat()),
    (datetime.timedelta, "timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    (Decimal, "decimal", str),
    (uuid.UUID, "uuid", str),
    (complex, "complex", lambda value: [value.real, value.imag]),
)


def payload_text(item: Any) -> str | None:
    """What people see of an item as JSON; None for None.

    Parameters
    ----------
    item : str, number, bool, None, bytes, path, time, array, or a list or mapping of such

    Raises
    ------
    InvalidInput
        For anything that could not be given back equal.
    """
    return None if item is None else json.dumps(encoded(item), separators=(",", ":"))


def payload_from(text: str | None) -> Any:
    """What :func:`payload_text` was given."""
    return None if text is None else decoded(json.loads(text))


def encoded(value: Any) -> Any:
    """`value` in the words of JSON.

    Raises
    ------
    InvalidInput
        For a value of a kind that is not known here.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return _encoded_array(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_MARK: "float", "of": repr(float(value))}
    if isinstance(value, list):
        return [encoded(part) for part in value]
    if isinstance(value, tuple):
        return {_MARK: "tuple", "of": [encoded(part) for part in value]}
    if isinstance(value, Mapping):
        if _MARK not in value and all(type(key) is str for key in value):
            return {key: encoded(part) for key, part in value.items()}
        return {_MARK: "mapping", "of": [[encoded(key), encoded(part)] for key, part in value.items()]}
    if type(value).__module__.partition(".")[0] == "pandas":
        return _encoded_by_pandas(value)
    for kind, name, write in _WRITERS:
        if isinstance(value, kind):
            return {_MARK: name, "of": write(value)}
    raise _unknown(value)


def decoded(value: Any) -> Any:
    """What :func:`encoded` was given."""
    if isinstance(value, list):
        return [decoded(part) for part in value]
    if not isinstance(value, dict):
        return value
    if _MARK not in value:
        return {key: decoded(part) for key, part in value.items()}
    kind = value[_MARK]
    if kind == "tuple":
        return tuple(decoded(part) for part in value["of"])
    if kind == "mapping":
        return {decoded(key): decoded(part) for key, part in value["of"]}
    if kind in ("array", "scalar"):
        return _decoded_array(value)
    if kind in _READERS:
        return _READERS[kind](value["of"])
    return _decoded_by_pandas(value)


def _encoded_array(value: Any) -> dict[str, Any]:
    array = np.asarray(value)
    kind = array.dtype.kind
    said: dict[str, Any] = {_MARK: "array" if isinstance(value, np.ndarray) else "scalar"}
    said["dtype"] = array.dtype.str
    if kind == "O":
        return said | {"of": encoded(array.ravel().tolist()), "shape": list(array.shape)}
    if kind not in "biufcmMSU" or (kind in "fc" and array.real.dtype.itemsize > 8):
        raise _unknown(value)
    if kind in "biuf" and array.size <= _MOST_NUMBERS and np.isfinite(array).all():
        return said | {"of": array.tolist(), "shape": list(array.shape)}
    return said | {"raw": base64.b64encode(array.tobytes()).decode(), "shape": list(array.shape)}


def _decoded_array(said: Mapping[str, Any]) -> Any:
    dtype, shape = np.dtype(said["dtype"]), said["shape"]
    if dtype.kind == "O":
        array = np.empty(math.prod(shape), dtype=object)
        array[:] = decoded(said["of"])
    elif "raw" in said:
        array = np.frombuffer(base64.b64decode(said["raw"]), dtype=dtype).copy()
    else:
        array = np.array(said["of"], dtype=dtype)
    array = array.reshape(shape)
    return array if said[_MARK] == "array" else array[()]


def _encoded_by_pandas(value: Any) -> dict[str, Any]:
    """Times of pandas, which count nanoseconds, and its words for nothing."""
    pandas = sys.modules["pandas"]  # whoever passes a value of it has imported it
    if value is pandas.NaT or value is pandas.NA:
        return {_MARK: "NaT" if value is pandas.NaT else "NA"}
    if isinstance(value, pandas.Timestamp | pandas.Timedelta):
        return {_MARK: type(value).__name__, "of": value.isoformat()}
    raise _unknown(value)


def _decoded_by_pandas(said: Mapping[str, Any]) -> Any:
    import pandas as pd

    kind = said[_MARK]
    if kind in ("NaT", "NA"):
        return getattr(pd, kind)
    if kind in ("Timestamp", "Timedelta"):
        return getattr(pd, kind)(said["of"])
    raise InvalidInput(f"a payload of the kind {kind!r} is not known to this version of bootstrap-labels")


def _unknown(value: Any) -> InvalidInput:
    name = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    return InvalidInput(
        f"a {name} can't be kept in a store: pass what people see as a text, a number, a mapping, a list, "
        "a path or the URL of an image (items=)"
    )
