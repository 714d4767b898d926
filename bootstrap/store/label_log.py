"""What people said, in one append-only file of JSON lines that survives a kill at any instant.

The first line says what run the log belongs to; each further line is one answer, or the undoing of
one. A line is on the disk before `append` returns. :func:`bootstrap.labelers.logged` puts a log behind
any labeler, so that a session can be stopped anywhere and resumed without asking anything twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import reprlib
import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from bootstrap.classes import plain_answer
from bootstrap.errors import InvalidInput, LogError
from bootstrap.protocols import Clock
from bootstrap.records import SKIP, Class, Skip

__all__ = ["LabelLog"]

FORMAT = "bootstrap-labels label log"
VERSION = 1

_FIRST_BYTES = json.dumps({"format": FORMAT})[:-1].encode()  # every header begins so


class LabelLog:
    """An append-only log of answers; get one from :meth:`LabelLog.open`.

    One process at a time: the file is locked while it is open, where the system has `fcntl`. A log
    on a file system without locks is opened all the same.

    Attributes
    ----------
    path : pathlib.Path
    key : bytes
        Stored with the labels: seeds whatever is drawn by keyed hash in this run.
    settings : dict
        Those the log was begun with.
    created : str
        ISO 8601 time, UTC.
    """

    def __init__(self, path: Path, fd: int, header: Mapping[str, Any], clock: Clock) -> None:
        self.path = path
        self.key = bytes.fromhex(header["key"])
        self.settings: dict[str, Any] = dict(header["settings"])
        self.created: str = header["created"]
        self._fd: int | None = fd
        self._clock = clock
        self._answers: dict[str, Class | Skip] = {}

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        settings: Mapping[str, Any] | None = None,
        key: bytes | None = None,
        clock: Clock = time.time,
    ) -> Self:
        """Begin a log, or resume the one that is there.

        Parameters
        ----------
        path : path
            A file that does not exist yet, is empty, or is a label log.
        settings : mapping, optional
            What must be the same when the run is resumed; plain JSON values. None on resuming takes
            the log's own, unchecked.
        key : bytes, optional
            Stored in a new log; drawn by the system if None. A resumed log keeps its own.
        clock : callable
            Seconds since the epoch.

        Returns
        -------
        LabelLog

        Raises
        ------
        LogError
            If the file can't be opened, is in use, is no label log, was begun with other settings, or
            has a line that can't be read (other than a last one that a kill left incomplete, which
            is cut off). Nothing is changed then.
        InvalidInput
            If `settings` can't be written as JSON.
        """
        path = Path(path)
        wanted = None if settings is None else _as_json(settings)
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise LogError(
                f"Cannot open the label log {path}: {error.strerror}. "
                "Check that its folder exists and may be written to."
            ) from error
        try:
            _lock(fd, path)
            return cls._read(path, fd, wanted, key, clock)
        except BaseException:
            os.close(fd)
            raise

    @classmethod
    def _read(
        cls, path: Path, fd: int, wanted: dict[str, Any] | None, key: bytes | None, clock: Clock
    ) -> Self:
        """Read what the locked file holds; write the header if that is nothing."""
        content = _content(fd)
        whole, tail = content[: content.rfind(b"\n") + 1], content[content.rfind(b"\n") + 1 :]
        header: dict[str, Any]
        if not whole and (tail.startswith(_FIRST_BYTES) or _FIRST_BYTES.startswith(tail)):
            header = {
                "format": FORMAT,
                "version": VERSION,
                "key": (secrets.token_bytes(16) if key is None else key).hex(),
                "settings": wanted or {},
                "created": _iso(clock()),
            }
            os.ftruncate(fd, 0)
            _write_line(fd, header, path)
            _sync_folder(path)
            return cls(path, fd, header, clock)
        first, *rows = whole.split(b"\n")[:-1] or [tail]
        header = _checked_header(first, path)
        if wanted is not None:
            _compare(header["settings"], wanted, path)
        log = cls(path, fd, header, clock)
        for number, row in enumerate(rows, 2):
            try:
                log._take(row)
            except (ValueError, KeyError, TypeError) as error:
                raise LogError(
                    f"Line {number} of the label log {path} can't be read ({error}): {reprlib.repr(row)}. "
                    "Only the last line may be incomplete. Restore the file from a copy, or remove "
                    "that line if you know what it was; nothing was changed."
                ) from None
        if tail:
            log._mend(tail, len(whole))
        return log

    @property
    def answers(self) -> dict[str, Class | Skip]:
        """Item id -> the answer that stands, in the order given.

        The first class given to an item stands until it is undone; a SKIP stands until a class comes.
        """
        return dict(self._answers)

    def append(self, id: str, answer: Any, by: str | None = None, seconds: float | None = None) -> None:
        """Write one answer; it is on the disk when this returns.

        Parameters
        ----------
        id : str
            The item's id.
        answer : str, int, bool or SKIP
            Numpy scalars are stored as plain ones.
        by : str, optional
            Who answered.
        seconds : float, optional
            How long it took.

        Raises
        ------
        InvalidInput
            If the answer is not a label. Nothing is written.
        LogError
            If it could not be saved, or the log is closed. The file is as before.
        """
        plain = plain_answer(answer)
        row: dict[str, Any] = {"id": id}
        row.update({"skip": True} if isinstance(plain, Skip) else {"answer": plain})
        if by is not None:
            row["by"] = by
        if seconds is not None:
            row["seconds"] = round(float(seconds), 3)
        self._write(row)
        self._stand(id, plain)

    def undo(self, id: str) -> None:
        """Take the answer to an item back, by a line of its own.

        Raises
        ------
        InvalidInput
            If the item has no answer. Nothing is written.
        LogError
            If it could not be saved, or the log is closed.
        """
        if id not in self._answers:
            raise InvalidInput(f"The label log {self.path} has no answer to {id!r} that could be undone.")
        self._write({"id": id, "undo": True})
        del self._answers[id]

    def close(self) -> None:
        """Close the file and release its lock. Closing twice does nothing."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _file(self) -> int:
        if self._fd is None:
            raise LogError(f"The label log {self.path} is closed. Open it again with LabelLog.open.")
        return self._fd

    def _write(self, row: Mapping[str, Any]) -> None:
        _write_line(self._file(), {**row, "at": _iso(self._clock())}, self.path)

    def _stand(self, id: str, answer: Class | Skip) -> None:
        """Let an answer stand unless the item has a class already."""
        if self._answers.get(id, SKIP) is SKIP:
            self._answers[id] = answer

    def _take(self, line: bytes) -> None:
        """Read one row of the file; anything but a good one raises ValueError, KeyError or TypeError."""
        row = json.loads(line)
        item_id = row["id"]
        if not isinstance(item_id, str):
            raise TypeError("its id is no string")
        if row.get("undo") is True:
            self._answers.pop(item_id, None)
        elif row.get("skip") is True:
            self._stand(item_id, SKIP)
        elif isinstance(row["answer"], str | int):
            self._stand(item_id, row["answer"])
        else:
            raise TypeError("its answer is no string, whole number or bool")

    def _mend(self, tail: bytes, size: int) -> None:
        """Treat a last line without its end: complete it if only the end is missing, else cut it off."""
        fd = self._file()
        try:
            self._take(tail)
        except (ValueError, KeyError, TypeError):
            os.ftruncate(fd, size)
        else:
            os.write(fd, b"\n")
        os.fsync(fd)


