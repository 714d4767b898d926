"""One call to any labeler, and nothing that was answered is lost.

A labeler may return a list, yield one answer after the other, return a mapping, raise halfway, or
break its contract. :func:`collect` turns all of that into one record: the answers that can be
attributed to a query, and the error, if there was one. Whether an answer is a valid class is not
decided here: the loop's `tell` does that.
"""

from __future__ import annotations

import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set, Sized
from dataclasses import dataclass
from typing import Any, TypeAlias

from bootstrap.errors import InvalidInput, LabelerError, LabelerStopped
from bootstrap.protocols import Labeler
from bootstrap.records import Query

__all__ = ["Collected", "CollectingLabeler", "OnAnswer", "OnAnswers", "OnUndo", "collect", "each"]

#: Called with a query and its raw answer, as soon as the answer is known.
OnAnswer: TypeAlias = Callable[[Query, Any], None]
#: Called with queries and raw answers that became known at the same time.
OnAnswers: TypeAlias = Callable[[list[tuple[Query, Any]]], None]
#: Called with a query whose answer was taken back.
OnUndo: TypeAlias = Callable[[Query], None]

_WHAT_TO_RETURN = (
    'Return a list with one answer for each query in order (SKIP for "can\'t tell"), '
    "or a dict {query.id: answer} for those it could answer"
)


@dataclass(frozen=True, slots=True)
class Collected:
    """What one call to a labeler brought.

    Attributes
    ----------
    answers : dict
        Query id -> answer as given (not yet checked): all of them, whatever the error carries.
    error : BaseException or None
        What ended the call early: the labeler's own exception (`LabelerStopped` and
        `KeyboardInterrupt` included), or a `LabelerError` where it broke its contract. Whoever
        collects stores the answers first and then raises it.
    """

    answers: dict[str, Any]
    error: BaseException | None = None


class CollectingLabeler(ABC):
    """A labeler that says what was answered even where it fails.

    A plain callable either returns or raises; one that derives from this class hands over answers
    and error together, reports each answer at once, and can take one back. It is a
    :class:`~bootstrap.protocols.Labeler` all the same.
    """

    @abstractmethod
    def collect(
        self, queries: Sequence[Query], *, on_answer: OnAnswer | None = None, on_undo: OnUndo | None = None
    ) -> Collected:
        """Answer `queries`; never raise.

        Parameters
        ----------
        queries : sequence of Query
        on_answer, on_undo : callable, optional
            Called for each answer as it is given, and for each that is taken back.
        """

    def __call__(self, queries: Sequence[Query], /) -> dict[str, Any]:
        """Answer `queries` with a mapping id -> answer, or raise.

        Raises
        ------
        LabelerStopped
            If the labeler wants to stop; carries all answers so far.
        BaseException
            Whatever else went wrong. The answers so far are lost to a direct caller;
            :func:`collect` keeps them.
        """
        collected = self.collect(queries)
        if isinstance(collected.error, LabelerStopped):
            raise LabelerStopped(collected.answers, collected.error.reason) from collected.error
        if collected.error is not None:
            raise collected.error
        return collected.answers


def collect(
    labeler: Labeler,
    queries: Iterable[Query],
    *,
    on_answer: OnAnswer | None = None,
    on_answers: OnAnswers | None = None,
    on_undo: OnUndo | None = None,
) -> Collected:
    """Call `labeler` once and keep whatever it answered, however the call ends. Never raises.

    Parameters
    ----------
    labeler : Labeler
        May return a list, tuple, array or pandas Series in the order of the queries; an iterator or
        generator (what it yielded before an exception or before it ended early is kept); a mapping
        id -> answer, or a Series indexed by id; or raise. From a list of the wrong length nothing
        can be attributed, and nothing is kept.
    queries : iterable of Query
    on_answer : callable, optional
        Called with each query and answer as soon as the answer is known: for a generator, as it is
        yielded. If it raises, the call ends; the answer itself is kept.
    on_answers : callable, optional
        Called with a list of pairs of query and answer that became known at the same time: all of a list,
        one at a time of a generator.
    on_undo : callable, optional
        Called with each query whose answer is taken back; only a :class:`CollectingLabeler` can.

    Returns
    -------
    Collected

    Examples
    --------
    >>> from bootstrap.records import SKIP
    >>> queries = [Query("a", "some text", "t1"), Query("b", "more text", "t2")]
    >>> collect(lambda queries: ["spam", SKIP], queries)
    Collected(answers={'a': 'spam', 'b': SKIP}, error=None)
    >>> collect(lambda queries: ["spam"], queries).answers
    {}
    """
    asked = list(queries)
    if isinstance(labeler, CollectingLabeler):
        return labeler.collect(asked, on_answer=_both(on_answer, on_answers), on_undo=on_undo)
    answers = _Answers(labeler, asked, on_answer, on_answers)
    try:
        try:
            answers.read(labeler(asked))
        except LabelerStopped as stop:
            answers.keep_mapping(stop.answers)
            raise
    except BaseException as error:  # Ctrl-C too: whoever collects raises it after storing the answers
        return Collected(answers.by_id, error)
    return Collected(answers.by_id)


