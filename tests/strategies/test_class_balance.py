"""Class balance: the paper's quota and rule, and that a rare class is asked about."""

from __future__ import annotations

import pickle

import modAL.uncertainty
import numpy as np
import pytest
from modAL.models import ActiveLearner, Committee
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

import strategies
from bootstrap.learner import as_learner
from bootstrap.testing.strategy_checks import strategy_checks
from strategies.class_balance import ClassBalanced, balanced_picks, class_balanced, labels_wanted

RNG = np.random.default_rng(0)
X, y = make_blobs([300, 60, 12], n_features=3, cluster_std=2.5, random_state=2)
KNOWN = np.r_[np.flatnonzero(y == 0)[:30], np.flatnonzero(y == 1)[:10], np.flatnonzero(y == 2)[:2]]
LABELED = (X[KNOWN], y[KNOWN])
REST = np.setdiff1d(np.arange(len(y)), KNOWN)
POOL = X[REST]
MODEL = LogisticRegression().fit(*LABELED)


def plain_picks(utilities, proba, wanted, count, weight):
    """The rule written out: L1 distances to what is wanted."""
    picked, values = [], []
    for _ in range(count):
        so_far = proba[picked].sum(axis=0)
        gains = [np.abs(wanted - so_far).sum() - np.abs(wanted - so_far - p).sum() for p in proba]
        totals = utilities + weight * np.array(gains)
        totals[picked] = -np.inf
        picked.append(int(totals.argmax()))
        values.append(totals.max())
    return picked, values


# the contract


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=f"{strategy}-{name}")
        for strategy, options in (
            ("margin", {}),
            ("badge", {"chance": True}),
            ("consensus_entropy", {"committee": True}),
        )
        for name, check in strategy_checks(class_balanced(strategy), in_turn=True, **options)
    ],
)
def test_it_keeps_the_contract(check):
    check()


# the rule


@pytest.mark.parametrize(
    ("counts", "batch", "wanted"),
    [
        ([10, 10], 4, [2, 2]),
        ([10, 2], 4, [0, 6]),
        ([0, 0, 0], 6, [2, 2, 2]),
        ([30, 10, 2], 9, [0, 7, 15]),
        ([5], 3, [3]),
    ],
)
def test_wanted_is_what_makes_all_classes_equal(counts, batch, wanted):
    assert labels_wanted(np.array(counts), batch).tolist() == wanted


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, 20.0])
@pytest.mark.parametrize("wanted", [[0.0, 2.4, 0.7, 5.0], [0.0, 0.0, 0.0, 0.0], [9.0, 9.0, 9.0, 9.0]])
def test_picks_are_those_of_the_rule_written_out(weight, wanted):
    utilities, proba = RNG.random(40), RNG.dirichlet(np.full(4, 0.5), size=40)
    found = balanced_picks(utilities, proba, np.array(wanted), 12, weight, np.random.default_rng(0))
    expected = plain_picks(utilities, proba, np.array(wanted), 12, weight)
    assert found[0].tolist() == expected[0]
    assert np.allclose(found[1], expected[1])


def test_utilities_count_from_0_to_1_and_balance_by_its_weight():
    found = class_balanced("margin", weight=0.5)(MODEL, POOL, 15, rng=0, labeled=LABELED)
    indices, values = strategies.margin(MODEL, POOL, len(POOL))
    raw = np.empty(len(POOL))
    raw[indices] = values
    scaled = (raw - raw.min()) / (raw.max() - raw.min())
    wanted = labels_wanted(np.array([30, 10, 2]), 15)
    expected = plain_picks(scaled, MODEL.predict_proba(POOL), wanted, 15, 0.5)
    assert found[0].tolist() == expected[0]
    assert np.allclose(found[1], expected[1])


def test_without_weight_it_is_the_strategy():
    found = class_balanced("entropy", weight=0)(MODEL, POOL, 20, rng=0, labeled=LABELED)
    assert found[0].tolist() == strategies.entropy(MODEL, POOL, 20)[0].tolist()


def test_without_labels_it_is_the_strategy():
    for labeled in (None, (X[:5], None), (X[:0], y[:0])):
        found = class_balanced("margin")(MODEL, POOL, 20, rng=0, labeled=labeled)
        expected = strategies.margin(MODEL, POOL, 20, rng=0)
        assert found[0].tolist() == expected[0].tolist()
        assert found[1].tolist() == expected[1].tolist()


@pytest.mark.parametrize("strategy", ["margin", "random_sampling", "k_center", "badge"])
def test_a_rare_class_is_asked_about_more(strategy):
    inner = strategies.by_name(strategy)
    plain = [inner(MODEL, POOL, 20, rng=seed, labeled=LABELED)[0] for seed in range(5)]
    balanced = [class_balanced(strategy)(MODEL, POOL, 20, rng=seed, labeled=LABELED)[0] for seed in range(5)]
    rare = [np.mean([(y[REST][picks] > 0).mean() for picks in batches]) for batches in (plain, balanced)]
    assert rare[1] > rare[0] + 0.15


