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
from strategies.probabilities import class_probabilities
from strategies.uncertainty import (
    cost_sensitive,
    cost_sensitive_utilities,
    entropy_utilities,
    least_confident_utilities,
    margin_utilities,
)

X, y = load_digits(return_X_y=True)
X = X[:400] / 16
y = y[:400]

THREE = np.array([[1.0, 0.0, 0.0], [0.5, 0.3, 0.2], [1 / 3, 1 / 3, 1 / 3]])


def test_scores_of_known_rows():
    assert least_confident_utilities(THREE) == pytest.approx([0.0, 0.5, 2 / 3])
    assert margin_utilities(THREE) == pytest.approx([-1.0, -0.2, 0.0])
    spread = -(0.5 * np.log(0.5) + 0.3 * np.log(0.3) + 0.2 * np.log(0.2))
    assert entropy_utilities(THREE) == pytest.approx([0.0, spread, np.log(3)])


SCORES = [least_confident_utilities, margin_utilities, entropy_utilities]


@pytest.mark.parametrize("score", SCORES, ids=lambda score: score.__name__)
def test_scores_do_not_depend_on_how_the_probabilities_lie_in_memory(score):
    proba = np.random.default_rng(0).dirichlet(np.ones(7), size=200)
    assert np.allclose(score(np.asfortranarray(proba)), score(proba), rtol=1e-13)
    assert np.allclose(score(proba[::3]), score(proba)[::3], rtol=1e-13)


@pytest.mark.parametrize("n_classes", [2, 3, 4, 11, 100])
def test_the_margin_is_between_the_two_largest_wherever_they_stand(n_classes):
    proba = np.random.default_rng(0).dirichlet(np.ones(n_classes), size=500)
    ordered = np.sort(proba, axis=1)
    assert np.array_equal(margin_utilities(proba), ordered[:, -2] - ordered[:, -1])


@pytest.mark.parametrize("score", SCORES, ids=lambda score: score.__name__)
@pytest.mark.parametrize("at", range(4))
def test_nan_in_any_class_makes_the_utility_nan(score, at):
    proba = np.full((2, 4), 0.25)
    proba[1, at] = np.nan
    assert np.isnan(score(proba)).tolist() == [False, True]


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


# costs

ORDERED = np.abs(np.subtract.outer(np.arange(10), np.arange(10)))


def test_the_cheapest_decision_of_known_rows():
    costs = [[0, 1, 5], [2, 0, 1], [10, 4, 0]]
    #   expected costs of the decisions: (0, 1, 5), (2.6, 1.3, 2.8), (4, 5/3, 2)
    assert cost_sensitive_utilities(THREE, costs) == pytest.approx([0.0, 1.3, 5 / 3])


@pytest.mark.parametrize("costs", [None, 1 - np.eye(10)])
def test_without_costs_and_where_all_mistakes_cost_the_same_it_is_least_confident(costs):
    model = LogisticRegression(max_iter=1000).fit(X[:100], y[:100])
    expected = strategies.least_confident(model, X, n_instances=50, rng=0)
    indices, utilities = cost_sensitive(model, X, n_instances=50, rng=0, costs=costs)
    assert np.array_equal(indices, expected[0])
    assert np.allclose(utilities, expected[1], rtol=1e-12)


def test_costs_decide_what_is_asked():
    model = LogisticRegression(max_iter=1000).fit(X[:100], y[:100])
    indices, utilities = cost_sensitive(model, X, n_instances=400, rng=0, costs=ORDERED)
    expected = (class_probabilities(model, X) @ ORDERED).min(axis=1)
    assert np.allclose(utilities, expected[indices], rtol=1e-9, atol=1e-12)
    assert (np.diff(utilities) <= 0).all()


def test_costs_give_what_scikit_activeml_gives():
    peer = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is the peer").uncertainty_scores
    proba = np.random.default_rng(0).dirichlet(np.ones(10), size=200)
    costs = np.random.default_rng(1).uniform(size=(10, 10)) * (1 - np.eye(10))
    expected = peer(proba, cost_matrix=costs, method="least_confident")
    assert np.allclose(cost_sensitive_utilities(proba, costs), expected, rtol=1e-12)


def test_ten_times_the_costs_are_ten_times_the_utility_and_the_same_picks():
    model = LogisticRegression(max_iter=1000).fit(X[:100], y[:100])
    once = cost_sensitive(model, X, n_instances=20, rng=0, costs=ORDERED)
    ten_times = cost_sensitive(model, X, n_instances=20, rng=0, costs=10 * ORDERED)
    assert np.array_equal(once[0], ten_times[0])
    assert np.allclose(10 * once[1], ten_times[1])


def test_with_one_class_the_utility_is_what_deciding_for_it_costs():
    model = DummyClassifier().fit(X, np.zeros(len(X)))
    assert cost_sensitive(model, X, 2, rng=0, costs=[[3.0]])[1].tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        (np.ones((10, 9)), r"must have shape \(classes, classes\), got \(10, 9\)"),
        (np.ones(10), r"must have shape \(classes, classes\), got \(10,\)"),
        (np.ones((3, 3)), r"costs has shape \(3, 3\) and the learner knows 10 classes"),
        (ORDERED - 1, "finite and 0 or more, got -1.0 to 8.0"),
        (np.where(ORDERED == 4, np.inf, 0), "finite and 0 or more, got 0.0 to inf"),
        (np.where(ORDERED == 4, np.nan, 0), "finite and 0 or more, got nan to nan"),
        ([[0, 1], [2]], "must be a matrix of numbers"),
        ([["none", "much"], ["some", "none"]], "must be a matrix of numbers"),
    ],
)
def test_costs_that_are_no_costs_are_refused(costs, message):
    model = LogisticRegression(max_iter=1000).fit(X[:100], y[:100])
    with pytest.raises(ValueError, match=message):
        cost_sensitive(model, X, costs=costs)


def test_wrong_options_are_refused_before_the_model_is_asked():
    class Slow:
        def predict_proba(self, X):
            raise RuntimeError("asked")

    for wrong in ({"n_instances": -1}, {"rng": -1}, {"costs": [[1.0, 2.0]]}):
        with pytest.raises(ValueError, match="must"):
            cost_sensitive(Slow(), X, **wrong)
