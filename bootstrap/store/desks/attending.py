"""A labeler at a desk: claim, ask, store, again; waiting where nothing is to be done.

Ctrl-C is how a person in the terminal says that they have done enough, whether they look at an item or wait
for one. For any other labeler it is the program's own affair, and goes up to whoever called.
"""

from __future__ import annotations

import reprlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from bootstrap.errors import BootstrapError, InvalidInput, LabelerStopped
from bootstrap.labelers.callback import CollectingLabeler, collect
from bootstrap.protocols import Labeler
from bootstrap.records import Query

if TYPE_CHECKING:
    from bootstrap.labelers.terminal import TerminalLabeler
    from bootstrap.store.desks.desk import Desk

__all__ = ["attend"]

#: Items at a time where answers can be taken back until the next ones come.
_TO_GO_BACK_IN = 5


def attend(
    desk: Desk,
    labeler: Labeler,
    *,
    n: int | None,
    wait: bool,
    poll_seconds: tuple[float, float],
    limit: int | None,
    until: Callable[[], bool] | None,
) -> int:
    """See :meth:`bootstrap.store.desks.desk.Desk.run`.

    Raises
    ------
    InvalidInput
        If `labeler` can't be called, or a number makes no sense.
    """
    _refuse_no_labeler(labeler)
    shortest, longest = poll_seconds
    if not 0 < shortest <= longest:
        raise InvalidInput(f"poll_seconds is the shortest and the longest pause, got {poll_seconds!r}")
    if limit is not None and limit < 0:
        raise InvalidInput(f"limit is a number of answers from 0, got {limit!r}")
    if n is None:
        n = _TO_GO_BACK_IN if isinstance(labeler, CollectingLabeler) else 1
    person = _at_the_keyboard(labeler)
    n_answers, pause = 0, shortest
    try:
        while (limit is None or n_answers < limit) and not (until is not None and until()):
            queries = desk.ask(n if limit is None else min(n, limit - n_answers))
            answered, goes_on = _answer(desk, labeler, queries) if queries else (0, wait)
            n_answers += answered
            if not goes_on or not (answered or wait):
                break
            if answered:
                pause = shortest
            else:  # nothing waits, or the labeler leaves out what does
                (time.sleep if person is None or queries else person.wait)(pause)
                pause = min(2 * pause, longest)
    except KeyboardInterrupt:
        if person is None:
            raise
    return n_answers


def _refuse_no_labeler(labeler: Any) -> None:
    wanted = (
        "a function on a list of queries that returns their answers, or TerminalLabeler() for a person here"
    )
    if isinstance(labeler, type):
        raise InvalidInput(
            f"labeler is {wanted}; got the class {labeler.__name__} itself: make one of it first"
        )
    if not callable(labeler):
        raise InvalidInput(f"labeler is {wanted}; got {reprlib.repr(labeler)}, which can't be called")


def _at_the_keyboard(labeler: Labeler) -> TerminalLabeler | None:
    """The labeler where it is a person in the terminal, who sees what happens and may press Ctrl-C."""
    if not isinstance(labeler, CollectingLabeler):
        return None
    from bootstrap.labelers.terminal import TerminalLabeler  # it draws, as few programs with desks do

    return labeler if isinstance(labeler, TerminalLabeler) else None


def _answer(desk: Desk, labeler: Labeler, queries: Sequence[Query]) -> tuple[int, bool]:
    """Have these queries answered; returns how many were, and whether the labeler goes on."""
    waiting = {query.token for query in queries}
    n_asked = len(queries)

    def keep(query: Query, answer: Any) -> None:
        desk.tell({query.token: answer})
        waiting.discard(query.token)

    def take_back(query: Query) -> None:
        with suppress(InvalidInput):  # a round has used it: what is said now is kept beside it
            desk.undo(query.token)
            waiting.add(query.token)

    try:
        with _renewing(desk, waiting):
            for some in _without_repeats(queries):
                error = collect(labeler, some, on_answer=keep, on_undo=take_back).error
                if isinstance(error, LabelerStopped):
                    return n_asked - len(waiting), False
                if error is not None:
                    raise error
    finally:
        for token in list(waiting):
            desk.release(token)
    return n_asked - len(waiting), True


def _without_repeats(queries: Sequence[Query]) -> Iterator[list[Query]]:
    """Queries in groups that name no item twice: a labeler may answer by the item's id."""
    rest = list(queries)
    while rest:
        group = list({query.id: query for query in reversed(rest)}.values())[::-1]
        yield group
        taken = {query.token for query in group}
        rest = [query for query in rest if query.token not in taken]


@contextmanager
def _renewing(desk: Desk, tokens: set[str]) -> Iterator[None]:
    """Keep these in hand while a person thinks, however long."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(desk.lease_seconds / 3):
            for token in list(tokens):
                try:
                    desk.renew(token)
                except BootstrapError:  # lost, or the store is away: telling the answer shows which
                    continue

    thread = threading.Thread(target=renew, name=f"leases of {desk.by}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
