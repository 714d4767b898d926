"""The package `strategies` under the name `bootstrap.strategies`, after checking that it is ours.

`strategies` is a common name for a folder, and Python takes the first one on `sys.path`, which begins
with the folder of the script that runs. Everything in `bootstrap` imports strategies from here, so that
a stranger of that name is reported instead of failing far away.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from bootstrap.errors import PackageShadowed

_OURS = Path(__file__).resolve().parents[1] / "strategies"


def _found() -> str | None:
    """What `import strategies` finds: a file, a folder without `__init__.py`, or None for nothing."""
    module = sys.modules.get("strategies")
    spec = importlib.util.find_spec("strategies") if module is None else module.__spec__
    if spec is None:
        return None if module is None else repr(module)
    return spec.origin or str(next(iter(spec.submodule_search_locations or []), spec))


def _explain(found: str) -> str:
    return (
        f"`import strategies` found {found}, which is not (or not all of) the package of that name that "
        f"comes with bootstrap-labels, in {_OURS}. Python takes the first one on sys.path, where the folder "
        "of the script that runs (or the current folder) comes first. Rename your own file or folder, or "
        "run from another folder; if another installed distribution brings it, use a virtual environment "
        f"without that one, or put {_OURS.parent} first on sys.path."
    )


try:
    import strategies as _package

    if getattr(_package, "__distribution__", None) != "bootstrap-labels":
        raise ImportError("it lacks the mark of bootstrap-labels", name="strategies")
    if Path(_package.__file__).resolve().parent != _OURS:
        raise ImportError("it is another copy", name="strategies")
    from strategies import *  # noqa: F403

    __all__ = list(_package.__all__)
except ImportError as error:
    _place = _found()
    if _place is None or Path(_place).resolve().parent == _OURS:
        raise  # nothing there, or ours with something missing: that error says what
    raise PackageShadowed(_explain(_place)) from error
