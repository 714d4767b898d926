"""Leading transformers run once per item while they stay the same; predictions are the plain Pipeline's."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import make_blobs
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from bootstrap import BootstrapLoop
from bootstrap.features import n_rows, take
from bootstrap.transformed import TransformedRows

N = 60
X, y = make_blobs(N, n_features=4, centers=3, cluster_std=3.0, random_state=0)
LABELS = np.array(["ape", "bee", "cat"])[y]
WORDS = [["jungle tree banana", "honey flower wing", "milk mouse purr"][label] for label in y]
TEXTS = [f"{words} {'very ' * (i % 3)}number{i}" for i, words in enumerate(WORDS)]
LR = LogisticRegression(max_iter=1000)


class Counted:
    """Counts in `seen`, for the whole class, how often each row was transformed."""

    seen: ClassVar[Counter[str]] = Counter()

    def transform(self, X):
        Counted.seen.update(str(row) for row in X)
        return super().transform(X)


@pytest.fixture(autouse=True)
def _count_from_zero():
    Counted.seen.clear()


def times_transformed(X) -> list[int]:
    """How often each row of `X` was transformed, without repetition."""
    return sorted({Counted.seen[str(row)] for row in X})


class Lengths:
    def transform(self, X):
        return (
            np.array([[len(str(row)), str(row).count("e"), sum(map(ord, str(row))) % 97] for row in X]) / 10.0
        )


class Embedder(Counted, Lengths, TransformerMixin, BaseEstimator):
    """Learns nothing, and does not say so: its tags are the default ones."""

    def fit(self, X, y=None):
        return self


class CountedScaler(Counted, StandardScaler):
    pass


class CountedHashing(Counted, HashingVectorizer):
    def fit_transform(self, X, y=None):
        return self.fit(X, y).transform(X)


class Unpicklable(Counted, Lengths, TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.state_ = lambda: None
        return self


class NoBaseEstimator(Counted, Lengths):
    """What scikit-learn's Pipeline is happy with."""

    def fit(self, X, y=None):
        return self


def check_rounds(estimator, X, sizes=(15, 25, 25, 40)) -> TransformedRows:
    """Refit on more and more labels; each time the predictions must be the plain Pipeline's."""
    transformed = TransformedRows(estimator)
    for size in sizes:
        rows = np.arange(size)
        features = transformed.refit(X, rows, LABELS[rows])
        assert n_rows(features) == n_rows(X)
        assert n_rows(transformed.extend(X)) == n_rows(X)
        model = clone(transformed.rest).fit(take(features, rows), LABELS[rows])
        counted = Counter(Counted.seen)
        plain = clone(estimator).fit(take(X, rows), LABELS[rows])
        expected = plain.predict_proba(X)
        assert np.allclose(model.predict_proba(features), expected)
        assert np.allclose(model.predict_proba(transformed.transform(X)), expected)
        Counted.seen.clear()
        Counted.seen.update(counted)
    return transformed


def steps_of(estimator) -> list[str]:
    return [name for name, _ in estimator.steps] if isinstance(estimator, Pipeline) else ["only the last"]


# what stays outside of the learner's own Pipeline


def test_a_transformer_that_learns_nothing_runs_once_per_row():
    transformed = check_rounds(make_pipeline(Embedder(), LR), TEXTS)
    assert times_transformed(TEXTS) == [1]
    assert transformed
    assert steps_of(transformed.rest) == ["only the last"]


def test_a_frozen_transformer_runs_once_per_row_and_is_never_refitted():
    frozen = CountedScaler().fit(X + 3)
    transformed = check_rounds(make_pipeline(FrozenEstimator(frozen), LR), X)
    assert times_transformed(X) == [1]
    assert np.allclose(frozen.mean_, (X + 3).mean(axis=0))
    assert transformed


def test_hashing_runs_once_per_row_where_what_follows_changes_with_the_labels():
    transformed = check_rounds(make_pipeline(CountedHashing(n_features=64), TfidfTransformer(), LR), TEXTS)
    assert times_transformed(TEXTS) == [1]
    assert steps_of(transformed.rest) == ["tfidftransformer", "logisticregression"]


