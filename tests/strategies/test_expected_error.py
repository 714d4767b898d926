"""Expected error reduction: the updates rank as refits do, and refits are what the paper says."""

from __future__ import annotations

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner, Committee
from scipy.stats import entropy, spearmanr
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_blobs, make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bootstrap.learner import as_learner
from strategies import logistic_updates
from strategies.expected_error import expected_error
from strategies.geometry import Points
from strategies.logistic_updates import Inputs, LogisticUpdates, refusal
from strategies.uncertainty import margin

X, y = make_blobs(120, n_features=3, centers=3, cluster_std=3.0, random_state=1)
KNOWN, POOL = (X[:30], y[:30]), X[30:]
MODEL = LogisticRegression().fit(*KNOWN)
CONVERGED = {"tol": 1e-9, "max_iter": 10_000, "solver": "newton-cholesky"}


def plain(model, pool, known, loss="log"):
    """Equation 2 of Roy & McCallum written out, with a refit for each item and label."""
    proba, utilities = model.predict_proba(pool), np.zeros(len(pool))
    for i in range(len(pool)):
        for c, label in enumerate(model.classes_):
            refit = clone(model).fit(np.vstack([known[0], pool[i : i + 1]]), np.append(known[1], label))
            others = refit.predict_proba(np.delete(pool, i, axis=0))
            each = entropy(others, axis=1) if loss == "log" else 1 - others.max(axis=1)
            utilities[i] -= proba[i, c] * each.mean()
    return utilities


def in_pool_order(answer):
    utilities = np.empty(len(answer[0]))
    utilities[answer[0]] = answer[1]
    return utilities


def asked(model, pool, known, **options):
    return in_pool_order(expected_error(model, pool, 1000, rng=0, labeled=known, **options))


def agreement(model, pool, known, loss="log"):
    """Spearman's rank correlation of the updates with refits."""
    found = asked(model, pool, known, loss=loss)
    return spearmanr(found, plain(model, pool, known, loss)).statistic


def split(load, m, n, seed=0, scaled=True):
    """(known, pool) of a data set of scikit-learn, every class among what is known."""
    X, y = load(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))
    first = [np.flatnonzero(y[order] == label)[0] for label in np.unique(y)]
    order = np.concatenate([order[first], np.delete(order, first)])
    X = StandardScaler().fit_transform(X) if scaled else X
    return (X[order[:m]], y[order[:m]]), X[order[m : m + n]]


# the updates


@pytest.mark.parametrize("loss", ["log", "zero_one"])
@pytest.mark.parametrize("load", [load_wine, load_breast_cancer, load_digits])
def test_updates_rank_items_as_refits_to_convergence_do(load, loss):
    known, pool = split(load, m=40, n=30 if load is load_digits else 60)
    if load is load_digits:
        components = PCA(12).fit(known[0])
        known, pool = (components.transform(known[0]), known[1]), components.transform(pool)
    model = LogisticRegression(**CONVERGED).fit(*known)
    assert agreement(model, pool, known, loss) > 0.99


