"""One classifier as a modAL `ActiveLearner`, and what a committee shares with it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
from modAL.models import ActiveLearner
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from bootstrap.classes import ClassList
from bootstrap.errors import InvalidInput, NotReady
from bootstrap.estimators import check_estimator, class_scores, takes_nan
from bootstrap.features import Features, check_features, n_rows, stack, take
from bootstrap.records import SKIP

__all__ = ["FEW_LABELS", "NOT_FITTED", "Learner", "Remembered", "query_once", "shown"]

#: How scikit-learn begins its warning about few labels of many classes.
FEW_LABELS = "The number of unique classes"
NOT_FITTED = "the learner is not fitted yet: teach it labels of at least two classes first"


class Remembered:
    """One slot: the output for one `X`, found again by identity, never by comparing values."""

    def __init__(self) -> None:
        self._X: Any = None
        self._value: NDArray[np.float64] | None = None

    def put(self, X: Features, value: NDArray[np.float64]) -> None:
        """Forget the other one."""
        self._X, self._value = X, value

    def get(self, X: Features) -> NDArray[np.float64] | None:
        """The output for this very object, or None."""
        return self._value if X is self._X else None


class Learner(ActiveLearner):  # type: ignore[misc]  # modAL has no types
    """A modAL `ActiveLearner` around any scikit-learn classifier or Pipeline.

    Parameters
    ----------
    estimator : classifier
        Cloned on every fit. Needs `predict_proba` or `decision_function`.
    query_strategy : callable, optional
        For `query`; modAL's uncertainty sampling by default.
    X_training, y_training : features and labels, optional
        Fitted at once if given.
    classes : sequence, optional
        All classes in the order of the probability columns. A class that no label has yet gets
        probability 0. By default the sorted classes of the labels.

    Attributes
    ----------
    estimator : classifier
        After `fit`: the fitted clone. It speaks codes (0 … K-1); use `predict` for labels.
    classes_ : ndarray of shape (K,)
        Labels in the order of the probability columns; there after `fit`.
    """

    def __init__(
        self,
        estimator: Any,
        query_strategy: Any = None,
        X_training: Features | None = None,
        y_training: Any = None,
        *,
        classes: Sequence[Any] | None = None,
    ) -> None:
        check_estimator(estimator)
        self.classes = classes
        self._scores = Remembered()
        options = {} if query_strategy is None else {"query_strategy": query_strategy}
        self.estimator: Any
        self.X_training: Features | None
        self.y_training: Any
        super().__init__(estimator, **options)
        self.X_training = X_training
        self.y_training = y_training
        if X_training is not None:
            self.fit(X_training, y_training)

    # fitting

    def fit(self, X: Features, y: ArrayLike, bootstrap: bool = False, **fit_kwargs: Any) -> Learner:
        """Forget all labels so far and learn these; `y` holds labels, not codes.

        `bootstrap=True` (modAL's name) fits on rows drawn with replacement.

        Raises
        ------
        InvalidInput
            If lengths differ, only one class is there, labels are of different kinds, or one is not among
            `classes`.
        """
        X = check_features(X, allow_nan=takes_nan(self.estimator))
        y = _as_labels(y)
        if n_rows(X) != len(y):
            raise InvalidInput(f"X has {n_rows(X)} rows and y has {len(y)} labels: they must match")
        classes, codes = _encode(y, self.classes)
        self.learn_codes(X, codes, classes, bootstrap, **fit_kwargs)
        return self

    def teach(
        self, X: Features, y: ArrayLike, bootstrap: bool = False, only_new: bool = False, **fit_kwargs: Any
    ) -> None:
        """Add labels and refit; with `only_new`, learn these alone and keep the others stored."""
        X = check_features(X, allow_nan=takes_nan(self.estimator))
        y = _as_labels(y, self.y_training)
        if self.X_training is None or only_new:
            known = (self.X_training, self.y_training)
            self.fit(X, y, bootstrap, **fit_kwargs)
            if known[0] is not None:
                self.X_training, self.y_training = known
            return
        self.fit(stack(self.X_training, X), np.concatenate([self.y_training, y]), bootstrap, **fit_kwargs)

    def learn_codes(
        self,
        X: Features,
        codes: NDArray[np.intp],
        classes: NDArray[Any],
        bootstrap: bool = False,
        unfitted: Any = None,
        **fit_kwargs: Any,
    ) -> None:
        """:meth:`fit` for rows that were checked and labels that were encoded when they came.

        Parameters
        ----------
        X : features of n items
        codes : ndarray of shape (n,)
            Positions in `classes`.
        classes : ndarray of shape (K,)
            In the order of the probability columns.
        unfitted : classifier, optional
            Fitted itself, instead of a clone of `estimator`.
        """
        if (codes == codes[:1]).all():
            found = f"all {len(codes)} labels are {classes[codes[0]].item()!r}" if len(codes) else "no labels"
            raise InvalidInput(f"{found}: a classifier needs two classes; label items of another one")
        rows_X, rows_codes = X, codes
        if bootstrap:
            drawn = _drawn_with_replacement(codes)
            rows_X, rows_codes = take(X, drawn), codes[drawn]
        model = clone(self.estimator) if unfitted is None else unfitted
        if 2 * len(classes) <= len(codes):
            model.fit(rows_X, rows_codes, **fit_kwargs)
        else:
            with warnings.catch_warnings():  # few labels of many classes: scikit-learn suspects a regression
                warnings.filterwarnings("ignore", FEW_LABELS, UserWarning)
                model.fit(rows_X, rows_codes, **fit_kwargs)
        self.estimator, self.classes_ = model, classes
        self.X_training, self.y_training = X, classes[codes]
        self._scores = Remembered()

    def _fit_to_known(self, bootstrap: bool = False, **fit_kwargs: Any) -> Learner:
        """What modAL's `Committee.rebag` calls."""
        return self.fit(self.X_training, self.y_training, bootstrap, **fit_kwargs)

    def __sklearn_clone__(self) -> Learner:
        """Not fitted, and without labels."""
        return type(self)(clone(self.estimator), self.query_strategy, classes=self.classes)

    @property
    def is_fitted(self) -> bool:
        """Whether it can predict."""
        return hasattr(self, "classes_")

    # predicting

    def predict_proba(self, X: Features, **kwargs: Any) -> NDArray[np.float64]:
        """Probabilities of shape (n, K) in the order of `classes_`.

        For an estimator with only `decision_function` these are squashed decision values (logistic
        or softmax): good for ranking, not calibrated.
        """
        self._check_fitted()
        known = self._scores.get(X)
        if known is not None and not kwargs:
            return known
        scores = class_scores(self.estimator, X, **kwargs)
        if scores.shape[1] == len(self.classes_):
            return scores
        full = np.zeros((scores.shape[0], len(self.classes_)))
        full[:, self.estimator.classes_] = scores
        return full

    def predict(self, X: Features, **kwargs: Any) -> NDArray[Any]:
        """Labels of shape (n,): the class with the largest probability."""
        codes = self.predict_proba(X, **kwargs).argmax(axis=1)
        return np.asarray(self.classes_[codes])

    def scores(self, X: Features) -> NDArray[np.float64]:
        """What is computed once a round and then shared: here `predict_proba`."""
        return self.predict_proba(X)

    def remember(self, X: Features, scores: NDArray[np.float64]) -> None:
        """Answer later calls for this very object `X` with these `scores`."""
        self._scores.put(X, scores)

    def without_data(self) -> Learner:
        """The fitted model alone: no training data, nothing remembered."""
        other = copy(self)
        other.X_training = other.y_training = None
        other._scores = Remembered()
        return other

    @staticmethod
    def proba(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Class probabilities (n, K) from `scores`."""
        return scores

    def query(
        self, X_pool: Features, *args: Any, return_metrics: bool = False, **kwargs: Any
    ) -> tuple[Any, ...]:
        """modAL's `query`, with the strategy called exactly once."""
        return query_once(self, X_pool, *args, return_metrics=return_metrics, **kwargs)

    def score(self, X: Features, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Share of `X` predicted as `y`."""
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
        return float(np.average(self.predict(X) == np.asarray(y), weights=weights))

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise NotReady(NOT_FITTED)

    def __repr__(self) -> str:
        return shown(self, repr(self.estimator))


def _as_labels(y: Any, known: NDArray[Any] | None = None) -> NDArray[Any]:
    """Labels of shape (n,), all of one kind (that of the `known`); numpy makes strings of `["a", 1]`."""
    labels = np.asarray(y, dtype=object if isinstance(y, list | tuple) else None)
    if labels.ndim != 1:
        raise InvalidInput(f"y has shape {labels.shape}: pass one label per row")
    if labels.dtype.kind in "biuU" and (known is None or known.dtype.kind == labels.dtype.kind):
        return labels
    classes = ClassList()
    if known is not None:
        classes.add(known[0].item())
    checked = classes.check_all(labels.tolist())
    if SKIP in checked:
        raise InvalidInput("SKIP is no label to train on: leave these rows out")
    return np.array(checked)


def _drawn_with_replacement(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Rows of a resample that has two classes, as a classifier needs."""
    rng = np.random.default_rng()
    drawn = rng.integers(0, len(codes), len(codes))
    while (codes[drawn] == codes[drawn[0]]).all():
        drawn = rng.integers(0, len(codes), len(codes))
    return drawn


def _encode(y: NDArray[Any], classes: Sequence[Any] | None) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """(classes, codes into them) for labels of shape (n,)."""
    found, codes = np.unique(y, return_inverse=True)
    if classes is None:
        return found, codes
    known = np.asarray(classes)
    position = {label: i for i, label in enumerate(known.tolist())}
    unknown = [label for label in found.tolist() if label not in position]
    if unknown:
        raise InvalidInput(
            f"labels {unknown[:5]} are not among the classes {known.tolist()[:20]}: add them to classes="
        )
    return known, np.array([position[label] for label in found.tolist()], dtype=np.intp)[codes]


def query_once(
    learner: Any, X_pool: Features, *args: Any, return_metrics: bool = False, **kwargs: Any
) -> tuple[Any, ...]:
    """Call the strategy once; tell (indices, utilities) from an array of two indices by type."""
    result = learner.query_strategy(learner, X_pool, *args, **kwargs)
    indices, utilities = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
    rows = take(X_pool, np.atleast_1d(indices))
    return (indices, rows, utilities) if return_metrics else (indices, rows)


def shown(learner: Any, what: str) -> str:
    """How a learner prints: `what` it is made of, and what it has learned."""
    if not learner.is_fitted:
        return f"{type(learner).__name__}({what}, not fitted)"
    n_labels = len(learner.y_training)
    return f"{type(learner).__name__}({what}, {n_labels} labels, {len(learner.classes_)} classes)"
