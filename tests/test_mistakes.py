"""Where the model is wrong: found without asking a model about what it was trained on."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from bootstrap import BootstrapLoop
from bootstrap.errors import InvalidInput, NotReady
from bootstrap.mistakes import by_cross_validation, mistakes
from bootstrap.pool import Pool

COLUMNS = ["id", "item", "label", "predicted", "confidence"]


def a_pool(X, **options) -> tuple[Pool, np.ndarray]:
    """A pool of these items, an id each, and all its rows."""
    pool = Pool(b"key", 0.0, **options)
    pool.add(X, ids=[f"item {i}" for i in range(len(X))])
    return pool, np.arange(len(X))


def two_heaps(n: int = 40) -> tuple[np.ndarray, list[str]]:
    x = np.concatenate([np.linspace(0, 1, n // 2), np.linspace(4, 5, n // 2)]).reshape(-1, 1)
    return x, ["low"] * (n // 2) + ["high"] * (n // 2)


def test_a_wrong_label_among_clear_ones_is_found_though_the_model_could_remember_it():
    X, labels = two_heaps()
    labels[5] = "high"
    pool, rows = a_pool(X)
    found = by_cross_validation([KNeighborsClassifier(1)], pool, rows, labels, folds=5, seed=1)
    table = mistakes(pool, rows, labels, *found)
    assert list(table.columns) == COLUMNS
    assert "item 5" in table["id"].tolist()
    row = table[table["id"] == "item 5"].iloc[0]
    assert (row["label"], row["predicted"]) == ("high", "low")
    assert row["item"].tolist() == X[5].tolist()


def test_the_most_confident_mistakes_come_first():
    pool, rows = a_pool(np.arange(4.0).reshape(-1, 1))
    table = mistakes(
        pool, rows, ["a", "a", "b", "b"], np.array(["b", "a", "a", "a"]), np.array([0.6, 0.9, 0.99, 0.7])
    )
    assert table["id"].tolist() == ["item 2", "item 3", "item 0"]
    assert table["confidence"].tolist() == [0.99, 0.7, 0.6]


def test_no_mistake_is_a_table_without_rows():
    pool, rows = a_pool(np.arange(3.0).reshape(-1, 1))
    table = mistakes(pool, rows, ["a", "b", "a"], np.array(["a", "b", "a"]), np.ones(3))
    assert list(table.columns) == COLUMNS
    assert len(table) == 0
    assert len(mistakes(pool, rows[:0], [], np.array([]), np.array([]))) == 0


@pytest.mark.parametrize(
    "labels",
    [["a", "long name"] * 10, [0, 1] * 10, [False, True] * 10, ["a", "b", "c", "d"] * 5],
    ids=["strings", "numbers", "truth values", "four classes"],
)
@pytest.mark.parametrize(
    "estimators",
    [[LogisticRegression()], [LogisticRegression(), GaussianNB()], [make_pipeline(GaussianNB())]],
    ids=["one", "committee", "pipeline"],
)
def test_any_classes_and_any_estimator_will_do(labels, estimators):
    kinds = sorted(set(labels))
    pool, rows = a_pool(np.array([[10.0 * kinds.index(label) + i / 100] for i, label in enumerate(labels)]))
    predicted, confidence = by_cross_validation(estimators, pool, rows, labels, folds=4, seed=0)
    assert predicted.tolist() == labels
    assert ((confidence > 0.2) & (confidence <= 1)).all()
    assert not hasattr(estimators[0], "classes_")  # clones were fitted


def test_texts_go_through_a_pipeline_fitted_anew_in_each_fold():
    texts = [f"{'refund card' if i % 2 else 'parcel late'} {i}" for i in range(24)]
    labels = ["card" if i % 2 else "parcel" for i in range(24)]
    labels[3] = "parcel"
    pool, rows = a_pool(texts)
    found = by_cross_validation(
        [make_pipeline(TfidfVectorizer(), LogisticRegression())], pool, rows, labels, folds=3, seed=0
    )
    table = mistakes(pool, rows, labels, *found)
    assert table["id"].tolist()[0] == "item 3"
    assert table["item"].tolist()[0] == texts[3]


def test_missing_numbers_are_fine_where_the_estimator_takes_them():
    X, labels = two_heaps()
    X[0] = np.nan
    pool, rows = a_pool(X, allow_nan=True)
    predicted, _ = by_cross_validation(
        [HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2)], pool, rows, labels, folds=2, seed=0
    )
    assert (predicted[1:] == np.array(labels[1:])).all()


def test_a_class_with_one_label_is_always_a_mistake_and_warns_nobody():
    X, labels = two_heaps()
    labels[-1] = "alone"
    pool, rows = a_pool(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predicted, _ = by_cross_validation([GaussianNB()], pool, rows, labels, folds=5, seed=0)
    assert predicted[-1] == "high"
    assert (predicted[:-1] == np.array(labels[:-1])).all()


@pytest.mark.parametrize("labels", [[], ["a"], ["a", "a", "a"], ["a", "a", "b"], ["a", "b"]])
def test_too_few_labels_say_so(labels):
    pool, _ = a_pool(np.arange(3.0).reshape(-1, 1))
    rows = np.arange(len(labels))
    with pytest.raises(NotReady, match="two labels of at least two classes"):
        by_cross_validation([GaussianNB()], pool, rows, labels, folds=5, seed=0)


def test_two_labels_of_two_classes_are_enough():
    pool, rows = a_pool(np.array([[0.0], [0.1], [5.0], [5.1]]))
    predicted, _ = by_cross_validation(
        [KNeighborsClassifier(1)], pool, rows, ["a", "a", "b", "b"], folds=5, seed=0
    )
    assert predicted.tolist() == ["a", "a", "b", "b"]


@pytest.mark.parametrize("folds", [1, 0, -3, 2.0, "5", True, None])
def test_folds_are_a_whole_number_of_at_least_two(folds):
    pool, rows = a_pool(np.arange(3.0).reshape(-1, 1))
    with pytest.raises(InvalidInput, match="folds is a whole number of at least 2"):
        by_cross_validation([GaussianNB()], pool, rows, ["a", "b", "a"], folds=folds, seed=0)


def test_the_same_seed_deals_alike_and_another_one_does_not():
    rng = np.random.default_rng(0)
    pool, rows = a_pool(rng.normal(size=(60, 2)))
    labels = [("a", "b")[i] for i in rng.integers(2, size=60)]

    def found(seed):
        return by_cross_validation([GaussianNB()], pool, rows, labels, folds=5, seed=seed)[1].tolist()

    assert found(1) == found(1) != found(2)


# in a loop


def a_loop(**changes) -> BootstrapLoop:
    chosen = {"batch_size": 20, "audit_share": 0.5, "random_state": 1} | changes
    loop = BootstrapLoop(LogisticRegression(), **chosen)
    loop.add(np.linspace(0, 10, 200).reshape(-1, 1))
    return loop


def answer(query) -> str:
    return "big" if float(query.item[0]) > 5 or query.item[0] < 1 else "small"


def test_a_loop_shows_mistakes_on_training_labels_and_retires_nothing():
    loop = a_loop()
    for _ in range(3):
        loop.tell({query.id: answer(query) for query in loop.ask()})
        loop.refit()
    table = loop.errors()
    trained = {label.id for label in loop.labels if label.source == "training"}
    assert set(table["id"]) <= trained
    assert loop.errors()["id"].tolist() == table["id"].tolist()
    assert loop._certifying.trial._fresh_from == 0


def test_looking_at_audited_mistakes_retires_the_audits_for_later_candidates():
    loop = a_loop()
    for _ in range(3):
        loop.tell({query.id: answer(query) for query in loop.ask()})
        loop.refit()
    table = loop.errors(audited=True)
    assert len(table) == round((1 - loop.history[-1].accuracy) * 30) > 0
    assert all(loop.is_held_out(item) for item in table["id"])
    loop._certifying.next_candidate_at = 61
    loop.tell({query.id: answer(query) for query in loop.ask()})
    loop.refit()
    candidate = loop._certifying.trial.candidates[0]
    assert candidate.rungs[-1].n_audited == 10
    assert loop.history[-1].n_audited == 40


@pytest.mark.parametrize("audited", [True, False])
def test_before_there_is_a_model_there_are_no_mistakes_to_show(audited):
    with pytest.raises(NotReady, match="no model yet" if audited else "label on"):
        a_loop().errors(audited=audited)
