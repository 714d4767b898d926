"""The settings of a loop as a store keeps them: what must be the same when it is resumed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from bootstrap.errors import StoreError
from bootstrap.settings import Settings
from bootstrap.store.loops.loop_record import LoopRecord

__all__ = ["as_stored", "refuse_another_seed", "refuse_other", "strategy_name"]

#: Those that may change from one process to the next: they steer nothing that is drawn, asked or claimed.
_FREE = {"n_jobs", "name", "random_state"}


def strategy_name(strategy: Any) -> str:
    """What a strategy is called in a store: its name, or where a function comes from."""
    if isinstance(strategy, str):
        return strategy
    own = getattr(strategy, "__qualname__", None) or type(strategy).__qualname__
    return f"{getattr(strategy, '__module__', type(strategy).__module__)}.{own}"


def as_stored(
    settings: Settings, *, strategy: Any, classes: Sequence[Any] | None, adjudicated: bool
) -> dict[str, Any]:
    """Settings as plain JSON."""
    kept = {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(settings)
        if field.name not in _FREE
    }
    if settings.targets is not None:
        kept["targets"] = [[name, dict(what)] for name, what in settings.targets.items()]
    if settings.traps is not None:
        kept["traps"] = list(settings.traps)
    return kept | {
        "strategy": strategy_name(strategy),
        "classes": None if classes is None else list(classes),
        "adjudicated": adjudicated,
    }


def refuse_other(stored: Mapping[str, Any], now: Mapping[str, Any], name: str, url: str) -> None:
    """Refuse to resume a loop with settings other than its own.

    Raises
    ------
    StoreError
        Naming each that differs.
    """
    unset = object()
    names = dict.fromkeys((*stored, *now))
    differing = [key for key in names if stored.get(key, unset) != now.get(key, unset)]
    if differing:
        said = "; ".join(f"{key} is {stored.get(key)!r} there and {now.get(key)!r} now" for key in differing)
        hint = " Classes that change_classes has changed are best left out." if "classes" in differing else ""
        raise StoreError(
            f"The loop {name!r} in {url} was begun with other settings: {said}. Use its own to resume it "
            f"(load_loop takes them from the store), or another name= for a new loop.{hint} Nothing was "
            "changed."
        )


def refuse_another_seed(record: LoopRecord, random_state: int | None) -> None:
    """Refuse a `random_state` other than the one that the loop was begun with; None takes the stored one.

    Raises
    ------
    StoreError
    """
    if random_state is not None and random_state != record.entropy:
        raise StoreError(
            f"The loop {record.name!r} was begun with another random_state, {random_state} is given now: "
            "leave it out to go on, or use another name= for a new loop. Nothing was changed."
        )