def test_of_a_strategy_whose_picks_depend_on_each_other_ten_batches_count():
    asked = []

    def greedy(learner, X, n_instances=1, *, rng=None, labeled=None):
        asked.append(n_instances)
        return np.arange(n_instances)[::-1], np.arange(n_instances, dtype=float)

    greedy.strategy = "something inside"
    indices, utilities = class_balanced(greedy, weight=0)(MODEL, POOL, 3, rng=0, labeled=LABELED)
    assert asked == [30]
    assert indices.tolist() == [29, 28, 27]
    assert np.allclose(utilities, [1, 29 / 30, 28 / 30])


# learners


def test_labels_come_from_the_learner_too_whatever_they_are_called():
    expected = class_balanced("margin")(MODEL, POOL, 20, rng=0, labeled=LABELED)[0]
    words = np.array(["c", "b", "a"])[LABELED[1]]  # columns of probabilities are in another order then
    theirs = ActiveLearner(LogisticRegression(), X_training=LABELED[0], y_training=words)
    ours = as_learner(LogisticRegression(), classes=["b", "x", "c", "a"]).fit(LABELED[0], words)
    assert class_balanced("margin")(theirs, POOL, 20, rng=0)[0].tolist() == expected.tolist()
    # A class that nobody has seen wants labels, and has no probability anywhere.
    found = class_balanced("margin")(ours, POOL, 20, rng=0)[0]
    proba = ours.predict_proba(POOL)
    raw = np.sort(proba, axis=1)[:, -2] - np.sort(proba, axis=1)[:, -1]
    wanted = labels_wanted(np.array([10, 0, 30, 2]), 20)
    assert found.tolist() == plain_picks((raw - raw.min()) / np.ptp(raw), proba, wanted, 20, 1.0)[0]


def test_a_committee_is_asked_for_its_mean():
    members = [
        ActiveLearner(LogisticRegression(), X_training=LABELED[0], y_training=LABELED[1]),
        ActiveLearner(GaussianNB(), X_training=LABELED[0][::-1], y_training=LABELED[1][::-1]),
    ]
    found = class_balanced("vote_entropy")(Committee(members), POOL, 9, rng=0)
    listed = class_balanced("vote_entropy")(members, POOL, 9, rng=0, labeled=LABELED)
    assert found[0].tolist() == listed[0].tolist()


class Nameless:
    """Gives probabilities and does not say of which classes."""

    def __init__(self, n_classes):
        self.n_classes = n_classes

    def predict_proba(self, X):
        return MODEL.predict_proba(X)[:, : self.n_classes]


def test_a_learner_without_classes_is_taken_to_know_those_of_the_labels():
    expected = class_balanced("margin")(MODEL, POOL, 9, rng=0, labeled=LABELED)
    found = class_balanced("margin")(Nameless(3), POOL, 9, rng=0, labeled=LABELED)
    assert found[0].tolist() == expected[0].tolist()
    with pytest.raises(ValueError, match="gives 2 probabilities for 3 classes: it needs a classes_"):
        class_balanced("margin")(Nameless(2), POOL, 9, labeled=LABELED)


def test_labels_of_classes_that_the_learner_does_not_know_do_not_count():
    with pytest.raises(ValueError, match=r"are none of the learner's classes \(\[0, 1, 2\]\)"):
        class_balanced("margin")(MODEL, POOL, 3, labeled=(X[:2], ["yes", "no"]))
    some = class_balanced("margin")(MODEL, POOL, 9, rng=0, labeled=(X[:3], [0, 0, 7]))
    same = class_balanced("margin")(MODEL, POOL, 9, rng=0, labeled=(X[:2], [0, 0]))
    assert some[0].tolist() == same[0].tolist()


# the factory


def test_it_pickles_compares_and_prints_as_it_is_written():
    balanced = class_balanced("entropy", weight=2)
    again = pickle.loads(pickle.dumps(balanced))
    assert again == balanced == ClassBalanced(strategies.entropy, 2.0)
    assert repr(again) == "class_balanced(entropy, weight=2)"


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((3,), {}, TypeError, "strategy must be a name or a function, got int"),
        (("margins",), {}, ValueError, "no strategy is called 'margins'"),
        ((modAL.uncertainty.margin_sampling,), {}, ValueError, "modAL's margin_sampling gives smaller"),
        (("margin",), {"weight": -1}, ValueError, "weight must be 0 or more, and finite, got -1"),
        (("margin",), {"weight": np.inf}, ValueError, "finite, got inf"),
        (("margin",), {"weight": "1"}, TypeError, "weight must be a number of 0 or more, got '1'"),
        (("margin",), {"weight": True}, TypeError, "weight must be a number"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        class_balanced(*arguments, **options)
