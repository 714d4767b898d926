"""What a check is given: the strategy, small data, fitted learners; and how it says what it found."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "N_ITEMS",
    "Answer",
    "Case",
    "Check",
    "Finding",
    "Kind",
    "StrategyCheckFailed",
    "expect_items",
    "expect_same",
    "labeled_rows",
    "labels",
    "pool",
    "promise",
    "table",
    "texts",
    "wide_rows",
]

#: Items in the pool that most checks use.
N_ITEMS: Final = 90
_N_LABELED, _N_MEMBERS, _COLUMNS = 48, 4, ("a", "b", "c")

_WORDS: Final = (
    "pear",
    "plum",
    "fig",
    "date",
    "rain",
    "snow",
    "hail",
    "wind",
    "iron",
    "zinc",
    "lead",
    "gold",
)

#: (indices, utilities) as arrays.
Answer: TypeAlias = tuple[NDArray[Any], NDArray[Any]]

#: Learners to ask with: what they are made of, or what they were fitted on.
Kind: TypeAlias = Literal[
    "logistic",
    "decisions only",
    "certain",
    "constant",
    "one class",
    "named classes",
    "table",
    "texts",
    "wide",
]


class StrategyCheckFailed(AssertionError):
    """A strategy broke its contract.

    Parameters
    ----------
    strategy : str
        Its name.
    failures : mapping
        Name of each check that failed -> what must hold, what was found and what to do.
    """

    def __init__(self, strategy: str, failures: Mapping[str, str]) -> None:
        self.strategy, self.failures = strategy, dict(failures)
        lines = [f"[{check}] {what}" for check, what in self.failures.items()]
        super().__init__("\n".join([f"{strategy} breaks the contract of a strategy:", *lines]))

    def __reduce__(self) -> tuple[Any, ...]:  # an exception is pickled by its message otherwise
        return type(self), (self.strategy, self.failures)


class Finding(AssertionError):
    """What a check found, and what to do about it; `strategy_checks` adds which check and strategy."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"Found: {found}. {remedy}.")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, and for which strategies.

    Attributes
    ----------
    function : callable
        Gets a :class:`Case`; raises :class:`Finding`. Its docstring's first sentence is the promise.
    applies : callable
        Whether the check is for this case.
    """

    function: Callable[[Case], None]
    applies: Callable[[Case], bool] = lambda case: True

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__


def promise(check: Check) -> str:
    """What must hold, in one sentence; empty where Python was told to drop docstrings (-OO)."""
    return (inspect.getdoc(check.function) or "").partition("\n\n")[0].replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Case:
    """A strategy and what its author says about it; see `strategy_checks` for the fields."""

    strategy: Callable[..., Any]
    committee: bool = False
    chance: bool = False
    in_turn: bool = False
    takes_nan: bool = False
    needs_labels: bool = False

    def call(self, learner: Any, X: Any, *count: Any, **options: Any) -> Any:
        """What the strategy returns; one that needs labels is given them if `options` don't say."""
        if self.needs_labels and "labeled" not in options:
            options["labeled"] = _labeled_like(X)
        return self.strategy(learner, X, *count, **options)

    def ask(self, learner: Any, X: Any, n_instances: int = 1, **options: Any) -> Answer:
        """What the strategy picks, if that is a pair."""
        answer = self.call(learner, X, n_instances, **options)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise Finding(
                f"a {type(answer).__name__} where two things were to be returned",
                "Return a pair (indices, utilities)",
            )
        return np.asarray(answer[0]), np.asarray(answer[1])

    def learner(self, kind: Kind = "logistic") -> Any:
        """A fitted model, nobody else's; a list of four for a committee's strategy."""
        return copy.deepcopy(_fitted(kind, self.committee))

    def takes(self, option: str) -> bool:
        """Whether the strategy names that parameter."""
        return option in inspect.signature(self.strategy).parameters


def pool(n: int = N_ITEMS) -> NDArray[np.float64]:
    """Features (n, 3) of items around three overlapping centres; a fresh array."""
    return _items(n, seed=1)[0]


def labeled_rows() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """(X, y) of what the learners were fitted on, of classes 0, 1, 2; fresh arrays."""
    return _items(_N_LABELED, seed=2)