@pytest.mark.parametrize(
    "options",
    [
        {"C": 0.01},
        {"C": 30.0},
        {"fit_intercept": False},
        {"class_weight": "balanced"},
        {"class_weight": {0: 3.0, 1: 0.5}},
    ],
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_what_the_classifier_was_told_counts_in_its_updates(options, n_classes):
    known, pool = (X[y < n_classes][:30], y[y < n_classes][:30]), POOL[:40]
    model = LogisticRegression(**CONVERGED, **options).fit(*known)
    found, truth = asked(model, pool, known), plain(model, pool, known)
    assert spearmanr(found, truth).statistic > 0.99
    assert np.abs(found - truth).max() < 0.1 * np.ptp(truth)


def test_a_balanced_classifier_is_not_taken_for_a_plain_one():
    rare = np.r_[np.flatnonzero(y == 0)[:30], np.flatnonzero(y == 1)[:4]]
    known = X[rare], y[rare]
    plain_model = LogisticRegression(**CONVERGED).fit(*known)
    balanced = LogisticRegression(**CONVERGED, class_weight="balanced").fit(*known)
    assert agreement(balanced, POOL[:30], known) > 0.99
    difference = asked(balanced, POOL[:30], known) - asked(plain_model, POOL[:30], known)
    assert np.abs(difference).max() > 0.01


@pytest.mark.parametrize("n_classes", [2, 4])
def test_with_more_features_than_labeled_items_the_updates_are_the_same(n_classes):
    """The span of the labeled items and what is left of each new one say all that 60 features do."""
    wide, labels = make_classification(
        90, 60, n_informative=12, n_classes=n_classes, n_clusters_per_class=1, random_state=0
    )
    known, pool = (wide[:25], labels[:25]), wide[25:60]
    model = LogisticRegression(**CONVERGED, C=0.05).fit(*known)
    found, truth = asked(model, pool, known), plain(model, pool, known)
    assert spearmanr(found, truth).statistic > 0.99
    assert np.abs(found - truth).max() < 0.1 * np.ptp(truth)
    sparse = asked(model, sp.csr_matrix(pool), (sp.csr_matrix(known[0]), known[1]))
    assert np.allclose(found, sparse, atol=1e-9)


@pytest.mark.parametrize("wide", [False, True])
def test_each_update_is_nearly_the_refit_it_stands_for(wide):
    features = np.random.default_rng(0).normal(size=(40, 50 if wide else 5)) + y[:40, np.newaxis]
    known, new = (features[:30], y[:30]), features[30:]
    inputs = Inputs(Points(known[0]), intercept=True)
    rows = inputs.of(Points(new))
    updates = LogisticUpdates(inputs.known, known[1], 3, inputs.penalties(1.0), np.ones(3))
    refits = updates.with_labels(rows, np.arange(3), np.ones((10, 3), dtype=bool))
    for i, label in ((0, 0), (3, 1), (7, 2)):
        model = LogisticRegression(**CONVERGED)
        model.fit(np.vstack([known[0], new[i : i + 1]]), np.append(known[1], label))
        item = Points(new[i : i + 1])
        logits = inputs.logits(refits[i], rows[i], item, Points(new), rows)[label]
        before = updates.coefficients @ rows.T
        error = np.abs(logits.T - model.decision_function(new)).max()
        assert error < 0.15 * np.abs(logits - before).max()


@pytest.mark.parametrize("wide", [False, True])
def test_refits_that_are_not_worth_the_last_steps_are_near_too(wide):
    features = np.random.default_rng(0).normal(size=(40, 50 if wide else 5)) + y[:40, np.newaxis]
    inputs = Inputs(Points(features[:30]), intercept=True)
    rows = inputs.of(Points(features[30:]))
    updates = LogisticUpdates(inputs.known, y[:30], 3, inputs.penalties(1.0), np.ones(3))
    all_steps = updates.with_labels(rows, np.arange(3), np.ones((10, 3), dtype=bool))
    none = updates.with_labels(rows, np.arange(3), np.zeros((10, 3), dtype=bool))
    some = updates.with_labels(rows, np.arange(3), np.eye(10, 3, dtype=bool))
    changes, errors = (np.abs((each - all_steps) @ rows.T).mean() for each in (updates.coefficients, none))
    assert 0 < errors < 0.5 * changes
    assert np.allclose(some[1, 1], all_steps[1, 1])
    assert np.allclose(some[1, 0], none[1, 0])


def test_a_fit_cut_short_is_still_one_to_start_from(monkeypatch):
    expected = asked(MODEL, POOL, KNOWN)
    monkeypatch.setattr(logistic_updates, "_FIT_STEPS", 3)
    assert spearmanr(asked(MODEL, POOL, KNOWN), expected).statistic > 0.9


def test_far_outliers_and_little_regularisation_leave_finite_utilities_in_their_bounds():
    far = np.vstack([POOL[:20], 1e4 * POOL[:5], np.zeros((1, 3))])
    for C in (1e-4, 1.0, 1e6):
        model = LogisticRegression(C=C, solver="newton-cholesky").fit(*KNOWN)
        utilities = asked(model, far, KNOWN)
        assert (utilities <= 0).all()
        assert (utilities >= -np.log(3)).all()


def test_labeled_items_of_one_class_only_are_no_reason_to_fail():
    utilities = asked(MODEL, POOL[:12], (X[:1], y[:1]))
    assert np.isfinite(utilities).all()


def test_too_many_parameters_are_refused_with_a_way_out():
    wide = np.random.default_rng(0).normal(size=(1500, 1400))
    labels = np.arange(1500) % 4
    model = LogisticRegression(C=1e-4).fit(wide[:40], labels[:40])
    with pytest.raises(ValueError, match=r"a Hessian of 4203 rows .* more than 4096: use fewer features"):
        expected_error(model, wide[:3], labeled=(wide, labels))


# which classifiers are brought up to date, and which are refitted


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (GaussianNB(), "GaussianNB is no LogisticRegression"),
        (LogisticRegression(solver="liblinear"), "liblinear"),
        (LogisticRegression(C=np.inf), "no L2 penalty"),
        (LogisticRegression(solver="saga", l1_ratio=0.5), "no L2 penalty"),
    ],
)
def test_what_the_update_does_not_hold_for_is_known(model, why):
    model.classes_ = np.arange(3)
    if getattr(model, "l1_ratio", None):
        model.penalty = "elasticnet"  # what older releases need for l1_ratio to count
    assert why in refusal(model)


