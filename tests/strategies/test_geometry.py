"""Rows that can be compared, of whatever a user has, and distances between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner, Committee
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import strategies.geometry as module
from strategies.geometry import NoGeometry, Points, blocks, geometry, geometry_of, labeled_items, take

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4))
y = np.arange(30) % 3
TEXTS = ["a cat", "a dog", "the cat and the dog", "a bird", "two birds", "no animal"]


def squared(first, second):
    return ((first[:, np.newaxis] - second[np.newaxis]) ** 2).sum(axis=2)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("other", [np.asarray, sp.csr_matrix])
def test_squared_distances_are_those_of_the_differences(form, other):
    points, others = Points(form(X)), Points(other(X[:7]))
    found = points.squared_distances(others)
    assert found == pytest.approx(squared(X, X[:7]), abs=1e-12)
    assert (found >= 0).all()


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_the_nearest_is_found_in_any_number_of_blocks(form, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_BYTES", 1)
    many = np.random.default_rng(1).normal(size=(700, 4))
    distances, positions = Points(form(many)).nearest(Points(X))
    assert np.array_equal(positions, squared(many, X).argmin(axis=1))
    assert distances == pytest.approx(np.sqrt(squared(many, X).min(axis=1)))


def test_some_of_the_points_are_points():
    part = Points(X).only(np.array([4, 2]))
    assert len(part) == 2
    assert np.array_equal(part.rows, X[[4, 2]])
    assert part.squared_lengths == pytest.approx((X[[4, 2]] ** 2).sum(axis=1))


def test_blocks_cover_all_rows_once_and_in_order():
    covered = [i for rows in blocks(1000, 1 << 20) for i in range(rows.start, rows.stop)]
    assert covered == list(range(1000))
    assert list(blocks(0, 8)) == []


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([1, 2])])
def test_rows_are_taken_of_every_form(rows):
    assert take(TEXTS, rows) == TEXTS[1:3]
    assert np.array_equal(take(X, rows), X[1:3])
    assert np.array_equal(take(pd.DataFrame(X), rows), X[1:3])
    for form in (sp.csr_matrix, sp.coo_matrix, sp.csc_array, sp.bsr_matrix):
        assert np.array_equal(take(form(X), rows).toarray(), X[1:3])


def test_what_is_labeled_is_given_or_the_learners_own():
    own = ActiveLearner(LogisticRegression(), X_training=X[:6], y_training=y[:6])
    assert np.array_equal(labeled_items(own)[0], X[:6])
    assert np.array_equal(labeled_items(Committee([own, own]))[1], y[:6])
    assert np.array_equal(labeled_items(own, (X[:2], y[:2]))[0], X[:2])
    assert labeled_items(own, (X[:2], None))[1] is None
    assert labeled_items(None) == labeled_items([]) == labeled_items(own, (X[:0], [])) == (None, None)


@pytest.mark.parametrize(
    ("labeled", "why"), [(X, "must be a pair"), ((X, y, y), "must be a pair"), ((X, y[:4]), "4 labels")]
)
def test_what_is_labeled_has_to_fit(labeled, why):
    with pytest.raises(ValueError, match=why):
        labeled_items(None, labeled)


def test_without_a_representation_the_items_are_what_they_are():
    points, known = geometry(None, X.tolist(), (X[:3], y[:3]))
    assert np.array_equal(points.rows, X)
    assert known is not None
    assert np.array_equal(known.rows, X[:3])
    assert geometry(None, X)[1] is None


def test_a_pipelines_transformers_are_fitted_on_all_items_unless_they_are_wanted_as_they_are():
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:6], y[:6])
    points, known = geometry(model, X, (X[:6], y[:6]))
    fresh = StandardScaler().fit(X)
    assert points.rows == pytest.approx(fresh.transform(X))
    assert known is not None
    assert known.rows == pytest.approx(fresh.transform(X[:6]))
    as_fitted, _ = geometry(model, X, as_fitted=True)
    assert as_fitted.rows == pytest.approx(model[0].transform(X))
    learner = ActiveLearner(model, X_training=X[:6], y_training=y[:6])
    assert geometry([learner, learner], X)[0].rows == pytest.approx(fresh.transform(X))


def test_transformers_that_need_labels_are_used_as_they_were_fitted():
    model = make_pipeline(SelectKBest(k=2), LogisticRegression()).fit(X, y)
    points, _ = geometry(model, X)
    assert np.array_equal(points.rows, model[0].transform(X))


def test_texts_through_a_pipeline_become_rows():
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS[:2], [0, 1])
    points, known = geometry(model, TEXTS, (TEXTS[:2], [0, 1]))
    assert points.is_sparse
    assert known is not None
    assert points.rows.shape[1] == known.rows.shape[1] == 9  # the words of all, not of two


@pytest.mark.parametrize(
    "representation",
    [StandardScaler(), StandardScaler().fit(X), lambda rows: (rows - X.mean(0)) / X.std(0)],
)
def test_a_representation_is_a_transformer_fitted_or_not_or_a_function(representation):
    points, known = geometry(None, X, (X[:3], y[:3]), representation)
    expected = StandardScaler().fit_transform(X)
    assert points.rows == pytest.approx(expected)
    assert known is not None
    assert known.rows == pytest.approx(expected[:3])


def test_a_representation_is_an_array_or_a_pair_of_them():
    points, known = geometry(None, TEXTS, (TEXTS[:2], None), X[:6])
    assert np.array_equal(points.rows, X[:6])
    assert known is None
    points, known = geometry(None, TEXTS, (TEXTS[:2], None), (X[:6], X[6:8]))
    assert known is not None
    assert np.array_equal(known.rows, X[6:8])


@pytest.mark.parametrize(
    ("representation", "labeled", "why"),
    [
        (X[:5], None, "5 rows for 30 items"),
        ((X, X[:2]), None, "2 rows for what is labeled, where there are 0"),
        ((X, X[:2]), (X[:3], None), "where there are 3"),
        ((X, X[:3, :2]), (X[:3], None), "2 columns and X has 4"),
        (np.where(X > 2, np.nan, X), None, "NaN or infinity"),
        (lambda rows: rows[:1], None, "1 rows for 30 items"),
    ],
)
def test_a_representation_that_does_not_fit_is_refused(representation, labeled, why):
    with pytest.raises(ValueError, match=why):
        geometry(None, X, labeled, representation)


def test_items_that_are_no_numbers_are_refused_with_what_to_pass():
    with pytest.raises(NoGeometry, match="pass representation="):
        geometry(LogisticRegression(), TEXTS)
    with pytest.raises(NoGeometry, match="NaN or infinity"):
        geometry(None, np.full((3, 2), np.inf))


def test_numbers_too_large_to_be_squared_are_refused_and_others_are_not():
    large = np.full((5, 2), 1e150)
    assert np.array_equal(geometry(None, large)[0].rows, large)
    with pytest.raises(NoGeometry, match="StandardScaler"):
        geometry(None, large * 1e10)


def test_what_is_labeled_has_to_be_like_the_items_and_gets_their_form():
    for form, other in ((np.asarray, sp.csr_matrix), (sp.csr_matrix, np.asarray)):
        points, known = geometry(None, form(X), (other(X[:3]), None))
        assert known is not None
        assert known.is_sparse == points.is_sparse
        assert known.squared_lengths == pytest.approx(points.squared_lengths[:3])
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    for learner in (None, scaled):
        for narrow in (X[:3, :2], TEXTS[:3]):
            with pytest.raises(ValueError, match="what is labeled") as caught:
                geometry(learner, X, (narrow, None))
            assert not isinstance(caught.value, NoGeometry)
    with pytest.raises(ValueError, match="hold None"):
        labeled_items(None, (X[:2], ["a", None]))


def test_repeated_entries_of_sparse_rows_count_as_their_sum():
    twice = sp.csr_matrix((np.array([1.0, 2.0, 5.0]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    points, _ = geometry(None, twice)
    assert points.squared_lengths.tolist() == [9.0, 25.0]
    assert twice.nnz == 3


def test_an_unknown_metric_is_refused():
    with pytest.raises(ValueError, match='"euclidean" or "cosine", got \'manhattan\''):
        geometry(None, X, metric="manhattan")


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_cosine_scales_rows_to_length_one_and_leaves_zeros(form):
    rows = np.vstack([X, np.zeros((1, 4))])
    points, known = geometry(None, form(rows), (form(X[:2]), None), metric="cosine")
    assert points.squared_lengths == pytest.approx([1.0] * 30 + [0.0])
    assert known is not None
    cosine = (X[5] @ X[1]) / np.linalg.norm(X[5]) / np.linalg.norm(X[1])
    assert points.squared_distances(known)[5, 1] == pytest.approx(2 * (1 - cosine))


@pytest.mark.parametrize("kind", [np.float16, np.int8, bool, object])
def test_every_kind_of_number_will_do(kind):
    rows = (X > 0).astype(kind)
    points, _ = geometry(None, rows)
    assert points.rows.dtype == (np.float32 if kind is np.float16 else np.float64)
    assert np.array_equal(points.rows, X > 0)


def test_images_are_rows_of_pixels():
    assert geometry(None, X.reshape(30, 2, 2))[0].rows.shape == (30, 4)


def test_sparse_positions_become_as_short_as_they_can():
    wide = sp.csr_matrix(X)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    points, _ = geometry(None, wide)
    assert points.rows.indices.dtype == np.int32
    assert wide.indices.dtype == np.int64
    assert np.array_equal(points.rows.toarray(), X)


def test_some_items_alone_are_represented_at_the_price_of_those():
    seen = []

    def represent(rows):
        seen.append(len(rows))
        return rows

    rows = np.array([7, 2])
    assert np.array_equal(geometry_of(None, X, rows, represent).rows, X[rows])
    assert seen == [2]
    for aligned in (X, (X, X[:3]), sp.csr_matrix(X)):
        found = geometry_of(None, TEXTS * 5, rows, aligned).rows
        assert np.array_equal(found.toarray() if sp.issparse(found) else found, X[rows])
    with pytest.raises(ValueError, match="30 rows for 6 items"):
        geometry_of(None, TEXTS, rows, X)
    with pytest.raises(NoGeometry, match="pass representation="):
        geometry_of(None, TEXTS * 5, rows)
