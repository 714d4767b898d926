"""`load_loop`: a loop that a store knows, in any process."""

from __future__ import annotations

import time
from typing import Any

from bootstrap.errors import InvalidInput, StoreError
from bootstrap.loop import BootstrapLoop
from bootstrap.protocols import Clock, Labeler
from bootstrap.store.database import Database
from bootstrap.store.loop_names import some_loops
from bootstrap.store.loops.loop_reading import LoopReader
from bootstrap.store.loops.loop_record import LoopRecord
from bootstrap.stored_settings import strategy_name

__all__ = ["load_loop"]


def load_loop(
    name: str = "default",
    *,
    storage: str,
    estimator: Any,
    labeler: Labeler | None = None,
    adjudicator: Any = None,
    strategy: Any = None,
    n_jobs: int | None = None,
    clock: Clock = time.time,
) -> BootstrapLoop:
    """Resume a loop by name, with the settings, items and labels that are stored.

    Parameters
    ----------
    name : str
    storage : str
        `sqlite:///labels.db`, or a PostgreSQL URL.
    estimator : classifier, Pipeline, modAL learner, or list of classifiers
        The one that the loop was begun with: nothing is unpickled. Models are fitted again from their labels;
        one that does not predict what it predicted is another model, and that is said.
    labeler, adjudicator : callable, optional
        As in :class:`~bootstrap.loop.BootstrapLoop`.
    strategy : callable, optional
        Only where the loop was begun with a function of your own.
    n_jobs : int, optional
    clock : callable

    Returns
    -------
    BootstrapLoop

    Raises
    ------
    StoreError
        If there is no such store or loop.
    InvalidInput
        If the strategy was a function of your own, and is not given.
    """
    database = Database(storage, must_exist=True)
    try:
        with database.reading() as connection:
            record = LoopRecord.find(connection, name)
            known = some_loops(connection, None).values()
            latest = None if record is None else LoopReader(connection, record.id).class_list()[1]
    finally:
        database.close()
    if record is None:
        there = ", ".join(repr(one) for one in known) or "none"
        raise StoreError(f"There is no loop {name!r} in {database.url}; there are: {there}.")
    stored = record.settings | {"classes": latest}
    stored_strategy, targets = stored.pop("strategy"), stored.pop("targets")
    if strategy is None:
        strategy = stored_strategy
    elif strategy_name(strategy) != stored_strategy:
        raise InvalidInput(
            f"the loop {name!r} was begun with the strategy {stored_strategy}, got {strategy_name(strategy)}"
        )
    if isinstance(strategy, str) and "." in strategy:
        raise InvalidInput(
            f"the loop {name!r} was begun with the function {strategy}: pass it, load_loop(strategy=...)"
        )
    if stored.pop("adjudicated") and adjudicator is None:
        adjudicator = "desks"
    traps = stored.pop("traps")
    return BootstrapLoop(
        estimator,
        labeler,
        strategy=strategy,
        targets=None if targets is None else dict(targets),
        traps=None if traps is None else tuple(traps),
        adjudicator=adjudicator,
        storage=storage,
        name=name,
        n_jobs=n_jobs,
        clock=clock,
        **stored,
    )
