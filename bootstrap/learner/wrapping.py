"""Whatever a user brings as a learner for the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from modAL.models import ActiveLearner
from modAL.models.base import BaseCommittee
from sklearn.base import clone

from bootstrap.estimators import check_estimator
from bootstrap.learner.committee import CommitteeLearner
from bootstrap.learner.single import Learner

__all__ = ["AnyLearner", "as_learner", "members_of"]

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


def members_of(learner: AnyLearner) -> list[Learner]:
    """The members of a committee, or the learner itself."""
    return learner.learner_list if isinstance(learner, CommitteeLearner) else [learner]