def labels(kind: Kind) -> NDArray[Any]:
    """The labels that this kind of learner was fitted on."""
    y = labeled_rows()[1]
    if kind == "one class":
        return np.zeros_like(y)
    if kind == "wide":  # three classes, in a row, so that each member of a committee sees them all
        return np.repeat(np.arange(3), _N_LABELED // 3)
    return np.array(["no", "perhaps", "yes"])[y] if kind == "named classes" else y


def wide_rows(n: int, seed: int) -> NDArray[np.float64]:
    """Features (n, 64), many enough that the order of a sum over them shows in its last digits."""
    return np.random.default_rng(seed).normal(size=(n, 64))


def table(X: NDArray[np.float64]) -> Any:
    """As a DataFrame, whose index counts backwards so that labels are not positions."""
    import pandas as pd

    return pd.DataFrame(X, columns=list(_COLUMNS), index=range(len(X) + 7, 7, -1))


def texts(n: int, seed: int = 0) -> list[str]:
    """Texts of six words each, of a small vocabulary; a class (i % 3) has words that it prefers."""
    rng = np.random.default_rng(seed)
    words = np.array(_WORDS)
    preferred = [np.r_[np.full(4, 4 * (i % 3)) + np.arange(4), np.arange(len(words))] for i in range(n)]
    return [" ".join(words[rng.choice(some, 6)]) for some in preferred]


def expect_items(answer: Answer, count: int, n: int, what: str) -> None:
    """Refuse anything but `count` distinct positions among `n`, with a finite utility each."""
    indices, utilities = answer
    if indices.shape != (count,) or utilities.shape != (count,):
        raise Finding(
            f"{count} items were to be picked from {what} and it returned indices of shape "
            f"{indices.shape} with utilities of shape {utilities.shape}",
            "Return min(n_instances, items in X) of each",
        )
    picked = indices.tolist()
    if len(set(picked)) < count or not set(picked) <= set(range(n)):
        raise Finding(
            f"from {what} it picked {picked[:20]}, which are not {count} distinct positions in 0..{n - 1}",
            "Take each item once, even where items are equal",
        )
    if not np.isfinite(utilities).all():
        raise Finding(
            f"for {what} a utility is {utilities[~np.isfinite(utilities)][0]}",
            "Give a finite utility also where nothing tells the items apart: 0 will do",
        )


def expect_same(one: Answer, other: Answer, what: str, remedy: str) -> None:
    """Refuse answers whose picks differ, or whose utilities differ by more than rounding."""
    if not np.array_equal(one[0], other[0]):
        raise Finding(f"{what} gave the picks {one[0].tolist()} and {other[0].tolist()}", remedy)
    if not np.allclose(one[1], other[1], rtol=1e-5, atol=1e-7):
        raise Finding(f"{what} gave the utilities {one[1].tolist()} and {other[1].tolist()}", remedy)


def _items(n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    y = np.arange(n) % 3
    centres = np.array([[0.0, 0.0, 2.0], [3.0, 0.0, -1.0], [0.0, 3.0, 0.0]])
    return centres[y] + 1.5 * np.random.default_rng(seed).normal(size=(n, 3)), y


@lru_cache(maxsize=32)
def _fitted(kind: Kind, committee: bool) -> Any:
    X = _training_items(kind)
    y = labels(kind)
    if not committee:
        return _model(kind).fit(X, y)
    shares = [range(start, _N_LABELED, _N_MEMBERS) for start in range(_N_MEMBERS)]
    return [
        _model(kind).fit(X.iloc[list(s)] if kind == "table" else [X[i] for i in s], y[list(s)])
        for s in shares
    ]


def _labeled_like(X: Any) -> tuple[Any, NDArray[np.intp]]:
    """What is labeled, in the form of this pool: texts, a table, CSR or an array."""
    known, y = labeled_rows()
    if isinstance(X, list) or (isinstance(X, np.ndarray) and X.dtype == object):
        return texts(len(y), seed=3), y
    if isinstance(X, np.ndarray):
        return known, y
    return (table(known) if hasattr(X, "iloc") else type(X)(known)), y


def _training_items(kind: Kind) -> Any:
    if kind == "texts":
        return texts(_N_LABELED, seed=3)
    if kind == "wide":
        return wide_rows(_N_LABELED, seed=4)
    X = labeled_rows()[0]
    return table(X) if kind == "table" else X


def _model(kind: Kind) -> Any:
    from sklearn.dummy import DummyClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.tree import DecisionTreeClassifier

    if kind == "decisions only":
        return RidgeClassifier()
    if kind == "certain":
        return DecisionTreeClassifier(random_state=0)
    if kind in ("constant", "one class"):
        return DummyClassifier(strategy="prior")
    if kind == "texts":
        return make_pipeline(TfidfVectorizer(), LogisticRegression())
    return LogisticRegression()
