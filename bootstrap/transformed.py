"""The output of a Pipeline's leading transformers, computed once per item while it stays the same.

An embedding model in front of the classifier can cost a second an item; running it over the whole pool each
round would make the loop useless. Transformers that learn nothing (or were frozen) always give the same
output. For others the fitted state is compared after each refit: equal state, equal output. One whose
state did change with the labels goes back into the learner's own Pipeline for good.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import joblib
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from bootstrap.features import Features, n_rows, stack, take

__all__ = ["TransformedRows"]


@dataclass(slots=True)
class _Step:
    name: str
    transformer: Any
    learns_nothing: bool
    fitted: Any = None
    state: str | None = None
    output: Features | None = None

    def refit(self, X: Features, rows: NDArray[np.intp], y: NDArray[Any] | None) -> bool:
        """Fit it, if it learns; whether the output that is there still holds."""
        fitted: Any = self.transformer
        state: str | None = ""
        if not self.learns_nothing:
            fitted = clone(self.transformer, safe=False).fit(take(X, rows), y)
            state = _state_of(fitted)
        if self.output is not None and (state is None or state != self.state):
            return False
        self.fitted, self.state = fitted, state
        return True

    def extended(self, X: Features) -> Features:
        """The output for all rows of `X`, computed only for those that are new."""
        done = 0 if self.output is None else n_rows(self.output)
        if self.output is None:
            self.output = _by_rows(self.fitted.transform(X))
        elif done < n_rows(X):
            new = self.fitted.transform(take(X, np.arange(done, n_rows(X))))
            self.output = stack(self.output, _by_rows(new))
        return self.output


class TransformedRows:
    """Splits a Pipeline into leading transformers, kept here with their output, and the rest.

    Parameters
    ----------
    estimator : classifier
        Anything; only a Pipeline has something to split off.

    Attributes
    ----------
    rest : classifier
        What the learner has to fit on the output of :meth:`refit`. It grows when a transformer turns
        out to change with the labels.
    """

    def __init__(self, estimator: Any) -> None:
        self._steps: list[_Step] = []
        self._last = "classifier"  # name of the last step
        self.rest = estimator
        if type(estimator) is not Pipeline or estimator.memory is not None:  # a subclass may do anything
            return
        self._last = estimator.steps[-1][0]
        for name, transformer in estimator.steps[:-1]:
            if transformer is None or isinstance(transformer, str):  # "passthrough"
                continue
            learns_nothing = _learns_nothing(transformer)
            if not (learns_nothing or _fits_then_transforms(transformer)):
                break
            self._steps.append(_Step(name, transformer, learns_nothing))
        kept = {step.name for step in self._steps}
        self._rest_from([step for step in estimator.steps if step[0] not in kept])

    def __bool__(self) -> bool:
        return bool(self._steps)

    def copy(self) -> TransformedRows:
        """The same, so that a refit that fails changes nothing here."""
        other = copy.copy(self)
        other._steps = [replace(step) for step in self._steps]
        return other

    def without_output(self) -> TransformedRows:
        """The fitted transformers alone, for a model that is kept."""
        other = copy.copy(self)
        other._steps = [replace(step, output=None) for step in self._steps]
        return other

    def refit(self, X: Features, rows: NDArray[np.intp], y: NDArray[Any] | None) -> Features:
        """Fit on `rows` of `X` with labels `y`, if any; the features of all rows of `X` for `rest`.

        `X` may have more rows than last time; rows that were there before must not have changed.
        """
        for i, step in enumerate(self._steps):
            if not step.refit(X, rows, y):
                self._give_back(i)
                return X
            X = step.extended(X)
        return X

    def start(self, X: Features, rows: NDArray[np.intp]) -> Features:
        """:meth:`refit` without labels, for a first batch; it ends at a transformer that needs them."""
        for i, step in enumerate(self._steps):
            try:
                if step.output is None:
                    step.refit(X, rows, None)
                X = step.extended(X)
            except Exception:  # whatever an unknown transformer raises when it is given no labels
                self._give_back(i)
                break
        return X

    def extend(self, X: Features) -> Features:
        """The features of all rows of `X` for `rest`, some of them new since :meth:`refit`."""
        for step in self._steps:
            X = step.extended(X)
        return X

    def transform(self, X: Features) -> Features:
        """New rows through the fitted leading transformers."""
        for step in self._steps:
            X = step.fitted.transform(X)
        return X

    def _give_back(self, i: int) -> None:
        rest = self.rest.steps if isinstance(self.rest, Pipeline) else [(self._last, self.rest)]
        self._rest_from([*((step.name, step.transformer) for step in self._steps[i:]), *rest])
        del self._steps[i:]

    def _rest_from(self, steps: list[tuple[str, Any]]) -> None:
        self.rest = steps[0][1] if len(steps) == 1 else Pipeline(steps)


def _by_rows(output: Features) -> Features:
    """The output in a form whose rows can be picked."""
    if sp.issparse(output):
        return output.tocsr()
    is_series = hasattr(output, "iloc") and output.ndim == 1
    return output.tolist() if is_series else output


def _learns_nothing(transformer: Any) -> bool:
    from sklearn.utils import get_tags

    if isinstance(transformer, FrozenEstimator | HashingVectorizer):  # 1.6 has no tag for the latter
        return True
    return isinstance(transformer, BaseEstimator) and not get_tags(transformer).requires_fit


def _fits_then_transforms(transformer: Any) -> bool:
    """Whether `fit_transform` is nothing but `fit` then `transform`, so that output can be kept."""
    own = getattr(type(transformer), "fit_transform", None)
    return own is None or own is TransformerMixin.fit_transform


def _state_of(fitted: Any) -> str | None:
    try:
        return str(joblib.hash(fitted))
    except Exception:  # whatever pickling an unknown object raises: then its state is not comparable
        return None
