"""The label log that `run` kept before it had a store: one file of JSON lines, read and never written.

The first line says what run it belongs to; each further one is an answer, or the undoing of one. A kill may
have left the last line incomplete.
"""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bootstrap.errors import LogError
from bootstrap.records import SKIP, Class, Skip

__all__ = ["EarlierAnswer", "EarlierLog", "reading_log"]

_FORMAT: Final = "bootstrap-labels label log"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class EarlierAnswer:
    """What stands about one item.

    Attributes
    ----------
    at : float
        When it was given, in seconds since the epoch.
    """

    label: Class | Skip
    by: str | None
    at: float


@dataclass(frozen=True, slots=True)
class EarlierLog:
    """A whole log.

    Attributes
    ----------
    key : bytes
        What seeded the run.
    settings : mapping
        Those the log was begun with.
    created : float
        Seconds since the epoch.
    answers : mapping
        Item id -> the answer that stands: the first class that was not undone, or a SKIP without one.
    """

    path: Path
    key: bytes
    settings: Mapping[str, Any]
    created: float
    answers: Mapping[str, EarlierAnswer]


@contextmanager
def reading_log(path: str | os.PathLike[str]) -> Iterator[EarlierLog]:
    """Read a log; meanwhile no other process writes into it, where the system can lock files.

    Raises
    ------
    LogError
        If the file can't be read, is in use, is no label log, or has a line that can't be read (other than
        a last one that a kill left incomplete).
    """
    path = Path(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise LogError(f"Cannot read the label log {path}: {error.strerror}.") from error
    with file:
        _lock(file.fileno(), path)
        yield _parsed(file.read(), path)


def _parsed(content: bytes, path: Path) -> EarlierLog:
    first, *rows = content.split(b"\n")
    key, settings, created = _header(first, path)
    answers: dict[str, EarlierAnswer] = {}
    for number, row in enumerate(rows, 2):
        try:
            _read(row, answers)
        except (ValueError, KeyError, TypeError) as error:
            if number == len(rows) + 1:  # without its end; nothing at all after a whole line
                break
            raise LogError(
                f"Line {number} of the label log {path} can't be read ({error}): {reprlib.repr(row)}. Only "
                "the last line may be incomplete. Restore the file from a copy, or remove that line if you "
                "know what it was; nothing was changed."
            ) from None
    return EarlierLog(path, key, settings, created, answers)


def _header(line: bytes, path: Path) -> tuple[bytes, dict[str, Any], float]:
    """(key, settings, time) of the first line."""
    try:
        header = json.loads(line)
        known = header["format"] == _FORMAT
        version = header["version"]
        found = bytes.fromhex(header["key"]), dict(header["settings"]), _seconds(header["created"])
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise LogError(
            f"{path} is no label log: its first line is {reprlib.repr(line)}. Choose another folder; "
            "nothing was changed."
        )
    if version != _VERSION:
        raise LogError(
            f"The label log {path} has format version {version!r}; this program reads version {_VERSION}. "
            "Use the program it was written with, or a newer one."
        )
    return found


def _read(line: bytes, answers: dict[str, EarlierAnswer]) -> None:
    """Take one row; anything but a good one raises ValueError, KeyError or TypeError."""
    row = json.loads(line)
    item_id, by = row["id"], row.get("by")
    if not isinstance(item_id, str):
        raise TypeError("its id is no string")
    if row.get("undo") is True:
        answers.pop(item_id, None)
        return
    label = SKIP if row.get("skip") is True else row["answer"]
    if not isinstance(label, str | int | Skip):
        raise TypeError("its answer is no string, whole number or bool")
    before = answers.get(item_id)
    if before is None or before.label is SKIP:
        answers[item_id] = EarlierAnswer(label, by if isinstance(by, str) else None, _seconds(row["at"]))


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


def _lock(fd: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LogError(
            f"The label log {path} is in use by another process, perhaps of an earlier version, or one that "
            "brings it into a store. Wait for it, or end it. Nothing was changed."
        ) from None
    except OSError:  # a file system without locks
        return
