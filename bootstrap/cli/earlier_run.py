"""A run that an earlier version has begun, brought into a store.

The loop is begun with the log's own settings and seed and goes through its rounds once more, answered by the
log alone: so history and evidence are what they were. The store appears when it is whole. The log stays.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bootstrap.cli.run_folder import Begun, RunFolder, url_of
from bootstrap.cli.terminal_output import plain_warnings
from bootstrap.journal import Journal
from bootstrap.records import Skip

if TYPE_CHECKING:
    from bootstrap.cli.text_task import TextTask
    from bootstrap.loop import BootstrapLoop
    from bootstrap.store.files.earlier_log import EarlierAnswer, EarlierLog

__all__ = ["Brought", "bring_in"]

_PART: Final = ".importing"


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of the answers of a log.

    Attributes
    ----------
    n_answers : int
        All that stand in it.
    n_given : int
        Those that the loop did not ask for again, kept as labels that existed before: learned from where
        they are not held out, and no evidence.
    n_left : int
        Those that are in the log only: about items that nobody could tell and that were not asked again.
    """

    n_answers: int
    n_given: int
    n_left: int


class _Moment:
    """A clock that says when the answer at hand was given."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def bring_in(
    folder: RunFolder, log: EarlierLog, begun: Begun, steering: Mapping[str, Any], task: TextTask, budget: int
) -> Brought:
    """Make the store of the folder out of its log.

    A batch that a budget has cut short is not the beginning of a whole one. So the rounds are gone through
    with the present budget first, and if that does not ask for all that was answered, with the budget that
    the log's answers were.

    Parameters
    ----------
    folder : RunFolder
        Without a store.
    log : EarlierLog
    begun : Begun
        What the log was begun with.
    steering : mapping
        Settings of the loop.
    task : TextTask
    budget : int
        Labels in all sessions together.

    Returns
    -------
    Brought
    """
    from bootstrap.store.upkeep.backing_up import backup

    n = sum(not isinstance(answer.label, Skip) for answer in log.answers.values())
    part = folder.path / _PART
    shutil.rmtree(part, ignore_errors=True)  # of one that was killed
    part.mkdir()
    try:
        with ExitStack() as opened, plain_warnings():
            tries = []
            for number, most in enumerate(dict.fromkeys((max(budget, n), n))):
                again = _Again(part / f"{number}.db", log, begun.seed, steering)
                opened.enter_context(closing(again.loop))
                tries.append((again, again.play(task, most)))
                if not tries[-1][1]:
                    break
            best, left = min(tries, key=lambda one: len(one[1]))
            n_given = best.keep(left)
            whole = backup(best.storage, part / folder.store.name)
        folder.begin(begun)
        os.replace(whole, folder.store)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Brought(len(log.answers), n_given, len(left) - n_given)


class _Again:
    """A loop that goes through a log."""

    def __init__(self, path: Path, log: EarlierLog, seed: int, steering: Mapping[str, Any]) -> None:
        from bootstrap.loop import BootstrapLoop
        from bootstrap.text_pipeline import text_pipeline

        self.storage = url_of(path)
        self._answers = log.answers
        self._moment = _Moment(log.created)
        self.loop = BootstrapLoop(
            text_pipeline(),
            lambda _: {},  # never asked: the log answers
            storage=self.storage,
            random_state=seed,
            clock=self._moment,
            **steering,
        )
        _set_back(self.loop, self._moment)

    def play(self, task: TextTask, budget: int) -> dict[str, EarlierAnswer]:
        """Go through the rounds as far as the log answers; returns what was not asked for."""
        loop, left, pool = self.loop, dict(self._answers), task.pool
        loop.add([task.texts[i] for i in pool], ids=[task.ids[i] for i in pool] if task.own_ids else None)
        loop.run(labeled=task.outside, until=lambda _: True)  # asks nothing
        while left and loop.n_labels < budget:
            queries = loop.ask(budget - loop.n_labels)
            answered = [query for query in queries if query.id in left]
            for query in answered:
                answer = left.pop(query.id)
                self._moment.at = answer.at
                loop.tell({query.id: answer.label}, by=answer.by)
            if not queries or len(answered) < len(queries):
                break
            loop.refit()
        return left

    def keep(self, left: Mapping[str, EarlierAnswer]) -> int:
        """Keep labels that were not asked for: no evidence, since what was asked at random is not known."""
        labels = [
            (answer.by, answer.at, item_id, answer.label)
            for item_id, answer in left.items()
            if not isinstance(answer.label, Skip)
        ]
        for (by, at), told in groupby(labels, key=lambda row: row[:2]):
            same = list(told)
            self._moment.at = at
            self.loop.add_labels([row[2] for row in same], [row[3] for row in same], by=by)
        return len(labels)


def _set_back(loop: BootstrapLoop, moment: _Moment) -> None:
    """Have the store keep when answers were given, not when they were brought in."""
    if isinstance(loop._journal, Journal):
        loop._journal.database._clock = moment
