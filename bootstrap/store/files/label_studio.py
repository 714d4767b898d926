"""Label Studio's JSON: an array of tasks, each with `data`, `predictions` and `annotations`.

Our id of an item goes along as `data.bootstrap_id`, so that it is known again when the annotated tasks come
back. An array of any length is read task by task.

A task with an annotation is done for Label Studio. So one about which people disagree, or more of whom are to
be asked, goes out without any, and answers to traps stay here. The labeling interface that fits what is
written stands in docs/store.md.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any, BinaryIO, Final, TextIO

from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP, Class, Skip
from bootstrap.store.files.reading_out import Answer, ExportedItem
from bootstrap.store.payloads import encoded

__all__ = ["ID", "TaskWriter", "answers_of", "item_of", "read_tasks"]

#: Key of `data` that holds our id.
ID: Final = "bootstrap_id"

_CONTROL: Final = "label"  # name of the element with the choices
_CHUNK: Final = 2**16  # characters read at a time, at first
_IMAGE: Final = re.compile(r"\S+\.(?:png|jpe?g|gif|webp|bmp|tiff?|svg)(?:\?\S*)?", re.IGNORECASE)
_GAP: Final = re.compile(r"[\s,]*")

Said = tuple[Class | Skip, str | None, float | None]  # label, by whom, when


class TaskWriter:
    """Writes an array of tasks."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._is_empty = True
        file.write(b"[")

    def write(self, page: list[ExportedItem]) -> None:
        """Add these items."""
        for row in page:
            self._file.write((b"\n" if self._is_empty else b",\n") + json.dumps(_task(row)).encode())
            self._is_empty = False

    def close(self) -> None:
        """End the array."""
        self._file.write(b"\n]\n")


def _task(row: ExportedItem) -> dict[str, Any]:
    data = _data(row.item)
    shown = next(iter(data), "text")
    task: dict[str, Any] = {"data": data | {ID: row.id}, "predictions": [], "annotations": []}
    if row.predicted is not None:
        said = {"model_version": f"{row.loop} {row.model}", "result": [_choice(row.predicted, shown)]}
        task["predictions"].append(said if row.confidence is None else said | {"score": row.confidence})
    if row.first is not None:
        beside_a_class = row.first.label is not SKIP  # what people said before nobody could tell is no label
        said_by_people = row.said if beside_a_class else (row.first,)
        task["annotations"] += [_annotation(answer, shown) for answer in said_by_people]
    return task


def _data(item: Any) -> dict[str, Any]:
    if item is None:
        return {}
    if isinstance(item, Mapping):
        said = encoded({str(key): value for key, value in item.items()})
        return said if "$" not in said else {"item": said}
    if isinstance(item, PurePath):
        return {"image" if _IMAGE.fullmatch(str(item)) else "path": str(item)}
    if isinstance(item, str):
        return {"image" if _IMAGE.fullmatch(item) else "text": item}
    return {"item": encoded(item)}


def _choice(label: Class, shown: str) -> dict[str, Any]:
    chosen = label if isinstance(label, str) else json.dumps(label)
    return {"from_name": _CONTROL, "to_name": shown, "type": "choices", "value": {"choices": [chosen]}}


def _annotation(answer: Answer, shown: str) -> dict[str, Any]:
    label = None if isinstance(answer.label, Skip) else answer.label
    said: dict[str, Any] = {
        "was_cancelled": label is None,
        "created_at": datetime.fromtimestamp(answer.at, UTC).isoformat(),
        "result": [] if label is None else [_choice(label, shown)],
    }
    return said if answer.by is None else said | {"completed_by": {"email": answer.by}}


# reading


def read_tasks(path: Path) -> Iterator[Any]:
    """Each task of a JSON array, one at a time.

    Where the file breaks off or is no JSON, the last one is an `InvalidInput` that says so: what stands after
    it can't be known.

    Raises
    ------
    InvalidInput
        If the file is no array.
    """
    with path.open(encoding="utf-8-sig") as file:
        yield from _Array(file, path)


