"""Items whose labels are known, from a table or an .npz file, and the model that fits their kind.

Texts go through the text pipeline. Columns of numbers are features, scaled; a column of categories that is
named becomes one column of 0 and 1 for each. Nothing is dropped in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import is_zipfile

import numpy as np

from bootstrap.cli.table_file import Table, read_table
from bootstrap.errors import InvalidInput

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["BenchData", "read_bench_data"]

_LABEL: Final = "label"
#: More categories than this in one column are hardly categories.
_MOST_CATEGORIES: Final = 50
#: A larger number's square, which scaling needs, is beyond what a float can hold, or near it.
_LARGEST: Final = 1e150
_TRUTH: Final = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class BenchData:
    """What is compared on.

    Attributes
    ----------
    X : ndarray of shape (n, d) or list of str
        Features (NaN where a cell is empty) or texts.
    y : ndarray of shape (n,)
        Labels.
    estimator : Pipeline
        Unfitted.
    notes : tuple of str
        What somebody should know about the data, a sentence each.
    """

    X: Any
    y: Any
    estimator: Pipeline
    notes: tuple[str, ...]

    def at_most(self, n: int, seed: int) -> BenchData:
        """The same, or `n` items of it drawn at random."""
        if len(self.y) <= n:
            return self
        drawn = np.sort(np.random.default_rng(seed).choice(len(self.y), n, replace=False))
        X = [self.X[i] for i in drawn] if isinstance(self.X, list) else self.X[drawn]
        note = f"Of these {n:,} are drawn at random; --max-items takes more."
        return replace(self, X=X, y=self.y[drawn], notes=(*self.notes, note))


def read_bench_data(
    path: Path,
    *,
    label: str | None = None,
    text: str | None = None,
    features: str | None = None,
    id: str | None = None,
) -> BenchData:
    """Read the items of a file.

    Parameters
    ----------
    path : Path
        .csv, .jsonl, .ndjson or .npz.
    label, text, id : str, optional
        Names of columns.
    features : str, optional
        Names of columns, parted by commas; by default all others, if they hold numbers.

    Raises
    ------
    InvalidInput
        If the file can't be read, a column is not there, or holds what can't be learned from.
    """
    if text is not None and features is not None:
        raise InvalidInput("--text and --features are two kinds of items: name one of them.")
    if path.suffix.lower() == ".npz":
        if (text, features, id) != (None, None, None):
            raise InvalidInput(f"{path} holds the array X: leave --text, --features and --id out.")
        return _from_arrays(path, label or "y")
    table, label = read_table(path), label or _LABEL
    labels = [cell.strip() for cell in table.column(label, "--label")]
    if text is not None:
        return _of_texts(table, labels, label, text)
    return _of_columns(table, labels, label, features, id)


def _from_arrays(path: Path, label: str) -> BenchData:
    X, y = _load(path, "X", label)
    if X.ndim != 2 or X.dtype.kind not in "biuf" or y.shape != X.shape[:1]:
        raise InvalidInput(
            f"{path} holds X of shape {X.shape} ({X.dtype}) and {label} of shape {y.shape}: X must be a "
            "table of numbers, a row an item, and there must be one label for each."
        )
    if X.shape[1] == 0:
        raise InvalidInput(f"{path} holds X of shape {X.shape}: there is no column to learn from.")
    X = X.astype(np.float64)
    if np.isinf(X).any():
        raise InvalidInput(f"{path} has infinity in X (first: row {int(np.isinf(X).any(axis=1).argmax())}).")
    for j in range(X.shape[1]):
        _check_column(X[:, j], f"Column {j} (from 0) of X in {path}", "leave it out")
    _check_labels(y, path, label)
    _check_classes(y.tolist(), label)
    return BenchData(X, y, _for_numbers(X), (_counted(len(y), y.tolist(), f"{X.shape[1]:,} features"),))


def _load(path: Path, *names: str) -> list[Any]:
    """Arrays of an .npz file by name; whatever it holds instead is refused."""
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise InvalidInput(f"Cannot read {path}: {error.strerror or error}.") from error
    how = (
        "Write it with numpy.savez(file, X=X, y=y), X of numbers and y of numbers or of strings (not of "
        "objects: y.astype(str))."
    )
    if not is_zipfile(path):
        raise InvalidInput(f"{path} is no .npz archive, or is cut off. {how}")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            held = list(arrays)
            found = [arrays[name] for name in names if name in held]
    except Exception as error:  # whatever a damaged or encrypted archive makes of zipfile, zlib and numpy
        raise InvalidInput(f"{path} can't be read: it is damaged, or holds objects. {how}") from error
    for name in names:
        if name not in held:
            raise InvalidInput(f"{path} has no array {name!r}. It has: {', '.join(map(repr, held))}.")
    if not all(isinstance(array, np.ndarray) for array in found):
        raise InvalidInput(f"{path} holds other things than arrays. {how}")
    return found


def _check_labels(y: Any, path: Path, name: str) -> None:
    from bootstrap.classes import plain_answer

    what = "labels are strings, whole numbers or truth values"
    if y.dtype.kind not in "biufU":
        raise InvalidInput(
            f"The array {name!r} of {path} is of {y.dtype}, and {what}: write {name}.astype(str) if each of "
            "its values is a class."
        )
    for i, value in enumerate(y.tolist()):
        try:
            plain_answer(value)
        except InvalidInput:
            raise InvalidInput(
                f"The array {name!r} of {path} holds {value!r} in row {i}, which is no label: {what}. Leave "
                "out the rows without one."
            ) from None


def _of_texts(table: Table, labels: list[str], label: str, text: str) -> BenchData:
    from bootstrap.text_pipeline import text_pipeline

    texts = table.column(text, "--text")
    first: dict[str, int] = {}
    for i, (content, answer) in enumerate(zip(texts, labels, strict=True)):
        if content.strip() and answer:
            first.setdefault(content, i)
    used = list(first.values())
    _check_classes([labels[i] for i in used], label)
    empty = sum(not (content.strip() and answer) for content, answer in zip(texts, labels, strict=True))
    notes = [_counted(len(used), [labels[i] for i in used], "texts")]
    if empty:
        notes.append(f"Rows without a text or a label, left out: {empty:,}.")
    copies = len(texts) - empty - len(used)
    if copies:
        notes.append(f"Rows that repeat an earlier text, left out (a copy is no test): {copies:,}.")
    return BenchData(
        [texts[i] for i in used], np.array([labels[i] for i in used]), text_pipeline(), tuple(notes)
    )


def _of_columns(
    table: Table, labels: list[str], label: str, features: str | None, id: str | None
) -> BenchData:
    used = [i for i, answer in enumerate(labels) if answer]
    _check_classes([labels[i] for i in used], label)
    names = _feature_columns(table, label, features, id)
    parts, categories = [], []
    for name in names:
        cells = table.column(name, "--features")
        other = next((i for i in used if not _is_number(cells[i])), None)
        if other is None:
            parts.append(_numbers(table, name, cells, used))
        elif features is None:
            raise _not_numbers(table, name, other, names)
        else:
            parts.append(_one_hot(table, name, [cells[i].strip() for i in used]))
            categories.append(name)
    X = np.hstack(parts)
    notes = [_counted(len(used), [labels[i] for i in used], f"{X.shape[1]:,} features")]
    if categories:
        notes.append(f"A column of 0 and 1 for each category of {', '.join(categories)}.")
    if np.isnan(X).any():
        notes.append("Empty cells are filled with the median of what is labeled.")
    if len(used) < len(labels):
        notes.append(f"Rows without a label, left out: {len(labels) - len(used):,}.")
    return BenchData(X, np.array([labels[i] for i in used]), _for_numbers(X), tuple(notes))


def _feature_columns(table: Table, label: str, features: str | None, id: str | None) -> list[str]:
    if features is not None:
        names = list(dict.fromkeys(name.strip() for name in features.split(",") if name.strip()))
        if label in names:
            raise InvalidInput(f"--features names {label!r}, which holds the labels: leave it out.")
    else:
        if id is not None:
            table.column(id, "--id")  # refused if it is not there
        names = [name for name in table.columns if name not in (label, id)]
    if not names:
        raise InvalidInput(f"There is no column of {table.path} to learn from beside {label!r}.")
    return names


def _as_number(cell: str) -> float:
    truth = _TRUTH.get(cell.lower())
    return float(cell or "nan") if truth is None else truth


def _is_number(cell: str) -> bool:
    try:
        _as_number(cell.strip())
    except ValueError:
        return False
    return True


def _numbers(table: Table, name: str, cells: Sequence[str], used: Sequence[int]) -> Any:
    """The column as floats of shape (n, 1), NaN for empty cells."""
    values = np.array([_as_number(cells[i].strip()) for i in used])
    wrong = np.flatnonzero(np.isinf(values))
    if len(wrong):
        line = table.lines[used[wrong[0]]]
        raise InvalidInput(f"Line {line} of {table.path} has infinity in {name!r}: correct it.")
    _check_column(values, f"The column {name!r} of {table.path}", "leave it out, by --features")
    return values[:, np.newaxis]


def _check_column(values: Any, what: str, leave_out: str) -> None:
    if np.isnan(values).all():
        raise InvalidInput(f"{what} is empty: {leave_out}.")
    largest = float(np.nanmax(np.abs(values)))
    if largest > _LARGEST:
        raise InvalidInput(f"{what} holds {largest:.3g}, which is too large: scale it, or {leave_out}.")


def _not_numbers(table: Table, name: str, row: int, names: Sequence[str]) -> InvalidInput:
    others = [other for other in names if other != name]
    without = f" To go without it: --features {','.join(others)}" if others else ""
    return InvalidInput(
        f"Line {table.lines[row]} of {table.path} has {table.rows[row][name][:40]!r} in {name!r}, which is "
        f"no number. If the column is a text to learn from, say --text {name}. If it holds categories, name "
        f"all columns to learn from: --features {','.join(names)}.{without}"
    )


def _one_hot(table: Table, name: str, cells: list[str]) -> Any:
    categories = sorted(set(cells))
    if len(categories) > _MOST_CATEGORIES:
        raise InvalidInput(
            f"The column {name!r} of {table.path} has {len(categories):,} different values, more than the "
            f"{_MOST_CATEGORIES} that are taken for categories: leave it out of --features, or say --text if "
            "it is a text."
        )
    return (np.array(cells)[:, np.newaxis] == np.array(categories)).astype(np.float64)


def _for_numbers(X: Any) -> Pipeline:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    filled = [SimpleImputer(strategy="median", keep_empty_features=True)] if np.isnan(X).any() else []
    return make_pipeline(*filled, StandardScaler(), LogisticRegression(max_iter=1000))


def _check_classes(labels: Sequence[Any], column: str) -> None:
    n, classes = len(labels), len(set(labels))
    if n == 0:
        raise InvalidInput(f"No row has a label in {column!r}: a comparison needs labels that exist.")
    if classes < 2 or 2 * classes > n:
        raise InvalidInput(
            f"{column!r} holds {classes:,} different labels in {n:,} rows: classes are learned, so there "
            "must be two at least, and rows enough of each. Name another column with --label."
        )


def _counted(n: int, labels: Sequence[Any], what: str) -> str:
    most = Counter(labels).most_common(1)[0][1]
    return f"{n:,} items ({what}), {len(set(labels)):,} classes, the largest {100 * most / n:.0f} %."
