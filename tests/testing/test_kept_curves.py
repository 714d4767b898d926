"""Finished runs in a folder: whatever happened to the folder, no wrong curve comes out of it."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from bootstrap.errors import InvalidInput
from bootstrap.strategies import entropy, margin, mixture
from bootstrap.testing import compare_strategies
from bootstrap.testing.kept_curves import KeptCurves
from bootstrap.testing.learning_curves import CurveSettings, LearningCurve

X, Y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
SETTINGS = CurveSettings()
CURVE = LearningCurve("margin", 3, (20, 30), (0.1 + 0.2, 1.0), (0.0, 0.015625))


def kept(folder, X=X, y=Y, estimator=None, settings=SETTINGS, strategy=margin):
    estimator = LogisticRegression() if estimator is None else estimator
    return KeptCurves(folder, X, y, estimator, settings, {"margin": strategy})


def test_a_kept_curve_comes_back_exactly_and_others_are_not_there(tmp_path):
    kept(tmp_path / "new" / "folder").put(CURVE)
    again = kept(tmp_path / "new" / "folder")

    assert again.get("margin", 3) == CURVE
    assert again.get("margin", 4) is None
    assert [path.name[:9] for path in (tmp_path / "new" / "folder").iterdir()] == ["margin-3-"]


@pytest.mark.parametrize(
    "changed",
    [
        {"X": X + 1e-9},
        {"X": X.astype(np.float32)},
        {"y": 1 - Y},
        {"y": Y.astype(str)},
        {"estimator": LogisticRegression(C=2)},
        {"estimator": [LogisticRegression(), LogisticRegression()]},
        {"settings": CurveSettings(batch_size=11)},
        {"settings": CurveSettings(first=21)},
        {"settings": CurveSettings(until=310)},
        {"settings": CurveSettings(test_share=0.4)},
        {"strategy": entropy},
        {"strategy": mixture("margin", 0.1)},
        {"strategy": functools.partial(margin, labeled=None)},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_whatever_decides_a_run_is_in_its_key(tmp_path, changed):
    kept(tmp_path).put(CURVE)

    assert kept(tmp_path, **changed).get("margin", 3) is None


@pytest.mark.parametrize(
    "same",
    [
        {"X": X.copy()},
        {"estimator": LogisticRegression(C=1.0)},
        {"settings": CurveSettings(first=20)},
        {"settings": CurveSettings(first=np.int64(20), test_share=np.float64(0.3))},
    ],
    ids=lambda same: "-".join(same),
)
def test_equal_things_have_the_same_key(tmp_path, same):
    kept(tmp_path).put(CURVE)

    assert kept(tmp_path, **same).get("margin", 3) == CURVE


weight = 1.0


def weighted(learner, X, n_instances=1):
    return np.arange(n_instances), np.full(n_instances, weight)


def test_what_ones_own_strategy_uses_is_not_in_its_key_and_another_name_is_another_run(tmp_path, monkeypatch):
    def of_name(name):
        return KeptCurves(tmp_path, X, Y, LogisticRegression(), SETTINGS, {name: weighted})

    of_name("margin").put(CURVE)
    monkeypatch.setattr(sys.modules[__name__], "weight", 2.0)

    assert of_name("margin").get("margin", 3) == CURVE
    assert of_name("other").get("other", 3) is None
    for described in (KeptCurves, compare_strategies):
        assert "another name" in " ".join(described.__doc__.split())


def test_mixtures_differ_by_their_share_of_chance(tmp_path):
    kept(tmp_path, strategy=mixture("margin", 0.1)).put(CURVE)

    assert kept(tmp_path, strategy=mixture("margin", 0.1)).get("margin", 3) == CURVE
    assert kept(tmp_path, strategy=mixture("margin", 0.2)).get("margin", 3) is None


@pytest.mark.parametrize("kind", [sp.csr_matrix, pd.DataFrame, lambda X: [f"text {row}" for row in X]])
def test_features_of_every_kind_are_known_again(tmp_path, kind):
    kept(tmp_path, kind(X)).put(CURVE)
    looked_at = kind(X)
    if sp.issparse(looked_at):
        _ = looked_at.has_sorted_indices  # which scipy remembers in the matrix

    assert kept(tmp_path, looked_at).get("margin", 3) == CURVE
    assert kept(tmp_path, kind(X + 1)).get("margin", 3) is None


def test_a_file_cut_anywhere_counts_as_not_there(tmp_path):
    folder = kept(tmp_path)
    folder.put(CURVE)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert folder.get("margin", 3) is None
    path.write_bytes(whole)
    assert folder.get("margin", 3) == CURVE


@pytest.mark.parametrize(
    "damage",
    [
        {"accuracy": [0.3, 1.5]},
        {"accuracy": [0.3, None]},
        {"accuracy": [0.3]},
        {"accuracy": 0.3},
        {"accuracy": [0.3, float("nan")]},
        {"n_labels": [30, 20]},
        {"n_labels": [], "accuracy": [], "seconds": []},
        {"key": "another"},
        {"more": [1, 2]},
    ],
)
def test_a_file_that_holds_something_else_counts_as_not_there(tmp_path, damage):
    folder = kept(tmp_path)
    folder.put(CURVE)
    (path,) = tmp_path.iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))

    assert folder.get("margin", 3) is None
    folder.put(CURVE)
    assert folder.get("margin", 3) == CURVE


@pytest.mark.parametrize("content", ["[]", "3", "null", "{}", "\xff"])
def test_a_file_that_is_no_record_counts_as_not_there(tmp_path, content):
    folder = kept(tmp_path)
    folder.put(CURVE)
    (path,) = tmp_path.iterdir()
    path.write_bytes(content.encode("latin-1"))

    assert folder.get("margin", 3) is None


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    folder = kept(tmp_path)
    folder.put(CURVE)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        folder.put(LearningCurve("margin", 3, (20,), (0.5,), (0.0,)))
    assert len(list(tmp_path.iterdir())) == 1
    assert folder.get("margin", 3) == CURVE


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(
        InvalidInput, match=r"cannot make the folder .*taken for finished runs \(File exists\)"
    ):
        kept(tmp_path / "taken")


def test_names_that_are_no_file_names_are_kept_too(tmp_path):
    folder = KeptCurves(tmp_path, X, Y, LogisticRegression(), SETTINGS, {"../a b/ü": margin})
    curve = LearningCurve("../a b/ü", 0, (20,), (0.5,), (0.0,))
    folder.put(curve)

    assert folder.get("../a b/ü", 0) == curve
    assert [path.parent for path in tmp_path.rglob("*")] == [tmp_path]


def test_what_cannot_be_pickled_is_run_again_rather_than_taken_for_something_else(tmp_path):
    shift = 1.0
    pipeline = make_pipeline(FunctionTransformer(lambda X: X + shift), LogisticRegression())
    kept(tmp_path, estimator=pipeline).put(CURVE)

    assert kept(tmp_path, estimator=pipeline).get("margin", 3) is None


OWN = """
import sys
import numpy as np
from sklearn.linear_model import LogisticRegression
from own import mine
from bootstrap.testing.kept_curves import KeptCurves
from bootstrap.testing.learning_curves import CurveSettings

X, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
folder = KeptCurves(sys.argv[1], X, y, LogisticRegression(), CurveSettings(), {"margin": mine})
print(folder.get("margin", 3) is not None)
"""


def test_a_strategy_of_ones_own_is_known_in_another_process_until_it_is_edited(tmp_path, monkeypatch):
    def mine():
        monkeypatch.delitem(sys.modules, "own", raising=False)
        importlib.invalidate_caches()
        return importlib.import_module("own").mine

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    own = tmp_path / "own.py"
    own.write_text("def mine(learner, X, n_instances=1):\n    return [0]\n")
    kept(tmp_path / "runs", strategy=mine()).put(CURVE)
    path = os.pathsep.join([str(Path(__file__).parents[2]), str(tmp_path)])
    ran = subprocess.run(
        [sys.executable, "-c", OWN, str(tmp_path / "runs")],
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "True\n"
    own.write_text("def mine(learner, X, n_instances=1):\n    return [len(X) - 1]\n")
    assert kept(tmp_path / "runs", strategy=mine()).get("margin", 3) is None


def test_the_source_of_a_strategy_that_comes_with_us_counts_with_what_it_imports(tmp_path, monkeypatch):
    kept(tmp_path).put(CURVE)
    assert kept(tmp_path).get("margin", 3) == CURVE

    source = inspect.getsource

    def edited(thing):
        return source(thing) + (
            "# edited" if getattr(thing, "__name__", "") == "strategies.selection" else ""
        )

    monkeypatch.setattr(inspect, "getsource", edited)
    assert kept(tmp_path).get("margin", 3) is None


def test_a_strategy_without_source_is_known_by_its_name(tmp_path):
    namespace = {"__name__": "typed"}
    exec("class Typed:\n    def __call__(self, learner, X, n_instances=1):\n        return [0]", namespace)
    kept(tmp_path, strategy=len).put(CURVE)

    assert kept(tmp_path, strategy=len).get("margin", 3) == CURVE
    assert kept(tmp_path, strategy=namespace["Typed"]()).get("margin", 3) is None
