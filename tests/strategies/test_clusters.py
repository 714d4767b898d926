import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_blobs

from strategies import clusters
from strategies.clusters import clusters_of, stacked
from strategies.geometry import Points

MIDDLES = 100.0 * np.eye(4)
BLOBS, GROUP = make_blobs([40, 30, 20, 10], centers=MIDDLES, cluster_std=0.5, random_state=0)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_the_centres_of_far_blobs_are_their_means(kind):
    found = clusters_of(Points(kind(BLOBS)), 4, rng())
    _, nearest = found.nearest(Points(MIDDLES))
    assert sorted(nearest.tolist()) == [0, 1, 2, 3]
    means = np.array([BLOBS[group == GROUP].mean(axis=0) for group in range(4)])
    assert np.allclose(found.centres.rows[nearest], means)
    assert np.array_equal(found.nearest(Points(kind(BLOBS)))[1], nearest[GROUP])


def test_labeled_items_take_part():
    far = Points(np.full((3, 4), -500.0))
    distances, _ = clusters_of(Points(BLOBS), 5, rng(), known=far).nearest(far)
    assert distances == pytest.approx([0.0] * 3, abs=1e-9)


def test_there_are_never_more_centres_than_rows_or_than_the_most(monkeypatch):
    assert len(clusters_of(Points(BLOBS[:3]), 9, rng())) == 3
    assert len(clusters_of(Points(BLOBS[:3]), 9, rng(), known=Points(BLOBS[3:5]))) == 5
    monkeypatch.setattr(clusters, "_MAX_CLUSTERS", 2)
    assert len(clusters_of(Points(BLOBS), 9, rng())) == 2


def test_rows_that_repeat_raise_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = clusters_of(Points(np.repeat(MIDDLES[:2], 10, axis=0)), 5, rng())
    assert found.nearest(Points(MIDDLES[:2]))[0] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_single_precision_gives_the_centres_of_the_same_numbers():
    single = BLOBS.astype(np.float32)
    one, other = (
        clusters_of(Points(single), 6, rng()),
        clusters_of(Points(single.astype(np.float64)), 6, rng()),
    )
    assert one.centres.rows.dtype == np.float64
    assert np.array_equal(one.centres.rows, other.centres.rows)


def test_stacked_rows_are_sparse_if_either_part_is():
    dense, sparse = Points(BLOBS[:2]), Points(sp.csr_matrix(BLOBS[2:5]))
    assert not stacked(dense, dense).is_sparse
    for above, below in ((dense, sparse), (sparse, dense), (sparse, sparse)):
        both = stacked(above, below)
        assert both.is_sparse
        assert both.rows.format == "csr"
        assert len(both) == len(above) + len(below)
        assert np.array_equal(both.rows[[0]].toarray(), sp.csr_matrix(above.rows)[[0]].toarray())


def wide(middles):
    """Sparse rows of 1,000 columns, and noise in each."""
    rows = np.zeros((len(middles), 1000))
    rows[:, :4] = middles
    return sp.csr_matrix(np.where(rng(1).random(rows.shape) < 0.02, rows + 0.1, rows))


def test_wide_sparse_rows_are_grouped_by_their_leading_directions(monkeypatch):
    monkeypatch.setattr("strategies.geometry._BLOCK_BYTES", 1)
    rows = Points(wide(np.repeat(BLOBS, 5, axis=0)))
    found = clusters_of(rows, 4, rng())
    assert found.centres.rows.shape == (4, 100)
    _, number = found.nearest(rows)
    assert len({*zip(number.tolist(), np.repeat(GROUP, 5).tolist(), strict=True)}) == 4
    # What is labeled may be dense, and is put where the others are.
    _, same = found.nearest(Points(rows.rows[:9].toarray()))
    assert np.array_equal(same, number[:9])


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_few_wide_sparse_rows_have_as_many_directions(n):
    for rows in (wide(BLOBS[:n]), sp.csr_matrix((n, 1000))):
        found = clusters_of(Points(rows), 3, rng())
        assert found.directions.shape == (1000, n)
        assert np.isfinite(found.nearest(Points(rows))[0]).all()
