"""Under dask, through joblib's own backend, a comparison is what it is in one process."""

from __future__ import annotations

from collections.abc import Iterator

import joblib
import pytest
from distributed import Client, LocalCluster, get_task_stream
from sklearn.datasets import load_digits

from bootstrap.testing import Comparison, compare_strategies


@pytest.fixture(params=["threads", "processes"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A cluster on this machine that joblib's dask backend finds: the client registers itself."""
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=request.param == "processes",
            dashboard_address=None,
            worker_dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def compared() -> Comparison:
    X, y = load_digits(n_class=4, return_X_y=True)
    return compare_strategies(X[:300] / 16, y[:300], ["margin", "entropy"], seeds=2, until=60)


def test_a_comparison_on_a_cluster_gives_the_same_curves_as_in_one_process(client: Client) -> None:
    expected = compared().curves.drop(columns="seconds")
    with joblib.parallel_config(backend="dask"), get_task_stream(client) as tasks:
        found = compared().curves.drop(columns="seconds")

    assert len({task["worker"] for task in tasks.data}) == 2  # the cluster it was that did the work
    assert len(found) == 3 * 2 * 5
    assert found.equals(expected)
