"""What the columns of a file are called, and whether it has those that an import can't do without."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from bootstrap.errors import InvalidInput

__all__ = ["column_names", "refuse_without_items", "refuse_without_labels"]

_FIELDS: Final = ("id", "item", "label", "by", "at", "reason", "skip", "others")


def column_names(given: Mapping[str, str] | None) -> dict[str, tuple[str, ...]]:
    """Field -> what its column may be called, the first that is there counts.

    Raises
    ------
    InvalidInput
        If what is given names a field that there is not.
    """
    unknown = sorted(set(given or ()) - set(_FIELDS))
    if unknown:
        raise InvalidInput(f"columns= names {unknown[0]!r}, which is none of {', '.join(_FIELDS)}")
    usual: dict[str, tuple[str, ...]] = {field: (field,) for field in _FIELDS}
    usual["item"] = ("item", "text")
    return usual | {field: (column,) for field, column in (given or {}).items()}


def refuse_without_items(path: Path, found: Collection[str], names: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse a file of whose rows none can say which item it is about."""
    _refuse_without(path, found, names, "item", ("id", "item"), "the ids or the items")


def refuse_without_labels(path: Path, found: Collection[str], names: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse a file of whose rows none can say a label."""
    _refuse_without(path, found, names, "label", ("label", "skip", "others"), "the labels")


def _refuse_without(
    path: Path,
    found: Collection[str],
    names: Mapping[str, tuple[str, ...]],
    field: str,
    any_of: tuple[str, ...],
    what: str,
) -> None:
    if any(column in found for one in any_of for column in names[one]):
        return
    known = {column for some in names.values() for column in some}
    free = next((column for column in found if column not in known), "NAME")
    raise InvalidInput(
        f"{path} has no column {names[field][0]!r}; it has {', '.join(map(repr, found))}. Say which holds "
        f"{what}, such as columns={json.dumps({field: free}, ensure_ascii=False)}, or at the command line "
        f"--column {shlex.quote(f'{field}={free}')}."
    )
