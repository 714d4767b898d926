"""What every test may use: the digits, the development data sets, and a steady hypothesis."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from sklearn.datasets import load_digits

os.environ.setdefault("MPLBACKEND", "Agg")  # no window opens, on any machine

# The same examples in every run, and no deadline: a busy machine is not a failure.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def development_data(repository: Path) -> Path:
    """The folder of the development data sets; the test is skipped where there is none."""
    named = os.environ.get("BOOTSTRAP_LABELS_DATA")
    folder = Path(named) if named else repository.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("development data sets not found (set BOOTSTRAP_LABELS_DATA)")
    return folder


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.int64]]]:
    """scikit-learn's digits: X of shape (1797, 64) in [0, 1] and y in 0..9; nobody may write to them."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    X.setflags(write=False)
    y.setflags(write=False)
    return X, y
