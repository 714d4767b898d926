"""Any classifier as a modAL learner that works on current scikit-learn and numpy.

modAL 0.4.2.1 calls scikit-learn with an argument that 1.8 removed, and can't be printed or cloned. The
two subclasses here keep modAL's interface and replace what broke: they store the training data
themselves, fit a fresh clone each time (so that an earlier model stays what it was), encode the labels
once (strings work everywhere, committees too), and remember the predictions for the pool of the
present round, so that a strategy and the measuring share them. Nothing in modAL is patched.

This is the only file that imports modAL.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import joblib
import numpy as np
from modAL.models import ActiveLearner, Committee
from modAL.models.base import BaseCommittee
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from bootstrap.classes import ClassList
from bootstrap.errors import InvalidInput, NotReady
from bootstrap.estimators import check_estimator, class_scores, takes_nan
from bootstrap.features import Features, check_features, n_rows, stack, take
from bootstrap.records import SKIP
from bootstrap.strategies import vote_entropy

__all__ = [
    "AnyLearner",
    "CommitteeLearner",
    "Learner",
    "as_learner",
    "members_of",
]

_FEW_LABELS = "The number of unique classes"  # how scikit-learn's warning begins
_NOT_FITTED = "the learner is not fitted yet: teach it labels of at least two classes first"


class _Remembered:
    """One slot: the output for one `X`, found again by identity, never by comparing values."""

    def __init__(self) -> None:
        self._X: Any = None
        self._value: NDArray[np.float64] | None = None

    def put(self, X: Features, value: NDArray[np.float64]) -> None:
        self._X, self._value = X, value

    def get(self, X: Features) -> NDArray[np.float64] | None:
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
        self._scores = _Remembered()
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
        """
        if (codes == codes[:1]).all():
            found = f"all {len(codes)} labels are {classes[codes[0]].item()!r}" if len(codes) else "no labels"
            raise InvalidInput(f"{found}: a classifier needs two classes; label items of another one")
        rows_X, rows_codes = X, codes
        if bootstrap:
            drawn = _drawn_with_replacement(codes)
            rows_X, rows_codes = take(X, drawn), codes[drawn]
        with warnings.catch_warnings():
            if 2 * len(classes) > len(
                codes
            ):  # few labels of many classes: scikit-learn suspects a regression
                warnings.filterwarnings("ignore", _FEW_LABELS, UserWarning)
            model = clone(self.estimator).fit(rows_X, rows_codes, **fit_kwargs)
        self.estimator, self.classes_ = model, classes
        self.X_training, self.y_training = X, classes[codes]
        self._scores = _Remembered()

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

    @staticmethod
    def proba(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Class probabilities (n, K) from `scores`."""
        return scores

    def query(
        self, X_pool: Features, *args: Any, return_metrics: bool = False, **kwargs: Any
    ) -> tuple[Any, ...]:
        """modAL's `query`, with the strategy called exactly once."""
        return _query(self, X_pool, *args, return_metrics=return_metrics, **kwargs)

    def score(self, X: Features, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Share of `X` predicted as `y`."""
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
        return float(np.average(self.predict(X) == np.asarray(y), weights=weights))

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise NotReady(_NOT_FITTED)

    def __repr__(self) -> str:
        return _repr(self, repr(self.estimator))


class CommitteeLearner(Committee):  # type: ignore[misc]  # modAL has no types
    """A modAL `Committee` of :class:`Learner` members that all know the same classes.

    Lists of texts and string labels work; members are fitted and asked through joblib.

    Parameters
    ----------
    learner_list : list of Learner
        At least two.
    query_strategy : callable, optional
        For `query`; vote entropy by default.
    n_jobs : int, optional
        Members fitted at a time (threads); results don't depend on it.
    """

    def __init__(
        self, learner_list: list[Learner], query_strategy: Any = None, *, n_jobs: int | None = None
    ) -> None:
        if len(learner_list) < 2:
            raise InvalidInput(f"a committee needs at least two members, got {len(learner_list)}")
        if not all(isinstance(member, Learner) for member in learner_list):
            raise InvalidInput(
                "a committee's members are Learners: as_learner makes them of a list of classifiers"
            )
        self.n_jobs = n_jobs
        # modAL's own vote entropy takes no lists
        super().__init__(list(learner_list), vote_entropy if query_strategy is None else query_strategy)
        self._after_fit()

    def __sklearn_clone__(self) -> CommitteeLearner:
        """Not fitted, and without labels."""
        members = [clone(member) for member in self.learner_list]
        return type(self)(members, self.query_strategy, n_jobs=self.n_jobs)

    @property
    def _first(self) -> Learner:
        first: Learner = self.learner_list[0]
        return first

    @property
    def estimator(self) -> list[Any]:
        """The members' estimators."""
        return [member.estimator for member in self.learner_list]

    @property
    def is_fitted(self) -> bool:
        """Whether every member can predict."""
        return all(member.is_fitted for member in self.learner_list)

    @property
    def classes(self) -> Sequence[Any] | None:
        """All classes in the order of the probability columns, where they were given up front."""
        return self._first.classes

    @classes.setter
    def classes(self, classes: Sequence[Any] | None) -> None:
        for member in self.learner_list:
            member.classes = classes

    @property
    def y_training(self) -> NDArray[Any] | None:
        """The labels that the first member was trained on, as all are that were taught together."""
        labels: NDArray[Any] | None = self._first.y_training
        return labels

    def fit(self, X: Features, y: ArrayLike, **fit_kwargs: Any) -> CommitteeLearner:
        """Fit every member on all of `X`; see :meth:`Learner.fit`."""
        self._each(lambda member: member.fit(X, y, **fit_kwargs))
        self._after_fit()
        return self

    def teach(
        self, X: Features, y: ArrayLike, bootstrap: bool = False, only_new: bool = False, **fit_kwargs: Any
    ) -> None:
        """Add labels and refit every member; see :meth:`Learner.teach`."""
        self._each(lambda member: member.teach(X, y, bootstrap, only_new, **fit_kwargs))
        self._after_fit()

    def learn_codes(self, X: Features, codes: NDArray[np.intp], classes: NDArray[Any]) -> None:
        """:meth:`fit` for rows that were checked and labels that were encoded; see `Learner`."""
        self._each(lambda member: member.learn_codes(X, codes, classes))
        self._after_fit()

    def _each(self, act: Any) -> list[Any]:
        parallel = joblib.Parallel(n_jobs=self.n_jobs, prefer="threads")
        with warnings.catch_warnings():  # around all: in each thread they would undo each other's filters
            warnings.filterwarnings("ignore", _FEW_LABELS, UserWarning)
            return list(parallel(joblib.delayed(act)(member) for member in self.learner_list))

    def _after_fit(self) -> None:
        self.X_training = self._first.X_training
        self._set_classes()
        self._scores = _Remembered()

    def _set_classes(self) -> None:
        """Members that were taught apart, before they came together, may know different classes."""
        self.classes_, self.n_classes_ = None, 0
        if self.is_fitted:
            known = [member.classes_ for member in self.learner_list]
            differ = any(not np.array_equal(classes, known[0]) for classes in known)
            self.classes_ = np.unique(np.concatenate(known)) if differ else known[0]
            self.n_classes_ = len(self.classes_)

    def vote_proba(self, X: Features, **kwargs: Any) -> NDArray[np.float64]:
        """Each member's probabilities: shape (n, members, K)."""
        if not self.is_fitted:
            raise NotReady(_NOT_FITTED)
        known = self._scores.get(X)
        if known is not None and not kwargs:
            return known
        return np.stack(self._each(lambda member: self._proba_of(member, X, **kwargs)), axis=1)

    def _proba_of(self, member: Learner, X: Features, **kwargs: Any) -> NDArray[np.float64]:
        proba = member.predict_proba(X, **kwargs)
        if np.array_equal(member.classes_, np.asarray(self.classes_)):
            return proba
        full = np.zeros((len(proba), self.n_classes_))
        full[:, np.searchsorted(np.asarray(self.classes_), member.classes_)] = proba
        return full

    def vote(self, X: Features, **kwargs: Any) -> NDArray[Any]:
        """Each member's label: shape (n, members)."""
        codes = self.vote_proba(X, **kwargs).argmax(axis=2)
        return np.asarray(np.asarray(self.classes_)[codes])

    def scores(self, X: Features) -> NDArray[np.float64]:
        """What is computed once a round and then shared: here `vote_proba`."""
        return self.vote_proba(X)

    def remember(self, X: Features, scores: NDArray[np.float64]) -> None:
        """Answer later calls for this very object `X` with these `scores`."""
        self._scores.put(X, scores)

    @staticmethod
    def proba(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Class probabilities (n, K) from `scores`: the members' mean."""
        return np.asarray(scores.mean(axis=1))

    def query(
        self, X_pool: Features, return_metrics: bool = False, *args: Any, **kwargs: Any
    ) -> tuple[Any, ...]:
        """modAL's `query`, with the strategy called exactly once."""
        return _query(self, X_pool, *args, return_metrics=return_metrics, **kwargs)

    def __repr__(self) -> str:
        return _repr(self, f"{len(self)} members")


AnyLearner: TypeAlias = Learner | CommitteeLearner


def as_learner(
    estimator: Any, *, classes: Sequence[Any] | None = None, n_jobs: int | None = None
) -> AnyLearner:
    """Any classifier as a learner for the loop.

    Parameters
    ----------
    estimator : classifier, Pipeline, modAL ActiveLearner or Committee, or list of classifiers
        A list becomes a committee. A modAL learner's training data come along; its own query strategy
        does not (the loop has `strategy=`).
    classes : sequence, optional
        All classes, where they are known up front.
    n_jobs : int, optional
        For committees: members fitted at a time.

    Returns
    -------
    Learner or CommitteeLearner
        Never the object that was passed in: that one is left alone.

    Raises
    ------
    InvalidInput
        For anything that is not a classifier, or has neither `predict_proba` nor
        `decision_function`.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> learner = as_learner(LogisticRegression())
    >>> learner.teach([[0.0], [1.0], [2.0]], ["no", "no", "yes"])
    >>> learner.predict([[3.0]]).tolist()
    ['yes']
    """
    if isinstance(estimator, BaseCommittee):
        members = [_member(m, classes) for m in estimator.learner_list]
        return CommitteeLearner(members, n_jobs=n_jobs)
    if isinstance(estimator, list | tuple):
        return CommitteeLearner([_member(m, classes) for m in estimator], n_jobs=n_jobs)
    return _member(estimator, classes)


def _member(estimator: Any, classes: Sequence[Any] | None) -> Learner:
    if isinstance(estimator, ActiveLearner):
        own = getattr(estimator, "classes", None)
        return Learner(
            clone(estimator.estimator),
            X_training=estimator.X_training,
            y_training=estimator.y_training,
            classes=own if classes is None else classes,
        )
    check_estimator(estimator)
    return Learner(clone(estimator), classes=classes)


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


def _query(
    learner: Any, X_pool: Features, *args: Any, return_metrics: bool = False, **kwargs: Any
) -> tuple[Any, ...]:
    """Call the strategy once; tell (indices, utilities) from an array of two indices by type."""
    result = learner.query_strategy(learner, X_pool, *args, **kwargs)
    indices, utilities = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
    rows = take(X_pool, np.atleast_1d(indices))
    return (indices, rows, utilities) if return_metrics else (indices, rows)


def _repr(learner: Any, what: str) -> str:
    if not learner.is_fitted:
        return f"{type(learner).__name__}({what}, not fitted)"
    n_labels = len(learner.y_training)
    return f"{type(learner).__name__}({what}, {n_labels} labels, {len(learner.classes_)} classes)"


def members_of(learner: AnyLearner) -> list[Learner]:
    """The members of a committee, or the learner itself."""
    return learner.learner_list if isinstance(learner, CommitteeLearner) else [learner]