def _write_line(fd: int, row: Mapping[str, Any], path: Path) -> None:
    """Append one line and wait for the disk; on failure the file is as before."""
    text = json.dumps(row, ensure_ascii=False) + "\n"
    try:
        line = text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: only escapes can say that
        line = (json.dumps(row) + "\n").encode()
    size = os.fstat(fd).st_size
    try:
        while line:
            line = line[os.write(fd, line) :]
        os.fsync(fd)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, size)
        raise LogError(
            f"Cannot write to the label log {path}: {error.strerror}. The last answer was not saved; all "
            "before it are. Make room or mend the disk, then run again to resume."
        ) from error


def _content(fd: int) -> bytes:
    """Read the whole file."""
    os.lseek(fd, 0, os.SEEK_SET)
    chunks: Iterator[bytes] = iter(lambda: os.read(fd, 1 << 20), b"")
    return b"".join(chunks)


def _lock(fd: int, path: Path) -> None:
    """Lock the file for this process, where the system and the file system know how."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LogError(
            f"The label log {path} is in use by another process (or is open twice in this one). "
            "Close that first, or give this run a file of its own."
        ) from None
    except OSError:
        return


def _sync_folder(path: Path) -> None:
    """Wait until the new file's name is on the disk too, where folders can be synced."""
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _checked_header(line: bytes, path: Path) -> dict[str, Any]:
    """Read the first line."""
    try:
        header = json.loads(line)
        of_a_log = header["format"] == FORMAT
        version = header["version"]
        complete = isinstance(bytes.fromhex(header["key"]), bytes) and isinstance(header["settings"], dict)
        of_a_log = of_a_log and complete and isinstance(header["created"], str)
    except (ValueError, KeyError, TypeError):
        of_a_log = False
    if not of_a_log:
        raise LogError(
            f"{path} is no label log: its first line is {reprlib.repr(line)}. "
            "Give a new file name; nothing was changed."
        )
    if version != VERSION:
        raise LogError(
            f"The label log {path} has format version {version!r}; this program reads version {VERSION}. "
            "Use the program it was written with, or a newer one."
        )
    return dict(header)


def _compare(stored: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> None:
    """Refuse settings other than the log's own."""
    unset = object()
    names = list(dict.fromkeys((*stored, *wanted)))
    differing = [name for name in names if stored.get(name, unset) != wanted.get(name, unset)]
    if differing:
        said = "; ".join(
            f"{name} is {_shown(stored, name)} in the log and {_shown(wanted, name)} now"
            for name in differing
        )
        raise LogError(
            f"The label log {path} was begun with other settings: {said}. "
            "Use the settings of the log to resume it, or a new file for a new run."
        )


def _shown(settings: Mapping[str, Any], name: str) -> str:
    return repr(settings[name]) if name in settings else "not set"


def _as_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as JSON would give them back."""
    try:
        text = json.dumps(dict(settings), default=_plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"The settings of a label log must be plain JSON values: {error}. "
            "Pass strings, numbers, bools, None, lists and dicts."
        ) from None
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _plain(value: Any) -> Any:
    """Unwrap numpy's scalars and arrays for JSON."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{reprlib.repr(value)} is a {type(value).__name__}")


def _iso(seconds: float) -> str:
    """Return a time since the epoch in ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
