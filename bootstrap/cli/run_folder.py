"""The folder of one `run`: its store, and what the run was begun with.

The store keeps the settings of the loop. Which file, columns and model they belong to is kept beside it, in
`run.json`, which is written before the store is there: a store without it is not the whole of a run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bootstrap.cli.option_words import OPTION_OF
from bootstrap.errors import StoreError

__all__ = ["Begun", "RunFolder", "url_of"]

_FORMAT: Final = "bootstrap-labels run"
_VERSION: Final = 1
#: What a setting is called where people choose it.
_CALLED: Final = {**OPTION_OF, "id": "--id", "input": "the file", "pipeline": "the model", "text": "--text"}


@dataclass(frozen=True, slots=True)
class Begun:
    """What a run was begun with.

    Attributes
    ----------
    seed : int
    settings : mapping
        What must be the same when it goes on.
    """

    seed: int
    settings: Mapping[str, Any]


class RunFolder:
    """Where one run keeps what it needs to go on.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    store : Path
        What people said, and all that the loop did.
    log : Path
        What people said, where an earlier version has begun the run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = path / "labels.db"
        self.log = path / "labels.jsonl"
        self._about = path / "run.json"

    @property
    def storage(self) -> str:
        """The URL of the store."""
        return url_of(self.store)

    @property
    def is_begun(self) -> bool:
        """Whether there is anything to go on with."""
        return self.store.exists()

    @property
    def has_log(self) -> bool:
        """Whether an earlier version has begun the run."""
        return self.log.is_file()

    def begun(self) -> Begun:
        """What the run was begun with.

        Raises
        ------
        StoreError
            If that is not there, or can't be read.
        """
        try:
            record = json.loads(self._about.read_text(encoding="utf-8"))
            if (record["format"], record["version"]) != (_FORMAT, _VERSION):
                raise ValueError(f"format {record['format']!r}, version {record['version']!r}")
            return Begun(int(record["seed"]), dict(record["settings"]))
        except FileNotFoundError:
            why = "is not there"
        except (OSError, ValueError, KeyError, TypeError) as error:
            why = f"can't be read ({error})"
        raise StoreError(
            f"{self.path} holds {self.store.name}, and {self._about.name} {why}: it says with which texts, "
            "columns and settings the run was begun. Bring it back from a copy. Or begin anew in another "
            f"folder (--out) and take the labels along: bootstrap-labels db export {self.path} labels.csv. "
            "Nothing was changed."
        )

    def begin(self, begun: Begun) -> None:
        """Write what the run is begun with: the whole of it, or nothing.

        Raises
        ------
        StoreError
            If that fails.
        """
        record = {"format": _FORMAT, "version": _VERSION, "seed": begun.seed, "settings": begun.settings}
        part = self._about.with_suffix(".json.part")
        try:
            with part.open("w", encoding="utf-8") as file:
                json.dump(record, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self._about)
        except OSError as error:
            raise StoreError(
                f"Cannot write {self._about}: {error.strerror}. Check that the folder may be written to and "
                "has room."
            ) from error

    def refuse_other(self, begun: Begun, settings: Mapping[str, Any], seed: int | None) -> None:
        """Refuse to go on with other settings than those the run was begun with, or another seed.

        Raises
        ------
        StoreError
            Naming each that differs.
        """
        wanted: dict[str, Any] = json.loads(json.dumps(settings))  # as it comes back from the file
        names = dict.fromkeys((*begun.settings, *wanted))
        said = [
            f"{_CALLED.get(name, name)} is {_shown(begun.settings, name)} there and "
            f"{_shown(wanted, name)} now"
            for name in names
            if _shown(begun.settings, name) != _shown(wanted, name)
        ]
        if seed is not None and seed != begun.seed:
            said.append(f"its seed is {begun.seed}, and --seed says {seed} (leave --seed out to go on)")
        if said:
            raise StoreError(
                f"The run in {self.path} was begun with other settings: {'; '.join(said)}. Use its own to go "
                "on, or choose another folder with --out for a new run. Nothing was changed."
            )


def url_of(path: Path) -> str:
    """The URL of a store in this file."""
    return f"sqlite:///{path.as_posix()}"


def _shown(settings: Mapping[str, Any], name: str) -> str:
    if name not in settings:
        return "not set"
    return "not given" if settings[name] is None else repr(settings[name])