def test_a_scaler_that_changes_with_the_labels_is_given_back_for_good():
    transformed = check_rounds(make_pipeline(CountedScaler(), LR), X)
    assert not transformed
    assert steps_of(transformed.rest) == ["countedscaler", "logisticregression"]
    Counted.seen.clear()
    assert transformed.refit(X, np.arange(30), LABELS[:30]) is X
    assert not Counted.seen  # from now on only the learner's own Pipeline does it


def test_an_embedder_stays_where_the_scaler_behind_it_is_given_back():
    transformed = check_rounds(make_pipeline(Embedder(), StandardScaler(), LR), TEXTS)
    assert times_transformed(TEXTS) == [1]
    assert transformed
    assert steps_of(transformed.rest) == ["standardscaler", "logisticregression"]


def test_what_follows_a_changed_transformer_is_given_back_with_it():
    transformed = check_rounds(make_pipeline(StandardScaler(), Embedder(), LR), X)
    assert not transformed
    assert steps_of(transformed.rest) == ["standardscaler", "embedder", "logisticregression"]


def test_a_state_that_cannot_be_compared_is_taken_for_changed():
    transformed = check_rounds(make_pipeline(Unpicklable(), LR), TEXTS)
    assert not transformed
    assert steps_of(transformed.rest) == ["unpicklable", "logisticregression"]


def test_a_transformer_whose_fitted_state_comes_out_the_same_stays():
    colors = np.array([["red"], ["blue"], ["green"]])[y]
    encoder = OneHotEncoder(categories=[["blue", "green", "red"]])
    transformed = check_rounds(make_pipeline(encoder, LR), colors)
    assert steps_of(transformed.rest) == ["only the last"]


def test_a_transformer_that_is_no_base_estimator_works_as_in_a_plain_pipeline():
    transformed = check_rounds(Pipeline([("lengths", NoBaseEstimator()), ("model", LR)]), TEXTS)
    assert times_transformed(TEXTS) == [1]
    assert transformed


@pytest.mark.parametrize("nothing", ["passthrough", None])
def test_a_step_that_does_nothing_is_passed_over(nothing):
    estimator = Pipeline([("nothing", nothing), ("embedder", Embedder()), ("model", LR)])
    check_rounds(estimator, TEXTS)
    assert times_transformed(TEXTS) == [1]


@pytest.mark.parametrize(
    "output",
    [
        pd.DataFrame,
        lambda X: sp.coo_array(np.asarray(X)),
        lambda X: sp.csc_matrix(np.asarray(X)),
        np.asarray,
    ],
    ids=["frame", "coo", "csc", "array"],
)
def test_output_of_any_kind_grows_with_the_pool(output):
    transformed = TransformedRows(make_pipeline(FunctionTransformer(output), LR))
    rows = np.arange(20)
    first = transformed.refit(X[:40], rows, LABELS[:20])
    grown = transformed.extend(X)
    assert (n_rows(first), n_rows(grown)) == (40, N)
    dense = grown.toarray() if sp.issparse(grown) else np.asarray(grown)
    assert np.array_equal(dense, X)
    assert n_rows(take(grown, [3, 1])) == 2


def test_a_column_of_cleaned_texts_is_taken_by_position():
    cleaning = FunctionTransformer(lambda texts: pd.Series(texts, index=range(7, 7 + len(texts))).str.upper())
    transformed = check_rounds(make_pipeline(cleaning, TfidfVectorizer(), LR), TEXTS)
    assert transformed.extend(TEXTS) == [text.upper() for text in TEXTS]
    assert steps_of(transformed.rest) == ["tfidfvectorizer", "logisticregression"]


# what is left alone


class OwnPipeline(Pipeline):
    pass


@pytest.mark.parametrize(
    "estimator",
    [
        LR,
        None,
        make_pipeline(TfidfVectorizer(), LR),
        make_pipeline(FeatureUnion([("embedder", Embedder())]), LR),
        OwnPipeline([("embedder", Embedder()), ("model", LR)]),
        Pipeline([("embedder", Embedder()), ("model", LR)], memory="a folder"),
        Pipeline([("nothing", "passthrough"), ("model", LR)]),
        Pipeline([("model", LR)]),
    ],
    ids=[
        "classifier",
        "none",
        "own fit_transform",
        "union",
        "subclass",
        "memory",
        "passthrough",
        "last step only",
    ],
)
def test_where_nothing_can_be_split_off_the_features_are_the_raw_ones(estimator):
    transformed = TransformedRows(estimator)
    assert not transformed
    assert transformed.refit(TEXTS, np.arange(5), LABELS[:5]) is TEXTS
    assert transformed.start(TEXTS, np.arange(5)) is TEXTS
    assert transformed.extend(TEXTS) is TEXTS
    assert transformed.transform(TEXTS) is TEXTS


