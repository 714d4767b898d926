"""Finished runs of a comparison in a folder, one file each, so that a second call does only what is missing.

A file has its name when it is complete, and not before. Its key is made of what decides the run, so that
data, settings or a strategy's source that changed have other keys; of somebody's own strategy it covers the
function alone, and not what that calls. Files that can't be read count as not there.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import json
import os
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from bootstrap import __version__
from bootstrap.errors import InvalidInput
from bootstrap.features import Features
from bootstrap.learner import as_learner, members_of
from bootstrap.strategy_call import Strategy
from bootstrap.testing.learning_curves import CurveSettings, LearningCurve

__all__ = ["KeptCurves"]

#: Goes up when what is written, or what a run does, changes.
_FORMAT: Final = 1

#: Modules of the strategies that come with this package.
_OURS: Final = "strategies."


class KeptCurves:
    """The finished runs of one comparison, in a folder that may hold those of others too.

    A run's key covers the data and labels, the estimator, the settings, the seed, this package's version,
    and of the strategy its name, its parameters (of a partial or an object) and its own source; of one that
    comes with this package the source of its module too, and of the modules that this imports. It does not
    cover what somebody's own strategy uses from elsewhere: functions that it calls, modules, global
    variables. Where one of these changed, another folder or another name is needed, or the old curves come
    back.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    X, y, estimator, settings
        As in :func:`bootstrap.testing.learning_curves.learning_curve`.
    strategies : mapping
        Name -> function.

    Raises
    ------
    InvalidInput
        If the folder can't be made.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        X: Features,
        y: NDArray[Any],
        estimator: Any,
        settings: CurveSettings,
        strategies: Mapping[str, Strategy],
    ) -> None:
        self._folder = Path(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(
                f"cannot make the folder {self._folder} for finished runs ({error.strerror}): choose another"
            ) from error
        self._same = {
            "format": _FORMAT,
            "version": __version__,
            "data": joblib.hash((_plain(X), y)),
            "estimator": _fingerprint([m.estimator for m in members_of(as_learner(estimator))]),
            **asdict(settings),
        }
        self._strategies = {name: _fingerprint_of_code(s) for name, s in strategies.items()}

    def get(self, strategy: str, seed: int) -> LearningCurve | None:
        """The curve of a finished run, or None."""
        key = self._key(strategy, seed)
        try:
            content = json.loads(self._path(strategy, seed, key).read_text(encoding="utf-8"))
            if content.pop("key") != key:
                return None
            return _checked(LearningCurve(strategy, seed, **{k: tuple(v) for k, v in content.items()}))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None  # not there, or damaged: it is done again

    def put(self, curve: LearningCurve) -> None:
        """Keep a finished run: on the disk when this returns, complete or not at all."""
        key = self._key(curve.strategy, curve.seed)
        path = self._path(curve.strategy, curve.seed, key)
        content = {
            "key": key,
            "n_labels": curve.n_labels,
            "accuracy": curve.accuracy,
            "seconds": curve.seconds,
        }
        unfinished = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
        try:
            with unfinished.open("w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise

    def _key(self, strategy: str, seed: int) -> str:
        decides = {**self._same, "strategy": [strategy, self._strategies[strategy]], "seed": seed}
        return hashlib.blake2b(json.dumps(decides, sort_keys=True).encode(), digest_size=16).hexdigest()

    def _path(self, strategy: str, seed: int, key: str) -> Path:
        readable = re.sub(r"[^A-Za-z0-9_-]+", "_", strategy)[:60]
        return self._folder / f"{readable}-{seed}-{key[:12]}.json"


def _checked(curve: LearningCurve) -> LearningCurve:
    """The curve, if it can be one; ValueError if not."""
    numbers = np.array([curve.n_labels, curve.accuracy, curve.seconds], dtype=np.float64)
    rising = (np.diff(numbers[0]) > 0).all() and numbers.shape[1] > 0
    if not (rising and np.isfinite(numbers).all() and (abs(numbers[1] - 0.5) <= 0.5).all()):
        raise ValueError("no learning curve")
    return curve


def _plain(X: Features) -> Any:
    """What of `X` decides a run: no flags that scipy or pandas keep beside the values."""
    if sp.issparse(X):
        return X.shape, X.data, X.indices, X.indptr
    if hasattr(X, "iloc"):
        return [(str(name), str(X[name].dtype), X[name].tolist()) for name in X.columns]
    return X


def _fingerprint(thing: Any) -> str:
    """A hash of what is pickled; of something that can't be, one that comes never again."""
    try:
        return str(joblib.hash(thing))
    except Exception:  # whatever pickling an unknown object raises
        return secrets.token_hex(8)


def _fingerprint_of_code(strategy: Strategy) -> str:
    """Of a strategy: what it is and its source, so that an edited one is run again.

    Of a strategy that comes with this package its file counts, and the package's files that this imports.
    """
    function: Any = strategy
    while isinstance(function, functools.partial):
        function = function.func
    function = function if inspect.isroutine(function) else type(function)
    code: list[str] = []
    with contextlib.suppress(OSError, TypeError):  # typed in at a prompt, or written in C
        if function.__module__.startswith(_OURS):
            code += _sources(function.__module__, {}).values()
        else:
            code.append(inspect.getsource(function))
    return str(joblib.hash([_fingerprint(strategy), *code]))


def _sources(module: str, found: dict[str, str]) -> dict[str, str]:
    """Source by name, of a module of the strategies and of those that it imports."""
    found[module] = inspect.getsource(sys.modules[module])
    for other in re.findall(rf"^ *from ({_OURS}[\w.]+) import", found[module], re.MULTILINE):
        if other in sys.modules and other not in found:
            _sources(other, found)
    return found
