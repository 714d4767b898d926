"""The model that a certificate is about, with the threshold it may decide above: what goes into use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.model import FrozenModel
from bootstrap.phaseout import Certificate

__all__ = ["CertifiedModel"]


class CertifiedModel:
    """A frozen classifier that says which items it may decide alone; save it with joblib or pickle.

    Attributes
    ----------
    certificate : Certificate
        What was proved about it.
    classes_ : ndarray of shape (K,)
        In the order of the probability columns.
    threshold : float
        It decides alone above this confidence, and only there.
    """

    def __init__(self, model: FrozenModel, certificate: Certificate) -> None:
        self.certificate = certificate
        self.classes_: NDArray[Any] = np.asarray(model.learner.classes_)
        self.threshold = certificate.threshold
        self._model = model

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of shape (n, K) for raw features."""
        return self._model.predict_proba(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Classes of shape (n,), those included that a person has to decide."""
        return self.decide(X)[0]

    def decide(self, X: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """(classes, whether it may decide alone), each of shape (n,); people decide the others."""
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)], proba.max(axis=1) > self.threshold

    def __repr__(self) -> str:
        found = self.certificate
        return (
            f"CertifiedModel({found.model}, candidate {found.candidate}, "
            f"review rate {found.review_rate:g}, threshold {self.threshold:.6g})"
        )