def test_the_users_pipeline_is_not_touched():
    estimator = make_pipeline(Embedder(), StandardScaler(), LR)
    check_rounds(estimator, TEXTS)
    assert [name for name, _ in estimator.steps] == ["embedder", "standardscaler", "logisticregression"]
    assert not hasattr(estimator.named_steps["standardscaler"], "mean_")
    assert not hasattr(LR, "coef_")


def test_names_of_steps_stay_what_they_were():
    estimator = Pipeline([("classifier", StandardScaler()), ("model", LR)])
    transformed = check_rounds(estimator, X)
    assert steps_of(transformed.rest) == ["classifier", "model"]


# rows that come later


def test_only_new_rows_are_transformed_when_the_pool_grows():
    transformed = TransformedRows(make_pipeline(Embedder(), LR))
    for n in (20, 45, N):
        features = transformed.refit(TEXTS[:n], np.arange(10), LABELS[:10])
        assert n_rows(features) == n
        assert times_transformed(TEXTS[:n]) == [1]
    assert np.array_equal(features, Lengths().transform(TEXTS))
    assert transformed.extend(TEXTS) is features


# without labels


def test_a_start_without_labels_is_not_done_again():
    transformed = TransformedRows(make_pipeline(Embedder(), LR))
    transformed.start(TEXTS[:40], np.arange(40))
    features = transformed.start(TEXTS, np.arange(20))
    assert n_rows(features) == N
    transformed.refit(TEXTS, np.arange(10), LABELS[:10])
    assert times_transformed(TEXTS) == [1]
    assert steps_of(transformed.rest) == ["only the last"]


def test_a_scaler_is_fitted_on_what_may_be_asked_about_and_given_back_with_the_first_labels():
    transformed = TransformedRows(make_pipeline(StandardScaler(), LR))
    scaled = transformed.start(X, np.arange(10, N))
    assert np.allclose(scaled[10:].mean(axis=0), 0)
    assert transformed.start(X, np.arange(30)) is scaled
    assert transformed.refit(X, np.arange(30), LABELS[:30]) is X
    assert steps_of(transformed.rest) == ["standardscaler", "logisticregression"]


def test_a_transformer_that_needs_labels_is_left_to_the_learner_and_those_before_it_stay():
    estimator = make_pipeline(Embedder(), SelectKBest(k=2), LR)
    transformed = TransformedRows(estimator)
    start = transformed.start(TEXTS, np.arange(N))
    assert np.array_equal(start, Lengths().transform(TEXTS))
    assert steps_of(transformed.rest) == ["selectkbest", "logisticregression"]
    features = transformed.refit(TEXTS, np.arange(30), LABELS[:30])
    assert times_transformed(TEXTS) == [1]
    model = clone(transformed.rest).fit(features[:30], LABELS[:30])
    expected = clone(estimator).fit(TEXTS[:30], LABELS[:30]).predict_proba(TEXTS)
    assert np.allclose(model.predict_proba(features), expected)


def test_where_the_first_transformer_needs_labels_the_start_is_from_raw_features():
    transformed = TransformedRows(make_pipeline(SelectKBest(k=2), LR))
    assert transformed.start(X, np.arange(N)) is X
    assert not transformed


# in the loop


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(Embedder(), LR),
        make_pipeline(Embedder(), StandardScaler(), LR),
        make_pipeline(Embedder(), SelectKBest(k=2), LR),
    ],
    ids=["alone", "scaler behind it", "selection behind it"],
)
def test_a_loop_transforms_each_item_once_and_predicts_like_the_plain_pipeline(estimator):
    truth = dict(zip(TEXTS, LABELS.tolist(), strict=True))
    loop = BootstrapLoop(
        estimator, lambda queries: [truth[query.item] for query in queries], batch_size=6, random_state=0
    )
    loop.run(TEXTS[:40], rounds=2)
    loop.run(TEXTS[40:], rounds=4)
    assert times_transformed(TEXTS) == [1]

    assert loop.predict(TEXTS).tolist() == loop.fitted_estimator().predict(TEXTS).tolist()
