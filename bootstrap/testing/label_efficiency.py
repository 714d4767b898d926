"""Is a strategy better than random on my data? The same seeds for all, and paired intervals.

Labels that exist are hidden and given out one batch after another, as if people were asked. It says what
would have happened on this data set; see :class:`bootstrap.testing.Comparison` for what it can't say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from bootstrap.classes import ClassList
from bootstrap.errors import InvalidInput
from bootstrap.estimators import takes_nan
from bootstrap.features import Features, check_features, n_rows
from bootstrap.learner import as_learner, members_of
from bootstrap.records import Skip
from bootstrap.strategy_call import Strategy, name_of, resolve
from bootstrap.testing.comparison import BASELINE, Comparison
from bootstrap.testing.kept_curves import KeptCurves
from bootstrap.testing.learning_curves import CurveSettings, LearningCurve, failures, learning_curve
from bootstrap.text_pipeline import text_pipeline

__all__ = ["compare_strategies", "default_estimator"]

Strategies: TypeAlias = Mapping[str, Strategy] | Sequence[str | Strategy] | str | Strategy


def compare_strategies(
    X: Any,
    y: Any,
    strategies: Strategies,
    *,
    estimator: Any = None,
    seeds: int | Iterable[int] = 10,
    first: int = 20,
    until: int = 300,
    batch_size: int = 10,
    test_share: float = 0.3,
    n_jobs: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Comparison:
    """Learning curves of several strategies on one data set whose labels are known, over seeds.

    Each seed splits the items into a pool and a test set and draws the first labels, the same for every
    strategy. Then each strategy picks batch after batch from the pool, the model is fitted anew, and its
    accuracy on the test set is measured. Random sampling is always among them: the others are compared
    with it. See :class:`Comparison` for what that says, and what it does not.

    Parameters
    ----------
    X : array, CSR, DataFrame or list of n items
        A list of texts needs no estimator; other raw items need a Pipeline. A slow transformer (an embedding
        model) would run again in every round: pass its output instead.
    y : sequence of n labels
        Strings, whole numbers or bools of two classes at least.
    strategies : str, callable, sequence of these, or mapping from names to them
        Any strategy that the loop takes. The name "random_sampling" is the baseline's and no other's.
    estimator : classifier, Pipeline, or list of classifiers, optional
        By default :func:`default_estimator`. A `random_state` that it leaves open is set by the seed.
    seeds : int or iterable of int
        How many (then 0, 1, ...), or which: whole numbers of 0 or more, each once.
    first, until, batch_size : int
        Labels to begin with, labels at the end (fewer where the pool is used up), and labels a round.
    test_share : float
        Share of the items in the test set, in (0, 1); classes have their share of it up to rounding.
    n_jobs : int, optional
        Runs at a time, as joblib counts them. Any backend of joblib does (``joblib.parallel_config``);
        the curves are the same whatever it is.
    folder : path, optional
        Finished runs are kept there at once, and a second call does only those that are missing. A run is
        known again by data, labels, estimator, settings, seed, and the strategy's name and own source (of
        a strategy of this package, the source of its modules too). Functions, modules and global variables
        that a strategy of yours uses are not looked at: where one of these changed, take another folder or
        another name, or the old curves come back.
    progress : callable, optional
        Called with (runs that are finished, runs in all) at the beginning and after each run.

    Returns
    -------
    Comparison

    Raises
    ------
    InvalidInput
        If an argument is wrong, the estimator can't learn from the first labels, or a strategy can't work
        on these items with this estimator; before any run, where that shows in the first round.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> found = compare_strategies(X[:200] / 16, y[:200], "margin", seeds=2, until=40)
    >>> found.table()[["area", "difference"]].shape
    (2, 2)
    """
    settings = CurveSettings(first=first, until=until, batch_size=batch_size, test_share=test_share)
    chosen, drawn = _named(strategies), _seeds(seeds)
    _check_jobs(n_jobs)
    X, estimator = _checked(X, estimator)
    y = _labels(y, n_rows(X))
    n_tested = settings.n_tested(len(y))

    kept = None if folder is None else KeptCurves(folder, X, y, estimator, settings, chosen)
    curves: list[LearningCurve] = []
    missing: list[tuple[str, int]] = []
    for seed in drawn:  # seed by seed: what is finished when somebody stops are pairs
        for name in chosen:
            curve = None if kept is None else kept.get(name, seed)
            if curve is None:
                missing.append((name, seed))
            else:
                curves.append(curve)

    def report() -> None:
        if progress is not None:
            progress(len(curves), len(chosen) * len(drawn))

    if missing:
        tried = {name: chosen[name] for name in dict.fromkeys(name for name, _ in missing)}
        refused = failures(X, y, tried, estimator, drawn[0], settings)
        if refused:
            raise InvalidInput("; ".join(refused))
    report()
    calls = (
        delayed(learning_curve)(X, y, chosen[name], estimator, seed, settings, name) for name, seed in missing
    )
    for curve in Parallel(n_jobs=n_jobs, return_as="generator_unordered")(calls):
        if kept is not None:
            kept.put(curve)
        curves.append(curve)
        report()
    return Comparison.of(curves, list(chosen), n_pool=len(y) - n_tested, n_tested=n_tested)


def default_estimator(X: Features) -> Any:
    """What learns where nobody says: logistic regression, for texts on TF-IDF of words and pairs of words.

    Parameters
    ----------
    X : features
        Checked.

    Returns
    -------
    classifier or Pipeline
        Unfitted. For texts that of ``bootstrap-labels run``.
    """
    from sklearn.linear_model import LogisticRegression

    if isinstance(X, list) and all(isinstance(item, str) for item in X):
        return text_pipeline()
    return LogisticRegression(max_iter=1000)


def _named(strategies: Strategies) -> dict[str, Strategy]:
    """Name -> function, the baseline last if nobody named it."""
    if isinstance(strategies, Mapping):
        pairs = [(str(name), resolve(strategy)) for name, strategy in strategies.items()]
    else:
        each: list[Any] = [strategies]
        if isinstance(strategies, Sequence) and not isinstance(strategies, str):
            each = list(strategies)
        pairs = [(name_of(strategy), resolve(strategy)) for strategy in each]
    named: dict[str, Strategy] = {}
    for name, strategy in pairs:
        if name in named:
            raise InvalidInput(
                f"two strategies are called {name!r}: pass a mapping from names to functions, with a name "
                "for each"
            )
        named[name] = strategy
    baseline = resolve(BASELINE)
    if named.setdefault(BASELINE, baseline) is not baseline:
        raise InvalidInput(
            f"{BASELINE!r} is what all others are compared with, and the strategy passed under this name is "
            "another function: give it another name, by a mapping from names to functions"
        )
    return named


def _seeds(seeds: Any) -> list[int]:
    each: list[Any] = []
    if _is_whole(seeds):
        each = list(range(seeds))
    elif isinstance(seeds, Iterable) and getattr(seeds, "ndim", 1) > 0:
        each = list(seeds)
    if not each or not all(map(_is_whole, each)) or min(each) < 0 or len(set(each)) < len(each):
        raise InvalidInput(
            "seeds must be a whole number of 1 or more (how many), or a list of different whole numbers of "
            f"0 or more (which), got {seeds!r}: pass for instance seeds=10"
        )
    return [int(seed) for seed in each]


def _is_whole(number: Any) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _check_jobs(n_jobs: Any) -> None:
    if n_jobs is not None and (not _is_whole(n_jobs) or n_jobs == 0):
        raise InvalidInput(
            f"n_jobs must be a whole number but 0, or None, got {n_jobs!r}: 1 is one run at a time, -1 one "
            "a core"
        )


def _checked(X: Any, estimator: Any) -> tuple[Features, Any]:
    """Features of one of the four kinds, and the estimator or the default for them."""
    takes_tables = estimator is None
    if estimator is None:
        X = check_features(X)
        estimator = default_estimator(X)
    else:
        X = check_features(
            X, allow_nan=all(takes_nan(m.estimator) for m in members_of(as_learner(estimator)))
        )
    shape = getattr(X, "shape", (n_rows(X), 1))
    if 0 in shape[1:]:
        raise InvalidInput(f"X of shape {shape} has no feature: pass a column at least")
    if takes_tables and len(shape) != 2:
        raise InvalidInput(
            f"X has {len(shape)} dimensions, shape {shape}, and without an estimator it must be a table: "
            "pass X.reshape(len(X), -1), or an estimator that takes such an X"
        )
    if getattr(X, "dtype", None) == np.float16:
        X = X.astype(np.float64)  # what scikit-learn would make of it in every round
    return X, estimator


def _labels(y: Any, n: int) -> NDArray[Any]:
    labels = ClassList().check_all(y.tolist() if hasattr(y, "tolist") else list(y))
    if len(labels) != n:
        raise InvalidInput(f"X has {n:,} rows and y has {len(labels):,} labels: they must match")
    if any(isinstance(label, Skip) for label in labels):
        raise InvalidInput("y holds SKIP: leave out the items that nobody could label")
    return np.array(labels)