@pytest.mark.parametrize(
    ("attributes", "n_classes", "refused"),
    [
        ({"penalty": "l1"}, 3, True),
        ({"penalty": None}, 3, True),
        ({"penalty": "l2", "l1_ratio": 0.5}, 3, False),
        ({"penalty": "deprecated", "l1_ratio": 0.5}, 3, True),
        ({"penalty": "deprecated", "l1_ratio": 0.0}, 3, False),
        ({"multi_class": "ovr"}, 3, True),
        ({"multi_class": "ovr"}, 2, False),
        ({"multi_class": "multinomial"}, 2, True),
        ({"multi_class": "auto"}, 3, False),
    ],
)
def test_the_options_of_all_releases_of_scikit_learn_are_understood(attributes, n_classes, refused):
    model = LogisticRegression()
    model.classes_ = np.arange(n_classes)
    vars(model).update(attributes)
    assert (refusal(model) is not None) == refused


def test_a_subclass_is_not_taken_for_what_it_is_made_of():
    class Mine(LogisticRegression):
        pass

    assert refusal(Mine()) == "Mine is no LogisticRegression"


def test_other_classifiers_are_refitted_where_that_is_cheap():
    model = GaussianNB().fit(*KNOWN)
    assert np.allclose(asked(model, POOL[:20], KNOWN), plain(model, POOL[:20], KNOWN))


def test_many_refits_have_to_be_asked_for():
    many, labels = make_blobs(600, centers=3, random_state=0)
    model = GaussianNB().fit(many, labels)
    with pytest.raises(
        ValueError, match=r"GaussianNB is no .* 600 items with 3 labels each takes 1800 fits: pass exact=True"
    ):
        expected_error(model, many, labeled=(many, labels))
    indices, _ = expected_error(model, many, 2, labeled=(many[:20], labels[:20]), n_candidates=4, rng=0)
    assert len(indices) == 2


# refits


@pytest.mark.parametrize("loss", ["log", "zero_one"])
@pytest.mark.parametrize(
    "model", [LogisticRegression(), GaussianNB(), RandomForestClassifier(5, random_state=0)]
)
def test_exact_is_the_equation_written_out(model, loss):
    model = clone(model).fit(*KNOWN)
    found = asked(model, POOL[:15], KNOWN, exact=True, loss=loss)
    assert np.allclose(found, plain(model, POOL[:15], KNOWN, loss), atol=1e-9)


def test_exact_refits_a_whole_pipeline():
    model = make_pipeline(StandardScaler(), GaussianNB()).fit(*KNOWN)
    found = asked(model, POOL[:10], KNOWN, exact=True)
    assert np.allclose(found, plain(model, POOL[:10], KNOWN), atol=1e-9)