class _Answers:
    """The answers of one call, kept as they come; a breach of contract raises `LabelerError`."""

    def __init__(
        self,
        labeler: Labeler,
        queries: list[Query],
        on_answer: OnAnswer | None,
        on_answers: OnAnswers | None,
    ) -> None:
        name = getattr(labeler, "name", None)
        self.by_id: dict[str, Any] = {}
        self._who = f"Labeler {name!r}" if isinstance(name, str) else "The labeler"
        self._queries = queries
        self._asked = _number(len(queries), "query", "queries")
        self._query_of = {query.id: query for query in queries}
        self._on_answer = on_answer
        self._on_answers = on_answers

    def read(self, returned: Any) -> None:
        """Attribute what the labeler returned to the queries."""
        if isinstance(returned, Mapping):
            self.keep_mapping(returned)
        elif hasattr(returned, "iloc") and getattr(returned, "ndim", 0) == 1:
            self._keep_series(returned)
        else:
            self._keep_in_order(self._checked_iterable(returned))

    def keep_mapping(self, mapping: Mapping[Any, Any]) -> None:
        """Keep answers given by query id; those to anything not asked are a breach."""
        self._keep_all([(self._query_of[key], mapping[key]) for key in mapping if key in self._query_of])
        unknown = [key for key in mapping if key not in self._query_of]
        if unknown:
            some = ", ".join(reprlib.repr(key) for key in unknown[:3]) + (", ..." if len(unknown) > 3 else "")
            raise LabelerError(
                f"{self._who} answered {_number(len(unknown), 'id that was', 'ids that were')} not asked "
                f"({some}). For {self._asked}, {len(self.by_id):,} answered by id kept. "
                "The keys of the mapping must be the `id` of the queries it was given."
            )

    def _keep_series(self, series: Any) -> None:
        """Read a pandas Series by its index where that holds query ids, else in order."""
        ids = list(series.index)
        if not any(key in self._query_of for key in ids):
            self._keep_in_order(series)
            return
        if len(set(ids)) < len(ids):
            raise LabelerError(
                f"{self._who} returned a Series whose index repeats ids, so its answers contradict each "
                "other or say the same twice; none was kept. Return one row for each query."
            )
        self.keep_mapping(dict(zip(ids, series, strict=True)))

    def _checked_iterable(self, returned: Any) -> Iterable[Any]:
        """Refuse whatever can't be one answer for each query in order."""
        if returned is None:
            raise LabelerError(
                f"{self._who} returned None for {self._asked}. {_WHAT_TO_RETURN}; is a `return` missing?"
            )
        n_dimensions = getattr(returned, "ndim", 1)
        if isinstance(returned, str | bytes) or n_dimensions == 0 or not isinstance(returned, Iterable):
            raise LabelerError(
                f"{self._who} returned a single value ({reprlib.repr(returned)}, "
                f"{type(returned).__name__}) for {self._asked}. {_WHAT_TO_RETURN}; "
                "a function that answers one query at a time becomes a labeler with each(function)."
            )
        if n_dimensions > 1:
            raise LabelerError(
                f"{self._who} returned a {type(returned).__name__} of {n_dimensions} dimensions for "
                f"{self._asked}. {_WHAT_TO_RETURN}: one dimension, for instance by .ravel(), or one column."
            )
        if isinstance(returned, Set):
            raise LabelerError(
                f"{self._who} returned a {type(returned).__name__} for {self._asked}; a set has no order, "
                f"so no answer can be attributed. {_WHAT_TO_RETURN}."
            )
        return returned

    def _keep_in_order(self, returned: Iterable[Any]) -> None:
        """Keep the i-th answer for the i-th query."""
        if not isinstance(returned, Sized):
            self._keep_yielded(iter(returned))
            return
        if len(returned) != len(self._queries):
            raise LabelerError(
                f"{self._who} returned {_number(len(returned), 'answer')} for {self._asked}; "
                f"which is whose can't be told, so none was kept. {_WHAT_TO_RETURN}."
            )
        in_hand: list[tuple[Query, Any]] = []
        answers = iter(returned)
        try:
            for query in self._queries:
                in_hand.append((query, next(answers)))  # noqa: PERF401  a lazy sequence may raise halfway
        finally:
            self._keep_all(in_hand)

    def _keep_yielded(self, iterator: Iterator[Any]) -> None:
        """Keep each answer as it is yielded."""
        for n_yielded, query in enumerate(self._queries):
            try:
                answer = next(iterator)
            except StopIteration:
                raise LabelerError(
                    f"{self._who} yielded {_number(n_yielded, 'answer')} for {self._asked} and ended; what "
                    'it yielded was kept. Yield one answer for each query (SKIP for "can\'t tell"), or '
                    "raise LabelerStopped to end the run."
                ) from None
            self._keep_all([(query, answer)])
        surplus = object()
        if next(iterator, surplus) is not surplus:
            raise LabelerError(
                f"{self._who} yielded more than one answer for each of {self._asked}; the first "
                f"{len(self._queries)} were kept as the answers in order. Check that they belong "
                "together, and yield exactly once for each query."
            )

    def _keep_all(self, pairs: list[tuple[Query, Any]]) -> None:
        """Keep answers in hand, all of them before the first callback, which may raise."""
        new = [(query, answer) for query, answer in pairs if query.id not in self.by_id]
        self.by_id.update((query.id, answer) for query, answer in new)
        if self._on_answers is not None and new:
            self._on_answers(new)
        if self._on_answer is not None:
            for query, answer in new:
                self._on_answer(query, answer)