class _Array:
    """The elements of a JSON array in a file, with no more of it in memory than the longest one."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._buffer = ""
        self._at = 0  # in the buffer: all before has been read
        self._line = 1

    def __iter__(self) -> Iterator[Any]:
        if self._next_mark() != "[":
            raise InvalidInput(
                f"{self._path} is no array of tasks. Export from Label Studio as JSON (not JSON-MIN or CSV)."
            )
        self._advance(self._at + 1)
        decoder = json.JSONDecoder()
        while self._next_mark() != "]":
            try:
                task, end = self._decode(decoder)
            except InvalidInput as error:
                yield error
                return
            yield task
            self._advance(end)

    def _decode(self, decoder: json.JSONDecoder) -> tuple[Any, int]:
        size = _CHUNK
        while True:
            try:
                return decoder.raw_decode(self._buffer, self._at)
            except RecursionError:
                raise InvalidInput(
                    f"is nested too deeply from line {self._line} on: the tasks before were read, and "
                    "nothing after can be"
                ) from None
            except json.JSONDecodeError as error:
                if not self._read(size):
                    line = self._line + self._buffer.count("\n", 0, error.pos)
                    raise InvalidInput(
                        f"is no JSON from line {line} on ({error.msg}): the tasks before were read, and "
                        "nothing after can be"
                    ) from None
                size *= 2  # else a long task would be decoded in vain too often

    def _next_mark(self) -> str:
        """The next character that means something; none at the end of the file."""
        while True:
            found = _GAP.match(self._buffer, self._at)
            self._advance(found.end() if found else self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._read(_CHUNK):
                return ""

    def _read(self, size: int) -> bool:
        """Let go of what was read, and read on."""
        more = self._file.read(size)
        self._buffer, self._at = self._buffer[self._at :] + more, 0
        return bool(more)

    def _advance(self, to: int) -> None:
        self._line += self._buffer.count("\n", self._at, to)
        self._at = to


def item_of(task: Mapping[str, Any]) -> tuple[str | None, Any]:
    """(our id or None, what people saw) of a task."""
    data = dict(task.get("data") or {})
    name = data.pop(ID, None)
    item = next(iter(data.values())) if len(data) == 1 else data or None
    return None if name is None else str(name), item


def answers_of(task: Mapping[str, Any]) -> list[Said]:
    """What people said of a task, in order: (label, by whom, when).

    Raises
    ------
    InvalidInput
        If an annotation is none or several classes, or its time is none.
    """
    said: list[Said] = []
    for annotation in _objects(task.get("annotations"), "annotations"):
        who = annotation.get("completed_by")
        by = who.get("email") if isinstance(who, Mapping) else who
        label = SKIP if annotation.get("was_cancelled") else _chosen(annotation.get("result"))
        said.append((label, None if by is None else str(by), _seconds(annotation.get("created_at"))))
    return said


def _objects(given: Any, what: str) -> list[Mapping[str, Any]]:
    found = [] if given is None else given
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise InvalidInput(f"{what} is no list of objects: {reprlib.repr(given)}")
    return found


def _seconds(when: Any) -> float | None:
    try:
        return None if when is None else datetime.fromisoformat(when).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"an annotation's created_at={when!r} is no time") from None


def _chosen(result: Any) -> Class:
    values = [part.get("value") for part in _objects(result, "the result of an annotation")]
    every = [value.get("choices") for value in values if isinstance(value, Mapping)]
    chosen = [label for choices in every if isinstance(choices, list) for label in choices]
    if len(chosen) != 1:
        what = (
            f"chooses {len(chosen)} classes ({', '.join(map(repr, chosen))})"
            if chosen
            else "chooses no class"
        )
        raise InvalidInput(f"an annotation {what}: one class for an item is needed")
    label: Class = chosen[0]
    return label
