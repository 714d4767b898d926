"""BADGE beside scikit-activeml's, which makes the gradient embedding and passes over it for every item."""

from __future__ import annotations

from pathlib import Path

import pytest

from strategies.badge import badge

BATCH = 100


@pytest.mark.parametrize(
    ("n", "times_quicker", "peer_gigabytes"),
    [pytest.param(10**5, 80, 0.7, id="100k"), pytest.param(10**6, 100, 8.0, id="1M")],
)
def test_badge(task, beside, n, times_quicker, peer_gigabytes):
    pool = task(n)

    def ours():
        return badge(pool.model, pool.X, BATCH, rng=0)

    pytest.importorskip("skactiveml", reason="the peer of BADGE is in scikit-activeml")
    if available_gigabytes() < peer_gigabytes:
        beside(ours, megabytes=300)
        pytest.skip(f"scikit-activeml needs about {peer_gigabytes:g} GB here, and they are not free")
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import Badge

    model = SklearnClassifier(pool.model, classes=pool.model.classes_).fit(*pool.labeled)

    def theirs():
        return Badge(random_state=0).query(
            *pool.labeled, clf=model, fit_clf=False, candidates=pool.X, batch_size=BATCH
        )

    mine, others = beside(
        ours, theirs, peer_name="scikit-activeml", times_quicker=times_quicker, megabytes=300
    )
    assert mine[0][0] == others[0]  # both begin with the longest gradient
    assert len(set(mine[0].tolist())) == BATCH


def test_growth_from_100k_to_1m(growth):
    growth(lambda of: badge(of.model, of.X, BATCH, rng=0), repeats=5)


def available_gigabytes():
    """Free memory as Linux tells it; 0 elsewhere."""
    path = Path("/proc/meminfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return sum(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) / 1e6