def test_refits_start_from_the_seed_that_is_given_and_from_nothing_global():
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3)).fit(*KNOWN)
    np.random.seed(0)  # noqa: NPY002
    one = asked(model, POOL[:6], KNOWN, exact=True)
    np.random.seed(1)  # noqa: NPY002
    assert np.array_equal(one, asked(model, POOL[:6], KNOWN, exact=True))
    assert not np.array_equal(one, in_pool_order(expected_error(model, POOL[:6], 6, rng=1, labeled=KNOWN)))


@pytest.mark.parametrize("backend", ["threading", "loky", "dask"])
def test_refits_give_the_same_picks_wherever_they_run(backend):
    model = RandomForestClassifier(3).fit(*KNOWN)
    expected = expected_error(model, POOL[:10], 4, rng=0, labeled=KNOWN, exact=True)
    if backend == "dask":
        distributed = pytest.importorskip("distributed", reason="dask is an extra")
        options = {"processes": False, "dashboard_address": None, "n_workers": 2, "threads_per_worker": 1}
        with distributed.Client(**options), joblib.parallel_config(backend="dask"):
            found = expected_error(model, POOL[:10], 4, rng=0, labeled=KNOWN, exact=True)
    else:
        with joblib.parallel_config(backend=backend):
            found = expected_error(model, POOL[:10], 4, rng=0, labeled=KNOWN, exact=True, n_jobs=2)
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


@pytest.mark.parametrize(
    ("kind", "known_kind"),
    [
        (sp.csr_matrix, sp.csr_matrix),
        (sp.csr_matrix, np.asarray),
        (pd.DataFrame, pd.DataFrame),
        (list, list),
        (np.asarray, list),
    ],
)
def test_refits_take_items_in_any_form(kind, known_kind):
    model = GaussianNB().fit(*KNOWN)
    if sp.csr_matrix in (kind, known_kind):
        model = LogisticRegression().fit(*KNOWN)
    if kind is pd.DataFrame:
        model = GaussianNB().fit(pd.DataFrame(KNOWN[0]), KNOWN[1])
    expected = asked(clone(model).fit(*KNOWN), POOL[:6], KNOWN, exact=True)
    found = asked(model, kind(POOL[:6]), (known_kind(KNOWN[0]), KNOWN[1]), exact=True)
    assert np.allclose(expected, found, atol=1e-6)


def test_a_label_that_the_model_holds_for_impossible_is_not_tried():
    class Counting(GaussianNB):
        fits = 0

        def fit(self, X, y):
            Counting.fits += 1
            return super().fit(X, y)

        def predict_proba(self, X):
            proba = super().predict_proba(X)
            proba[:, 2] = 0.0
            return proba / proba.sum(axis=1, keepdims=True)

    model = Counting().fit(*KNOWN)
    Counting.fits = 0
    expected_error(model, POOL[:8], labeled=KNOWN)
    assert Counting.fits == 16


# learners


def test_learners_of_modal_and_bootstrap_bring_their_own_training_set():
    words = np.array(["no", "perhaps", "yes"])[KNOWN[1]]
    expected = asked(MODEL, POOL, KNOWN)
    ours = as_learner(LogisticRegression()).fit(KNOWN[0], words)
    theirs = ActiveLearner(LogisticRegression(), X_training=KNOWN[0], y_training=words)
    for learner in (ours, theirs):
        assert np.allclose(in_pool_order(expected_error(learner, POOL, len(POOL), rng=0)), expected)


@pytest.mark.parametrize("exact", [False, True])
def test_classes_in_an_order_of_their_own_and_classes_not_seen_are_no_trouble(exact):
    learner = as_learner(LogisticRegression(), classes=[2, 9, 0, 1]).fit(*KNOWN)
    found = in_pool_order(expected_error(learner, POOL[:9], 9, rng=0, exact=exact))
    assert np.allclose(found, asked(MODEL, POOL[:9], KNOWN, exact=exact), atol=2e-3 if exact else 1e-6)


def test_a_committee_expects_the_mean_of_what_its_members_do():
    members = [
        ActiveLearner(LogisticRegression(), X_training=X[i:30:2], y_training=y[i:30:2]) for i in range(2)
    ]
    each = [in_pool_order(expected_error(member, POOL, len(POOL), rng=0)) for member in members]
    for committee in (members, Committee(members)):
        found = in_pool_order(expected_error(committee, POOL, len(POOL), rng=0))
        assert np.allclose(found, np.mean(each, axis=0), atol=1e-11)


