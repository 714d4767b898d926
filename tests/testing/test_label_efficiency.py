"""Comparisons from end to end: paired, independent of how they are run, and resumable after any end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import bootstrap.testing.label_efficiency as module
from bootstrap import SKIP
from bootstrap.errors import InvalidInput
from bootstrap.strategies import margin, random_sampling
from bootstrap.testing import Comparison, compare_strategies
from bootstrap.testing.label_efficiency import default_estimator
from bootstrap.text_pipeline import text_pipeline

X, Y = make_blobs(150, centers=4, n_features=5, cluster_std=4.0, random_state=0)
SMALL = {"seeds": 2, "first": 20, "until": 40, "batch_size": 10}


def compare(strategies="margin", X=X, y=Y, **settings):
    return compare_strategies(X, y, strategies, **SMALL | settings)


def figures(comparison: Comparison) -> pd.DataFrame:
    return comparison.curves.drop(columns="seconds")


def of(comparison: Comparison, strategy: str) -> pd.DataFrame:
    curves = figures(comparison)
    return curves[curves["strategy"] == strategy].reset_index(drop=True)


def test_there_is_a_row_for_each_round_of_each_run_in_order():
    found = compare(["entropy", "margin"])

    assert list(found.curves) == ["strategy", "seed", "n_labels", "accuracy", "seconds"]
    assert found.strategies == ["entropy", "margin", "random_sampling"]
    assert found.curves["seed"].tolist() == [0, 0, 0, 1, 1, 1] * 3
    assert found.curves["n_labels"].tolist() == [20, 30, 40] * 6
    assert (found.n_pool, found.n_tested, found.n_seeds) == (105, 45, 2)


def test_random_sampling_is_always_there_once():
    assert compare(["random_sampling", "margin"]).strategies == ["random_sampling", "margin"]
    assert compare("random_sampling").strategies == ["random_sampling"]


def test_one_strategy_more_changes_nothing_about_the_others():
    few, more = compare("margin"), compare(["entropy", "margin", "cold_start"])

    assert of(few, "margin").equals(of(more, "margin"))
    assert of(few, "random_sampling").equals(of(more, "random_sampling"))


def test_one_seed_more_changes_nothing_about_the_others():
    few, more = compare(seeds=[5]), compare(seeds=[9, 5])

    assert figures(few).equals(figures(more).query("seed == 5").reset_index(drop=True))


def test_strategies_come_as_names_functions_or_a_mapping():
    by_name, by_function = compare("margin"), compare(margin)
    mapping = compare({"mine": margin})

    assert figures(by_name).equals(figures(by_function))
    assert mapping.strategies == ["mine", "random_sampling"]
    assert of(mapping, "mine")["accuracy"].equals(of(by_name, "margin")["accuracy"])


def test_strategies_that_do_the_same_have_the_same_curves():
    found = compare({"one": margin, "other": margin})

    assert of(found, "one")["accuracy"].equals(of(found, "other")["accuracy"])


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_curves_do_not_depend_on_how_many_runs_go_at_a_time(backend):
    alone = compare(["margin", "entropy"])
    with joblib.parallel_config(backend=backend):
        assert figures(compare(["margin", "entropy"], n_jobs=2)).equals(figures(alone))


@pytest.mark.parametrize(
    "kind", [sp.csr_matrix, pd.DataFrame, lambda X: X.tolist(), lambda X: X.astype(np.float16).astype(float)]
)
def test_features_of_every_kind_give_the_same_curves(kind):
    rounded = X.astype(np.float16).astype(float)

    assert figures(compare(X=kind(rounded))).equals(figures(compare(X=rounded.astype(np.float16))))


def test_labels_may_be_strings_and_an_estimator_any_classifier():
    forest = RandomForestClassifier(5)
    found = compare("vote_entropy", y=[f"class {label}" for label in Y], estimator=forest)

    assert found.curves["accuracy"].between(0.25, 1).all()
    assert forest.random_state is None


def test_texts_need_no_estimator():
    words = {0: "cheap prize bonus", 1: "meeting report noon"}
    texts = [f"{words[i % 2].split()[i % 3]} and mail number {i}" for i in range(120)]
    found = compare(X=texts, y=[i % 2 for i in range(120)])

    assert found.curves["accuracy"].iloc[-1] > 0.9


def test_the_default_for_texts_is_the_model_of_the_command_line():
    assert repr(default_estimator(["a", "b"])) == repr(text_pipeline())
    assert repr(default_estimator(X)) == repr(LogisticRegression(max_iter=1000))


def test_progress_is_told_from_nothing_to_everything():
    told = []
    compare(progress=lambda *counts: told.append(counts))

    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("seeds", [np.int64(2), [np.int32(0), 1], np.arange(2), range(2), iter([0, 1])])
def test_seeds_are_whole_numbers_of_any_kind(seeds):
    assert figures(compare(seeds=seeds)).equals(figures(compare(seeds=2)))


def test_a_function_that_calls_itself_random_sampling_is_no_baseline():
    def random_sampling(learner, X, n_instances=1):
        return np.arange(n_instances), np.zeros(n_instances)

    with pytest.raises(InvalidInput, match="is another function: give it another name"):
        compare([random_sampling])
    assert compare({"mine": random_sampling}).strategies == ["mine", "random_sampling"]


def test_an_estimator_may_take_items_of_more_dimensions():
    flat = make_pipeline(FunctionTransformer(lambda X: X.reshape(len(X), -1)), default_estimator(X))

    found = compare(X=X[:, :, np.newaxis], estimator=flat)
    assert figures(found).equals(figures(compare()))


# resuming


def test_a_second_call_does_nothing_again_and_says_the_same(tmp_path, monkeypatch):
    told = []
    first = compare(folder=tmp_path)
    monkeypatch.setattr(module, "learning_curve", None)
    monkeypatch.setattr(module, "failures", None)
    second = compare(folder=tmp_path, progress=lambda *counts: told.append(counts))

    assert first.curves.equals(second.curves)  # seconds too: nothing was run
    assert told == [(4, 4)]
    assert len(list(tmp_path.iterdir())) == 4


def test_only_what_is_missing_is_done(tmp_path):
    told = []
    expected = compare(["margin", "entropy"], seeds=3)
    compare("margin", folder=tmp_path)
    found = compare(
        ["margin", "entropy"], seeds=3, folder=tmp_path, progress=lambda *counts: told.append(counts)
    )

    assert figures(found).equals(figures(expected))
    assert told[0] == (4, 9)


def test_a_damaged_run_is_done_again(tmp_path):
    first = compare(folder=tmp_path)
    path = sorted(tmp_path.iterdir())[0]
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])

    assert figures(compare(folder=tmp_path)).equals(figures(first))
    assert json.loads(path.read_text())["accuracy"] == json.loads(whole)["accuracy"]


def test_what_is_finished_when_a_run_fails_is_kept(tmp_path):
    def fails_later(learner, X, n_instances=1, *, rng=None):
        if len(learner.X_training) > 20:
            raise RuntimeError("no more")
        return random_sampling(learner, X, n_instances, rng=rng)

    with pytest.raises(
        InvalidInput, match=r"mine failed on 75 items with 30 labels \(seed 0\): RuntimeError"
    ):
        compare({"margin": margin, "mine": fails_later}, folder=tmp_path)
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == ["margin"]


KILLED = """
import sys
from sklearn.datasets import make_blobs
from bootstrap.testing import compare_strategies

