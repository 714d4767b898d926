"""What a learner, or each member of a committee, believes about every item: class probabilities.

The one place that knows the many kinds of learner: scikit-learn classifiers with `predict_proba` or
only `decision_function`, modAL's `ActiveLearner` and `Committee`, lists of classifiers, and fitted
ensembles. Strategies score the plain arrays that come out of here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strategies.linear import linear_probabilities
from strategies.selection import n_rows

__all__ = ["class_probabilities", "is_modal", "squash", "vote_probabilities"]

#: Gaps between decision values are taken as they are up to here; larger ones grow by their logarithm.
_LONG_GAP = 15.0


def class_probabilities(learner: Any, X: Any) -> NDArray[np.float64]:
    """Class probabilities, one row per item: the learner's own, for a plain logistic regression within 1e-12.

    Parameters
    ----------
    learner : object
        Fitted, with `predict_proba` or only `decision_function` (see :func:`squash`), itself or as the
        `estimator` of a modAL `ActiveLearner`; or a modAL `Committee` (the mean of its members).
    X : array, CSR, DataFrame or list
        What the learner takes; n items.

    Returns
    -------
    ndarray of shape (n, classes)
        (0, 1) for an empty `X`, which no classifier accepts.

    Raises
    ------
    TypeError
        If the learner has neither method.
    ValueError
        If it returns something else than one row per item, or decision values that are not finite.
    sklearn.exceptions.NotFittedError
        From the learner, if it is not fitted.
    """
    from sklearn.exceptions import NotFittedError

    if n_rows(X) == 0:
        return np.zeros((0, 1))
    if hasattr(learner, "learner_list"):
        return np.asarray(vote_probabilities(learner, X).mean(axis=1))
    model = learner.estimator if is_modal(learner) else learner
    linear = linear_probabilities(model, X)
    if linear is not None:
        return linear
    if hasattr(model, "predict_proba"):
        try:
            return _checked(model.predict_proba(X), X, ndim=2)
        except NotFittedError:  # an AttributeError too
            raise
        except AttributeError:
            # Subclasses of modAL's ActiveLearner have predict_proba even where their estimator has none.
            model = getattr(learner, "estimator", None)
            if model is None or hasattr(model, "predict_proba"):
                raise
    if hasattr(model, "decision_function"):
        return _squashed_decisions(model, X)
    raise TypeError(
        f"{type(learner).__name__} has neither predict_proba nor decision_function: pass a fitted classifier "
        "with one of them (CalibratedClassifierCV adds the first). Before there is a model, use cold_start "
        "or random_sampling; for a list of classifiers, a committee strategy such as vote_entropy"
    )


def squash(decisions: ArrayLike) -> NDArray[np.float64]:
    """Decision values as probabilities: good for ranking, not calibrated.

    Binary decision values go through the logistic function, so that the margin ranks items by
    `abs(decision)`; several classes through softmax. Beyond a gap of 15 to the largest value (a
    probability of 3e-7) the gap counts by its logarithm: classifiers with decision values in the
    thousands would otherwise all come out as exactly 0 or 1, and be ranked by chance.

    Parameters
    ----------
    decisions : array-like of shape (n,) or (n, classes)
        From `decision_function`.

    Returns
    -------
    ndarray of shape (n, classes)
        Rows sum to 1; two columns for binary decisions.

    Raises
    ------
    ValueError
        If a value is NaN or infinite.
    """
    values = np.asarray(decisions, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(
            "the learner's decision values hold NaN or infinity: look for those, or for huge numbers, "
            "in the features"
        )
    if values.ndim == 1 or values.shape[1] == 1:
        values = np.column_stack([np.zeros(len(values)), values.ravel()])
    gaps = values.max(axis=1, keepdims=True) - values
    excess = np.maximum(gaps - _LONG_GAP, 0.0)
    weights = np.exp(-(gaps - excess + np.log1p(excess)))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def vote_probabilities(learner: Any, X: Any) -> NDArray[np.float64]:
    """Each member's class probabilities for each item.

    Parameters
    ----------
    learner : object
        A committee: anything with `vote_proba` (modAL's `Committee`), a list or tuple of fitted
        classifiers (each as in :func:`class_probabilities`), or a fitted ensemble with `estimators_`
        (forest, bagging, voting, stacking, AdaBoost), also at the end of a Pipeline or inside a modAL
        `ActiveLearner`. Members may know different classes.
    X : array, CSR, DataFrame or list
        n items.

    Returns
    -------
    ndarray of shape (n, members, classes)
        Classes are the union of what the members know, sorted; 0 where a member does not know one.

    Raises
    ------
    TypeError
        If there is only one model, or parts of one (boosted trees, one-vs-rest).
    ValueError
        If the committee is empty, or a member's output does not fit its classes.
    sklearn.exceptions.NotFittedError
        If a member is not fitted.
    """
    if hasattr(learner, "vote_proba") and not is_modal(learner):
        try:
            return _checked(learner.vote_proba(X), X, ndim=3)
        except AttributeError:
            # A vote_proba built on modAL's takes neither a list of texts nor members without predict_proba.
            if not hasattr(learner, "learner_list"):
                raise
    if isinstance(learner, list | tuple):
        return _votes_of_list(learner, X)
    if hasattr(learner, "learner_list"):
        return _votes_of_list(learner.learner_list, X)
    return _votes_of_ensemble(learner, X)


def is_modal(learner: Any) -> bool:
    """Whether it is one of modAL's own classes, which only hand questions on to what they hold."""
    return type(learner).__module__.startswith("modAL.")


def _checked(scores: ArrayLike, X: Any, *, ndim: int) -> NDArray[np.float64]:
    """`scores` as float64, if they have one row per item and the right number of axes."""
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != ndim or len(values) != n_rows(X):
        wanted = "(n, classes)" if ndim == 2 else "(n, members, classes)"
        raise ValueError(
            f"the learner returned probabilities of shape {values.shape} for {n_rows(X)} items; needed is "
            f"{wanted}. Learners with several outputs are not supported"
        )
    return values


def _squashed_decisions(model: Any, X: Any) -> NDArray[np.float64]:
    decisions = np.asarray(model.decision_function(X))
    classes = getattr(model, "classes_", None)
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    # With three classes there are as many pairs as classes: the number of columns does not tell.
    by_pairs = getattr(last, "decision_function_shape", None) == "ovo" and decisions.ndim == 2
    columns = decisions.shape[1] if decisions.ndim == 2 else 1
    if classes is not None and (by_pairs or columns not in (1, len(classes))):
        raise ValueError(
            f"{type(model).__name__} gives {columns} decision values for {len(classes)} classes: "
            'set decision_function_shape="ovr"'
        )
    return _checked(squash(decisions), X, ndim=2)


def _votes_of_list(members: Sequence[Any], X: Any) -> NDArray[np.float64]:
    if not members:
        raise ValueError("the committee has no members: pass at least two fitted classifiers")
    known = [_classes_of(member, i) for i, member in enumerate(members)]
    union = sorted(set().union(*known))
    return _aligned((class_probabilities(member, X) for member in members), known, union, n_rows(X))


def _classes_of(member: Any, i: int) -> list[Any]:
    from sklearn.exceptions import NotFittedError

    classes = getattr(member, "classes_", None)
    if classes is None:  # modAL's ActiveLearner leaves them to its estimator
        classes = getattr(getattr(member, "estimator", None), "classes_", None)
    if classes is None:
        raise NotFittedError(
            f"member {i} of the committee ({type(member).__name__}) has no classes_: fit every member first, "
            "or pick the first batch with cold_start or random_sampling"
        )
    return list(np.asarray(classes).tolist())


def _votes_of_ensemble(learner: Any, X: Any) -> NDArray[np.float64]:
    model, X = _inner_ensemble(learner, X)
    classes = np.asarray(model.classes_).tolist()
    members = list(model.estimators_)
    known = [_classes_of(member, i) for i, member in enumerate(members)]
    if not set().union(*known) <= set(classes):  # most ensembles show their members codes, not labels
        known = [[classes[int(code)] for code in codes] for codes in known]
    if hasattr(model, "estimator_") and hasattr(X, "to_numpy"):
        X = X.to_numpy()  # ensembles of one kind strip column names before their members see the data
    features = getattr(model, "estimators_features_", None)
    if features is None:
        probas = (class_probabilities(member, X) for member in members)
    else:
        probas = (class_probabilities(member, X[:, f]) for member, f in zip(members, features, strict=True))
    return _aligned(probas, known, classes, n_rows(X))


def _inner_ensemble(learner: Any, X: Any) -> tuple[Any, Any]:
    """The ensemble in a Pipeline or modAL learner, and X as the ensemble sees it."""
    from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
    from sklearn.utils.validation import check_is_fitted

    model = learner
    while not hasattr(model, "estimators_"):
        if hasattr(model, "query_strategy") and hasattr(model, "estimator"):
            model = model.estimator
        elif hasattr(model, "steps") and len(model.steps) > 1:
            X = model[:-1].transform(X)
            model = model[-1]
        else:
            break
    parts = isinstance(model, OneVsOneClassifier | OneVsRestClassifier | OutputCodeClassifier)
    if hasattr(model, "estimators_") and not parts and all(hasattr(m, "classes_") for m in model.estimators_):
        return model, X
    if hasattr(model, "n_estimators") or hasattr(model, "estimators"):
        check_is_fitted(model)
    raise TypeError(
        f"{type(model).__name__} is one model, and one model can't disagree with itself: pass a modAL "
        "Committee, a list of fitted classifiers or an ensemble such as RandomForestClassifier, or use a "
        "strategy for one model (margin, entropy, least_confident)"
    )


def _aligned(
    probas: Iterable[NDArray[np.float64]], known: list[list[Any]], classes: list[Any], n: int
) -> NDArray[np.float64]:
    """Stack (n, known classes) matrices to (n, members, classes)."""
    column = {label: i for i, label in enumerate(classes)}
    votes = np.zeros((len(known), len(classes), n))  # scores run along items
    for i, (proba, labels) in enumerate(zip(probas, known, strict=True)):
        if proba.shape[1] != len(labels):
            raise ValueError(
                f"member {i} of the committee knows {len(labels)} classes but gives {proba.shape[1]} "
                "probabilities per item"
            )
        votes[i, [column[label] for label in labels]] = proba.T
    return votes.transpose(2, 0, 1)
