"""A person made of known answers, for demos, tests and planning: with errors, skips, time and cost.

What it answers to an item depends on (random_state, the item's id) alone, by a keyed hash: the same
item gets the same answer in any order, batch or process, as a person with an opinion would give it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from bootstrap.classes import plain_answer
from bootstrap.errors import InvalidInput, LabelerError
from bootstrap.measuring.draw import new_key, uniform_draw
from bootstrap.records import SKIP, Class, Query, Skip

__all__ = ["SimulatedLabeler"]

_Row: TypeAlias = list[tuple[Class | Skip, float]]


class SimulatedLabeler:
    """Answer queries from known labels, with errors and skips drawn per item.

    Parameters
    ----------
    truth : mapping, callable or sequence
        Item id -> label; or Query -> label; or labels aligned with `items`. A truth of SKIP is
        always skipped.
    items : array, CSR, DataFrame or list, optional
        What the labels of a sequence belong to, row by row; each is keyed by its content, as the pool
        keys it. Where equal items carry different labels the first counts (see `n_contradictions`).
    error_rate : float
        Share of answers in [0, 1) that are a wrong class, uniform among the others.
    confusion : mapping, optional
        True class -> {answer: probability}; each row sums to 1. An answer may be SKIP. A class
        without a row is answered correctly. Instead of `error_rate`.
    skip_rate : float
        Share of items in [0, 1] that are answered with SKIP, whatever their class.
    seconds_per_label, cost_per_label : float
        Time and money for each query looked at, skipped ones too: counted, never waited for.
    classes : sequence, optional
        All classes; by default those in `truth` and `confusion`. Needed where `truth` is callable and
        `error_rate` is above 0.
    name : str
        Stored as who answered.
    random_state : int or None
        Seeds the errors and skips. Two labelers with one seed make the same mistakes: give each
        member of a panel its own.

    Attributes
    ----------
    n_answered, n_skipped, n_wrong : int
        Queries answered with a class, with SKIP, and with a class that is not the truth.
    seconds, cost : float
        Time and money so far.
    n_contradictions : int
        Rows of `items` that repeat an earlier one and carry another label.

    Raises
    ------
    InvalidInput
        If an argument is wrong.

    Examples
    --------
    >>> person = SimulatedLabeler({"a": "spam", "b": "ham"}, seconds_per_label=4.0, random_state=0)
    >>> person([Query("b", "some text", "t1")]), person.seconds
    (['ham'], 4.0)
    """

    def __init__(
        self,
        truth: Mapping[Any, Any] | Callable[[Query], Any] | Sequence[Any] | Any,
        items: Any = None,
        *,
        error_rate: float = 0.0,
        confusion: Mapping[Any, Mapping[Any, float]] | None = None,
        skip_rate: float = 0.0,
        seconds_per_label: float = 0.0,
        cost_per_label: float = 0.0,
        classes: Iterable[Any] | None = None,
        name: str = "simulated",
        random_state: int | None = None,
    ) -> None:
        self.error_rate = _number_in("error_rate", error_rate, high=1.0, open_end=True)
        self.skip_rate = _number_in("skip_rate", skip_rate, high=1.0)
        self.seconds_per_label = _number_in("seconds_per_label", seconds_per_label)
        self.cost_per_label = _number_in("cost_per_label", cost_per_label)
        if not isinstance(name, str):
            raise InvalidInput(f"name is {name!r}. Pass a string: it is stored as who answered.")
        self.name = name
        self.n_answered = self.n_skipped = self.n_wrong = 0
        self.n_contradictions = 0
        self._key = new_key(random_state)
        self._ask: Callable[[Query], Any] | None = None
        self._truth: dict[str, Class | Skip] = {}
        self._read_truth(truth, items)
        self._confusion = _checked_confusion(confusion)
        self.classes = self._checked_classes(classes)
        if self.error_rate > 0 and self._confusion:
            raise InvalidInput(
                f"Both error_rate={self.error_rate:g} and confusion are given. "
                "Pass one: the confusion rows already say how often each class is answered wrongly."
            )
        if self.error_rate > 0 and len(self.classes) < 2:
            raise InvalidInput(
                f"error_rate={self.error_rate:g} needs a wrong class to answer with, but the known classes "
                f"are {list(self.classes)}. Pass classes=[...] with at least two."
            )

    @property
    def seconds(self) -> float:
        """Time spent so far, in seconds, on answered and skipped queries."""
        return self.seconds_per_label * (self.n_answered + self.n_skipped)

    @property
    def cost(self) -> float:
        """Money spent so far, in the unit of `cost_per_label`, on answered and skipped queries."""
        return self.cost_per_label * (self.n_answered + self.n_skipped)

    def __call__(self, queries: Sequence[Query], /) -> list[Class | Skip]:
        """Answer every query, in order.

        Raises
        ------
        LabelerError
            If there is no truth for an item; nothing is counted then.
        """
        truths = self._truths(queries)
        answers = [self._answer(query.id, truth) for query, truth in zip(queries, truths, strict=True)]
        n_skipped = sum(answer is SKIP for answer in answers)
        self.n_skipped += n_skipped
        self.n_answered += len(answers) - n_skipped
        self.n_wrong += sum(
            answer is not SKIP and answer != truth for answer, truth in zip(answers, truths, strict=True)
        )
        return answers

    def _truths(self, queries: Sequence[Query]) -> list[Class | Skip]:
        """Look up the truth for every query."""
        if self._ask is not None:
            return [plain_answer(self._ask(query)) for query in queries]
        missing = [query.id for query in queries if query.id not in self._truth]
        if missing:
            raise LabelerError(
                f"Labeler {self.name!r} knows no truth for {len(missing)} of {len(queries)} queries, "
                f"the first with id {missing[0]!r}; it knows {len(self._truth):,} items. Key `truth` by the "
                "ids of the queries, or pass the labels with the same `items` that went into the pool."
            )
        return [self._truth[query.id] for query in queries]

    def _answer(self, item_id: str, truth: Class | Skip) -> Class | Skip:
        """Draw the answer to one item."""
        if truth is SKIP or uniform_draw(self._key, item_id, "person skips") < self.skip_rate:
            return SKIP
        draw = uniform_draw(self._key, item_id, "person errs")
        if truth in self._confusion:
            return _pick(self._confusion[truth], draw)
        if draw < self.error_rate:
            others = [label for label in self.classes if label != truth]
            return others[int(uniform_draw(self._key, item_id, "wrong class") * len(others))]
        return truth

    def _read_truth(self, truth: Any, items: Any) -> None:
        """Fill `_ask` or `_truth` from what was given."""
        if callable(truth) or isinstance(truth, Mapping):
            if items is not None:
                raise InvalidInput(
                    "items are given, but truth is no sequence. "
                    "Pass items only with a list of labels aligned with them."
                )
            if isinstance(truth, Mapping):
                self._truth = {str(key): _label(label, f"id {key!r}") for key, label in truth.items()}
            else:
                self._ask = truth
            return
        if isinstance(truth, str | bytes) or not hasattr(truth, "__iter__"):
            raise InvalidInput(
                f"truth is {truth!r}. Pass a dict id -> label, a function query -> label, "
                "or a list of labels with items=."
            )
        if items is None:
            raise InvalidInput(
                f"truth is a {type(truth).__name__} of labels, but nothing says which items they belong to. "
                "Pass items= (the same rows in the same order), or a dict id -> label."
            )
        self._read_aligned([_label(label, f"row {row}") for row, label in enumerate(truth)], items)

    def _read_aligned(self, labels: list[Class | Skip], items: Any) -> None:
        """Key each label by the content of its item."""
        from bootstrap.content import content_id
        from bootstrap.features import rows_as_items

        ids = [content_id(item) for item in rows_as_items(items)]
        if len(ids) != len(labels):
            raise InvalidInput(
                f"truth has {len(labels):,} labels for {len(ids):,} items. "
                "Pass one label for each item, in the same order."
            )
        for item_id, label in zip(ids, labels, strict=True):
            if self._truth.setdefault(item_id, label) != label:
                self.n_contradictions += 1

    def _checked_classes(self, given: Iterable[Any] | None) -> tuple[Class, ...]:
        """All classes: those given, or those that occur."""
        occurring = {label for label in self._truth.values() if not isinstance(label, Skip)}
        if given is None:
            occurring.update(label for label in self._confusion if not isinstance(label, Skip))
            for row in self._confusion.values():
                occurring.update(answer for answer, _ in row if not isinstance(answer, Skip))
            return tuple(sorted(occurring, key=lambda label: (type(label).__name__, label)))
        if isinstance(given, str):
            raise InvalidInput(f"classes is the string {given!r}. Pass a list of classes.")
        classes = [_label(label, "classes") for label in given]
        known = tuple(label for label in classes if not isinstance(label, Skip))
        named = {answer for row in self._confusion.values() for answer, _ in row} | set(self._confusion)
        unknown = (occurring | named) - {SKIP, *known}
        if unknown:
            some = ", ".join(sorted(map(repr, unknown))[:5])
            raise InvalidInput(
                f"truth or confusion names {some}, not among classes={list(known)}. "
                "Add it to classes, or correct the spelling."
            )
        return known


def _label(label: Any, where: str) -> Class | Skip:
    """Return a label as plain type, or say where the wrong one is."""
    try:
        return plain_answer(label)
    except InvalidInput as error:
        raise InvalidInput(f"The truth at {where} is no label: {error}") from None


def _number_in(name: str, value: Any, high: float = math.inf, *, open_end: bool = False) -> float:
    """Check a finite number in [0, high], or [0, high) where the end is open."""
    in_range = (
        isinstance(value, int | float | np.number)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and 0 <= value <= high
        and not (open_end and value == high)
    )
    if not in_range:
        end = "" if math.isinf(high) else f" and {'below' if open_end else 'at most'} {high:g}"
        raise InvalidInput(f"{name} is {value!r}. Pass a number of at least 0{end}.")
    return float(value)


def _checked_confusion(confusion: Any) -> dict[Class | Skip, _Row]:
    """Turn each row of `confusion` into answers with their probabilities."""
    if confusion is None:
        return {}
    if not isinstance(confusion, Mapping) or not all(isinstance(row, Mapping) for row in confusion.values()):
        raise InvalidInput(
            "confusion must be a dict true class -> {answer: probability}, "
            f"for instance {{'spam': {{'spam': 0.9, 'ham': 0.1}}}}; got a {type(confusion).__name__}."
        )
    rows: dict[Class | Skip, _Row] = {}
    for true_class, row in confusion.items():
        where = f"confusion[{true_class!r}]"
        probabilities = [_number_in(f"{where}[{answer!r}]", p, high=1.0) for answer, p in row.items()]
        if not math.isclose(sum(probabilities), 1.0, abs_tol=1e-6):
            raise InvalidInput(
                f"{where} sums to {sum(probabilities):.6g}, not 1. Give a probability for each answer, "
                "the right one included."
            )
        answers = [_label(answer, where) for answer in row]
        rows[_label(true_class, "confusion")] = list(zip(answers, probabilities, strict=True))
    return rows


def _pick(row: _Row, draw: float) -> Class | Skip:
    """Take the answer whose stretch of [0, 1) holds `draw`."""
    possible = [(answer, probability) for answer, probability in row if probability > 0]
    reached = 0.0
    for answer, probability in possible:
        reached += probability
        if draw < reached:
            return answer
    return possible[-1][0]  # the row summed to a hair below 1
