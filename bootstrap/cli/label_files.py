"""labels.csv and predictions.csv: what people said, and what the model makes of every row.

Both open in a spreadsheet, where a cell that begins like a formula would be one: it gets an apostrophe in
front, so that a text sent by a stranger runs nothing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from bootstrap.cli.text_task import TextTask
from bootstrap.errors import NotReady
from bootstrap.loop import BootstrapLoop
from bootstrap.records import SKIP, Label, Source

__all__ = ["answers_of", "safe_cell", "write_labels", "write_predictions"]

_FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def safe_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula; plain numbers such as -1 stay as they are.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("-1"), safe_cell("fine")
    ("'=1+1", '-1', 'fine')
    """
    text = str(value)
    if text.startswith(_FORMULA_BEGINS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def answers_of(loop: BootstrapLoop, task: TextTask) -> dict[str, Label]:
    """Item id -> the answer that counts, in the order in which they came; known labels are no answers."""
    text_of, known = dict(zip(task.ids, task.texts, strict=True)), set(task.labeled[0])
    said: dict[str, Label] = {}
    for entry in loop.labels:
        text = text_of.get(entry.id)
        if text is None or (entry.source is Source.GIVEN and text in known):
            continue
        if not entry.extra and (entry.id not in said or said[entry.id].label is SKIP):
            said[entry.id] = entry
    return said


def write_labels(path: Path, task: TextTask, loop: BootstrapLoop) -> Path:
    """Write every label: those that existed, then what people answered; of a skipped item it is empty.

    Columns: id, text, label, source (given, training, audit), by, at (ISO 8601, UTC).
    """
    text_of = dict(zip(task.ids, task.texts, strict=True))
    given = [
        (task.ids[i], task.texts[i], label, Source.GIVEN, "", "")
        for i, label in enumerate(task.known)
        if label
    ]
    asked = [
        (
            item_id,
            text_of[item_id],
            "" if answer.label is SKIP else answer.label,
            answer.source,
            answer.by or "",
            datetime.fromtimestamp(answer.at, UTC).isoformat(timespec="milliseconds"),
        )
        for item_id, answer in answers_of(loop, task).items()
    ]
    return _write(path, ("id", "text", "label", "source", "by", "at"), [*given, *asked])


def write_predictions(path: Path, task: TextTask, loop: BootstrapLoop) -> Path:
    """Write every row with its label if it has one, and what the last round's model says.

    Columns: id, text, label, prediction, confidence (top probability in [0, 1]). The last two are empty
    while there is no model.
    """
    text_of = dict(zip(task.ids, task.texts, strict=True))
    said = {
        text_of[item_id]: answer.label
        for item_id, answer in answers_of(loop, task).items()
        if answer.label is not SKIP
    }
    for text, known in zip(*task.labeled, strict=True):
        said.setdefault(text, known)
    labels = (known or said.get(text, "") for text, known in zip(task.texts, task.known, strict=True))
    rows = zip(task.ids, task.texts, labels, *_predicted(loop, task.texts), strict=True)
    return _write(path, ("id", "text", "label", "prediction", "confidence"), rows)


def _predicted(loop: BootstrapLoop, texts: Sequence[str]) -> tuple[list[str], list[str]]:
    try:
        proba = loop.predict_proba(list(texts))
    except NotReady:
        return [""] * len(texts), [""] * len(texts)
    classes = np.asarray(loop.learner.classes_)
    best = proba.argmax(axis=1)
    return [str(classes[i]) for i in best], [f"{p:.4f}" for p in proba.max(axis=1)]


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    # The byte order mark tells spreadsheets that this is UTF-8; half a surrogate pair needs an escape.
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([safe_cell(value) for value in row] for row in rows)
    return path