def _both(on_answer: OnAnswer | None, on_answers: OnAnswers | None) -> OnAnswer | None:
    """One callback for a labeler that tells its answers one by one."""
    if on_answers is None:
        return on_answer

    def tell(query: Query, answer: Any) -> None:
        on_answers([(query, answer)])
        if on_answer is not None:
            on_answer(query, answer)

    return tell


class _Each:
    """The labeler that :func:`each` returns."""

    def __init__(self, ask_one: Callable[[Query], Any], name: str | None) -> None:
        self.name = name
        self._ask_one = ask_one

    def __call__(self, queries: Sequence[Query], /) -> Iterator[Any]:
        for query in queries:
            yield self._ask_one(query)

    def __repr__(self) -> str:
        return f"each({self._ask_one!r})"


def each(ask_one: Callable[[Query], Any], *, name: str | None = None) -> Labeler:
    """Turn a function that answers one query into a labeler that loses nothing when it raises.

    Parameters
    ----------
    ask_one : callable
        Query -> class or SKIP.
    name : str, optional
        Stored as who answered; by default the function's own name.

    Returns
    -------
    Labeler
        Yields one answer after the other, so that all before an exception or Ctrl-C are kept.

    Raises
    ------
    InvalidInput
        If `ask_one` is not callable.

    Examples
    --------
    >>> labeler = each(lambda query: "long" if len(query.item) > 20 else "short", name="by length")
    >>> list(labeler([Query("a", "a few words", "t1")]))
    ['short']
    """
    if not callable(ask_one):
        raise InvalidInput(
            f"each() got {reprlib.repr(ask_one)}, which can't be called. "
            "Pass a function that takes one Query and returns its class or SKIP."
        )
    own = getattr(ask_one, "name", None) or getattr(ask_one, "__name__", None)
    if name is None and isinstance(own, str) and own != "<lambda>":
        name = own
    return _Each(ask_one, name)


def _number(n: int, noun: str, plural: str | None = None) -> str:
    """Say "1 query" or "2 queries"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
