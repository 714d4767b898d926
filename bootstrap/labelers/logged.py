"""A log behind any labeler, so that a session can be stopped anywhere and resumed.

What the log holds is not asked again; what is new is saved at once. Which log it is does not matter
here: :class:`bootstrap.store.LabelLog` is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bootstrap.classes import plain_answer
from bootstrap.errors import InvalidInput
from bootstrap.labelers.callback import Collected, CollectingLabeler, OnAnswer, OnUndo, collect
from bootstrap.protocols import Labeler
from bootstrap.records import SKIP, Class, Query, Skip

__all__ = ["AnswerLog", "logged"]


class AnswerLog(Protocol):
    """Where :func:`logged` keeps answers; :class:`bootstrap.store.LabelLog` is one."""

    @property
    def answers(self) -> Mapping[str, Class | Skip]:
        """Item id -> the answer that stands."""
        ...

    def append(self, id: str, answer: Any, by: str | None = None, seconds: float | None = None) -> None:
        """Save one answer before returning; raise if that fails."""
        ...

    def undo(self, id: str) -> None:
        """Take the answer to an item back."""
        ...


def logged(labeler: Labeler, log: AnswerLog) -> CollectingLabeler:
    """Put a log behind a labeler: what it holds is not asked again, what is new is saved at once.

    Answers in the log are returned without asking. The rest goes to `labeler`, and each answer is
    written as it comes: as a generator yields it, as a person in the terminal presses the key. An item
    that was skipped is answered with its SKIP once; asked again after that, it goes to the labeler.
    An answer that is no label, of another type than the classes, or not in a closed list of them is
    passed on for the loop to refuse, and not written.

    Parameters
    ----------
    labeler : Labeler
        Where it has an attribute `last_seconds`, that is stored with each answer.
    log : AnswerLog

    Returns
    -------
    Labeler
        Returns a mapping id -> answer. If `labeler` raises, so does this, with the answers from the
        log among those kept.
    """
    return _Logged(labeler, log)


class _Logged(CollectingLabeler):
    """The labeler that :func:`logged` returns."""

    def __init__(self, labeler: Labeler, log: AnswerLog) -> None:
        name = getattr(labeler, "name", None)
        self.name: str | None = name if isinstance(name, str) else None
        self._labeler = labeler
        self._log = log
        self._skips_told: set[str] = set()

    def collect(
        self, queries: Sequence[Query], *, on_answer: OnAnswer | None = None, on_undo: OnUndo | None = None
    ) -> Collected:
        """Answer from the log, ask for the rest and log it; never raise."""
        answers = self._from_log(queries)
        rest = [query for query in queries if query.id not in answers]
        known = collect(lambda _: answers, [q for q in queries if q.id in answers], on_answer=on_answer)
        if known.error is not None or not rest:
            return known

        def save(query: Query, answer: Any) -> None:
            if _fits(query, answer):
                seconds = getattr(self._labeler, "last_seconds", None)
                self._log.append(_key(query), answer, by=self.name, seconds=seconds)
                self._skips_told.add(_key(query))
            if on_answer is not None:
                on_answer(query, answer)

        def take_back(query: Query) -> None:
            if _key(query) in self._log.answers:
                self._log.undo(_key(query))
            if on_undo is not None:
                on_undo(query)

        asked = collect(self._labeler, rest, on_answer=save, on_undo=take_back)
        return Collected({**answers, **asked.answers}, asked.error)

    def _from_log(self, queries: Sequence[Query]) -> dict[str, Any]:
        """Return the logged answers to these queries, a SKIP only the first time."""
        known = self._log.answers
        answers: dict[str, Any] = {}
        for query in queries:
            answer = known.get(_key(query))
            told_before = _key(query) in self._skips_told
            if _fits(query, answer) and not (answer is SKIP and told_before):
                answers[query.id] = answer
            if answer is SKIP:
                self._skips_told.add(_key(query))
        return answers


def _key(query: Query) -> str:
    """What an answer is logged under: a second opinion never passes for the first."""
    return f"{query.id} (second answer)" if query.second else query.id


def _fits(query: Query, answer: Any) -> bool:
    """Say whether `answer` is a label that the query may be answered with."""
    try:
        plain = plain_answer(answer)
    except InvalidInput:
        return False
    if isinstance(plain, Skip) or not query.classes:
        return True
    if type(plain) is not type(query.classes[0]):
        return False
    return query.open_classes or plain in query.classes
