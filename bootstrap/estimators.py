"""What the loop has to know about a scikit-learn estimator before and after it is fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, clone, is_classifier

from bootstrap.errors import InvalidInput
from bootstrap.features import Features
from bootstrap.strategies import squash

__all__ = ["check_estimator", "class_scores", "is_plain", "seeded", "takes_nan"]


def check_estimator(estimator: Any) -> None:
    """Refuse what can't be a classifier in the loop.

    Raises
    ------
    InvalidInput
        For a class instead of an object, no scikit-learn estimator, one that says it is no classifier, or
        neither `predict_proba` nor `decision_function`.
    """
    from sklearn.utils import get_tags

    name = type(estimator).__name__
    if isinstance(estimator, type):
        raise InvalidInput(f"{estimator.__name__} is a class; pass an object: {estimator.__name__}()")
    if not isinstance(estimator, BaseEstimator) or not hasattr(estimator, "fit"):
        raise InvalidInput(
            f"{name} is not a scikit-learn estimator: pass a classifier or a Pipeline that ends in one, or a "
            "list of classifiers (a committee)"
        )
    what = get_tags(estimator).estimator_type
    if what not in (None, "classifier"):  # outlier detectors have a decision_function too
        raise InvalidInput(f"{name} is not a classifier (scikit-learn calls it {what}): pass a classifier")
    if not (hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function")):
        kind = "has" if is_classifier(estimator) else "is not a classifier: it has"
        raise InvalidInput(
            f"{name} {kind} neither predict_proba nor decision_function, so nothing can be ranked by "
            "confidence: choose a classifier with one of them, or wrap it in CalibratedClassifierCV"
        )


def takes_nan(estimator: Any) -> bool:
    """Whether the estimator says that NaN may stand for a missing value.

    A Pipeline takes it if its first step does; one that passes NaN on, as a scaler does, leaves the
    question to the next.
    """
    from sklearn.utils import get_tags

    if isinstance(estimator, list):
        return all(takes_nan(e) for e in estimator)
    for step in (e for _, e in estimator.steps) if hasattr(estimator, "steps") else (estimator,):
        if step is None or isinstance(step, str):  # "passthrough"
            continue
        if not isinstance(step, BaseEstimator) or not get_tags(step).input_tags.allow_nan:
            return False
        if not isinstance(step, OneToOneFeatureMixin):
            return True
    return False


def class_scores(estimator: Any, X: Features, **kwargs: Any) -> NDArray[np.float64]:
    """Probabilities (n, known classes), squashed from decision values where there is nothing else."""
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(X, **kwargs))
    decision = np.asarray(estimator.decision_function(X, **kwargs), dtype=float)
    n_classes = len(estimator.classes_)
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    one_vs_one = n_classes > 2 and getattr(last, "decision_function_shape", None) == "ovo"
    if one_vs_one or (decision.ndim == 2 and decision.shape[1] not in (1, n_classes)):
        raise InvalidInput(
            f"{type(estimator).__name__} gives {decision.shape[1]} decision values for {n_classes} classes: "
            'set decision_function_shape="ovr"'
        )
    try:
        return squash(decision)
    except ValueError as error:
        raise InvalidInput(str(error)) from None


def is_plain(estimator: Any) -> bool:
    """Whether all its parameters are plain values, so that a shallow copy of it, unfitted, is a clone."""
    values = estimator.get_params(deep=False).values()
    return all(value is None or isinstance(value, str | int | float | bool) for value in values)


def seeded(estimator: Any, seed: int) -> Any:
    """A clone in which every `random_state` that is None is set to `seed`: same seed, same model."""
    unset = [
        name
        for name, value in sorted(estimator.get_params(deep=True).items())
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    ]
    return clone(estimator).set_params(**dict.fromkeys(unset, seed))
