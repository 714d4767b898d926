"""Several classifiers as a modAL `Committee` whose members all know the same classes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from copy import copy
from typing import Any

import joblib
import numpy as np
from modAL.models import Committee
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from bootstrap.errors import InvalidInput, NotReady
from bootstrap.features import Features
from bootstrap.learner.single import FEW_LABELS, NOT_FITTED, Learner, Remembered, query_once, shown
from bootstrap.strategies import vote_entropy

__all__ = ["CommitteeLearner"]


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

    def __copy__(self) -> CommitteeLearner:
        """The same committee, whose members can be taught without changing these."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.learner_list = [copy(member) for member in self.learner_list]
        return other

    def without_data(self) -> CommitteeLearner:
        """The fitted members alone: no training data, nothing remembered."""
        other = copy(self)
        other.learner_list = [member.without_data() for member in self.learner_list]
        other._scores = Remembered()
        return other

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
            warnings.filterwarnings("ignore", FEW_LABELS, UserWarning)
            return list(parallel(joblib.delayed(act)(member) for member in self.learner_list))

    def _after_fit(self) -> None:
        self.X_training = self._first.X_training
        self._set_classes()
        self._scores = Remembered()

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
            raise NotReady(NOT_FITTED)
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
        return query_once(self, X_pool, *args, return_metrics=return_metrics, **kwargs)

    def __repr__(self) -> str:
        return shown(self, f"{len(self)} members")