def test_an_empty_committee_is_refused():
    with pytest.raises(ValueError, match="the committee has no members"):
        expected_error([], POOL)


def test_texts_go_through_the_pipeline_as_it_was_fitted():
    texts = [" ".join(f"{value:.1f}" for value in row) for row in X]
    vectors = TfidfVectorizer(token_pattern=r"\S+").fit(texts[:30])
    model = make_pipeline(vectors, LogisticRegression(**CONVERGED)).fit(texts[:30], y[:30])
    found = asked(model, texts[30:60], (texts[:30], y[:30]))
    rows = vectors.transform(texts).toarray()
    assert rows.shape[1] > 30
    inner = model[-1]
    assert np.allclose(found, asked(inner, rows[30:60], (rows[:30], y[:30])), atol=1e-9)


# candidates, references, edges


def test_candidates_are_the_items_of_least_margin():
    least = set(margin(MODEL, POOL, 10)[0].tolist())
    indices, utilities = expected_error(MODEL, POOL, 10, rng=0, labeled=KNOWN, n_candidates=10)
    assert set(indices.tolist()) == least
    everything = asked(MODEL, POOL, KNOWN)
    assert np.allclose(utilities, everything[indices])


def test_there_are_as_many_candidates_as_items_to_pick():
    indices, _ = expected_error(MODEL, POOL, 7, rng=0, labeled=KNOWN, n_candidates=2)
    assert set(indices.tolist()) == set(margin(MODEL, POOL, 7)[0].tolist())


def test_references_are_a_random_part_of_the_pool():
    everything = asked(MODEL, POOL, KNOWN)
    some = [
        in_pool_order(expected_error(MODEL, POOL, len(POOL), rng=seed, labeled=KNOWN, n_references=30))
        for seed in range(2)
    ]
    assert not np.allclose(some[0], some[1])
    for found in some:
        assert spearmanr(found, everything).statistic > 0.5
    same = asked(MODEL, POOL, KNOWN, n_references=len(POOL))
    assert np.array_equal(same, everything)


def test_the_item_itself_is_no_reference():
    one_left = expected_error(MODEL, POOL[:2], 2, rng=0, labeled=KNOWN)[1]
    assert (one_left < 0).all()
    assert expected_error(MODEL, POOL[:1], 1, labeled=KNOWN)[1].tolist() == [0.0]
    assert expected_error(MODEL, POOL[:1], 1, labeled=KNOWN, exact=True)[1].tolist() == [0.0]


def test_of_an_empty_pool_nothing_is_picked():
    indices, utilities = expected_error(MODEL, POOL[:0], 3, labeled=KNOWN)
    assert indices.dtype == np.intp
    assert len(indices) == len(utilities) == 0


def test_without_labeled_items_it_says_what_to_pass():
    for learner, options in ((MODEL, {}), (MODEL, {"labeled": (X[:3], None)}), ([MODEL], {})):
        with pytest.raises(ValueError, match=r"doesn't say on what it was trained .* pass labeled=\(X, y\)"):
            expected_error(learner, POOL, **options)


def test_labels_that_the_learner_does_not_know_are_refused():
    with pytest.raises(
        ValueError, match=r"knows the classes \[0, 1, 2\], .* are \[7\]: fit it on them first"
    ):
        expected_error(MODEL, POOL, labeled=(X[:2], [0, 7]))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "hinge"}, ValueError, 'loss must be "log" or "zero_one", got \'hinge\''),
        ({"n_candidates": 0}, ValueError, "n_candidates must be 1 or more, or None for all, got 0"),
        ({"n_references": 2.0}, TypeError, r"n_references must be a whole number or None, got 2\.0"),
        ({"n_references": True}, TypeError, "n_references must be a whole number or None, got True"),
    ],
)
def test_options_that_make_no_sense_are_refused_even_for_an_empty_pool(options, error, message):
    with pytest.raises(error, match=message):
        expected_error(MODEL, POOL[:0], labeled=KNOWN, **options)