X, y = make_blobs(150, centers=4, n_features=5, cluster_std=4.0, random_state=0)
compare_strategies(X, y, "margin", seeds=500, first=20, until=40, folder=sys.argv[1])
"""


def test_a_process_that_is_killed_loses_no_finished_run_and_its_comparison_can_be_finished(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    while len(list(tmp_path.glob("*.json"))) < 3 and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = len(list(tmp_path.glob("*.json")))
    seeds = kept // 2 + 2  # all that is kept and one pair of runs more, at least
    told = []
    found = compare(seeds=seeds, folder=tmp_path, progress=lambda *counts: told.append(counts))

    assert kept >= 3
    assert told == [(done, 2 * seeds) for done in range(kept, 2 * seeds + 1)]
    assert figures(found).equals(figures(compare(seeds=seeds)))


# refusals


def test_a_strategy_that_cannot_work_here_is_refused_before_any_run(tmp_path):
    def broken(learner, X, n_instances=1):
        raise RuntimeError("no luck")

    told = []
    strategies = {"margin": margin, "broken": broken}
    with pytest.raises(
        InvalidInput, match=r"broken failed on 85 items with 20 labels .* RuntimeError: no luck"
    ):
        compare(strategies, folder=tmp_path, progress=lambda *counts: told.append(counts))
    with pytest.raises(InvalidInput, match="is one model: pass a list of classifiers or a forest"):
        compare(["vote_entropy"])
    assert told == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"strategies": "margn"}, "no strategy is called 'margn'.*Did you mean 'margin'"),
        ({"strategies": ["margin", margin]}, "two strategies are called 'margin': pass a mapping"),
        ({"strategies": {"mine": 3}}, "strategy is a name or a function"),
        ({"strategies": 3}, "strategy is a name or a function"),
        ({"strategies": {"random_sampling": "margin"}}, "'random_sampling' is what all others are compared"),
        ({"seeds": 0}, "seeds must be a whole number of 1 or more"),
        ({"seeds": [1, 1]}, "seeds must be"),
        ({"seeds": [-1]}, "seeds must be"),
        ({"seeds": 2.0}, "got 2.0: pass for instance seeds=10"),
        ({"seeds": None}, "got None: pass"),
        ({"seeds": "12"}, "got '12': pass"),
        ({"seeds": [0.5, 1.7]}, r"got \[0.5, 1.7\]: pass"),
        ({"seeds": True}, "got True: pass"),
        ({"seeds": [True, False]}, "seeds must be"),
        ({"seeds": np.array(2.0)}, "seeds must be"),
        ({"test_share": "a"}, "test_share must be a number in"),
        ({"n_jobs": 0}, "n_jobs must be a whole number but 0, or None, got 0"),
        ({"n_jobs": 1.5}, "n_jobs must be"),
        ({"X": X[:, :0]}, r"X of shape \(150, 0\) has no feature"),
        ({"X": X[:, :0], "estimator": LogisticRegression()}, "has no feature"),
        ({"X": X[:, :, np.newaxis]}, "X has 3 dimensions"),
        ({"y": Y[:-1]}, "X has 150 rows and y has 149 labels"),
        ({"y": [SKIP, *Y[1:].tolist()]}, "y holds SKIP"),
        ({"y": [None, *Y[1:].tolist()]}, "label 0: None is not a label"),
        ({"X": np.where(X > 8, np.nan, X)}, "NaN or infinity"),
        ({"X": X[:30], "y": Y[:30]}, "30 items make a test set of 9"),
        ({"until": 20}, "until must be"),
        ({"estimator": "svm"}, "is not a scikit-learn estimator"),
        ({"estimator": LogisticRegression(C=-1)}, "the estimator can't learn from 20 labels of 4 classes"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(InvalidInput, match=message):
        compare(**wrong)
