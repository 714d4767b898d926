"""Scores of uncertainty against their formulas and against modAL."""

from __future__ import annotations

import numpy as np
import pytest
from modAL.uncertainty import classifier_entropy, classifier_margin, classifier_uncertainty
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.svm import SVC

import strategies
from strategies.uncertainty import entropy_utilities, least_confident_utilities, margin_utilities

X, y = load_digits(return_X_y=True)
X = X[:400] / 16
y = y[:400]

THREE = np.array([[1.0, 0.0, 0.0], [0.5, 0.3, 0.2], [1 / 3, 1 / 3, 1 / 3]])


def test_scores_of_known_rows():
    assert least_confident_utilities(THREE) == pytest.approx([0.0, 0.5, 2 / 3])
    assert margin_utilities(THREE) == pytest.approx([-1.0, -0.2, 0.0])
    spread = -(0.5 * np.log(0.5) + 0.3 * np.log(0.3) + 0.2 * np.log(0.2))
    assert entropy_utilities(THREE) == pytest.approx([0.0, spread, np.log(3)])


def test_two_classes_give_what_the_general_margin_gives():
    binary = np.array([[0.2, 0.8], [0.5, 0.5], [1.0, 0.0]])
    padded = np.column_stack([binary, np.zeros(3)])
    assert margin_utilities(binary) == pytest.approx(margin_utilities(padded))
    assert margin_utilities(binary) == pytest.approx([-0.6, 0.0, -1.0])


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize(
    ("strategy", "reference", "sign"),
    [
        (strategies.least_confident, classifier_uncertainty, 1),
        (strategies.margin, classifier_margin, -1),
        (strategies.entropy, classifier_entropy, 1),
    ],
    ids=["least_confident", "margin", "entropy"],
)
def test_utilities_are_those_of_modal(strategy, reference, sign, classes):
    model = LogisticRegression(max_iter=1000).fit(X[:100], y[:100] % classes)
    indices, utilities = strategy(model, X, n_instances=len(X), rng=0)
    assert np.allclose(utilities, sign * reference(model, X)[indices], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("model", [SVC(gamma="auto"), SGDClassifier(random_state=0)], ids=["SVC", "SGD"])
@pytest.mark.parametrize("scale", [1, 1e4])
def test_margin_of_a_decision_function_takes_the_smallest_absolute_values(model, scale):
    binary = model.fit(X[:100], y[:100] < 5)
    if scale > 1:
        large = scale * binary.decision_function(X)
        binary.decision_function = lambda _: large
    indices, _ = strategies.margin(binary, X, n_instances=300, rng=0)
    distance = np.abs(binary.decision_function(X))
    assert np.allclose(distance[indices], np.sort(distance)[:300], rtol=1e-9)


@pytest.mark.parametrize("name", ["least_confident", "margin", "entropy"])
def test_with_one_class_every_utility_is_zero(name):
    model = DummyClassifier().fit(X, np.zeros(len(X)))
    indices, utilities = getattr(strategies, name)(model, X, n_instances=5, rng=0)
    assert utilities.tolist() == [0.0] * 5
    assert len(set(indices.tolist())) == 5


@pytest.mark.parametrize("name", ["least_confident", "margin", "entropy"])
def test_nan_predictions_are_refused(name):
    class Diverged:
        def predict_proba(self, X):
            return np.full((len(X), 3), np.nan)

    with pytest.raises(ValueError, match="400 of 400 utilities are NaN"):
        getattr(strategies, name)(Diverged(), X)
