"""Start with people labeling everything; let the model take over as it earns it.

The front door. Names are loaded when first used (PEP 562), so that `import bootstrap` alone stays
quick and loads no third-party package: none of numpy, scikit-learn, modAL, pandas, SQLAlchemy or matplotlib.

    from bootstrap import BootstrapLoop, strategies
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bootstrap import strategies
    from bootstrap.errors import BootstrapError, LabelerStopped, StoreError
    from bootstrap.history import History
    from bootstrap.labelers import PanelLabeler, SimulatedLabeler, TerminalLabeler, each
    from bootstrap.learner import Learner, as_learner
    from bootstrap.loading import load_loop
    from bootstrap.loop import BootstrapLoop
    from bootstrap.records import SKIP, Label, Query, Round
    from bootstrap.store import Desk

__version__ = "0.1.0"

__all__ = [
    "SKIP",
    "BootstrapError",
    "BootstrapLoop",
    "Desk",
    "History",
    "Label",
    "LabelerStopped",
    "Learner",
    "PanelLabeler",
    "Query",
    "Round",
    "SimulatedLabeler",
    "StoreError",
    "TerminalLabeler",
    "as_learner",
    "each",
    "load_loop",
    "strategies",
]

#: Name -> the module that holds it. `strategies` is a module itself.
_HOMES = {
    "BootstrapError": "bootstrap.errors",
    "BootstrapLoop": "bootstrap.loop",
    "Desk": "bootstrap.store",
    "History": "bootstrap.history",
    "Label": "bootstrap.records",
    "LabelerStopped": "bootstrap.errors",
    "Learner": "bootstrap.learner",
    "PanelLabeler": "bootstrap.labelers",
    "Query": "bootstrap.records",
    "Round": "bootstrap.records",
    "SKIP": "bootstrap.records",
    "SimulatedLabeler": "bootstrap.labelers",
    "StoreError": "bootstrap.errors",
    "TerminalLabeler": "bootstrap.labelers",
    "as_learner": "bootstrap.learner",
    "each": "bootstrap.labelers",
    "load_loop": "bootstrap.loading",
}


def __getattr__(name: str) -> Any:
    if name == "strategies":
        return importlib.import_module("bootstrap.strategies")
    if name not in _HOMES:
        raise AttributeError(f"module 'bootstrap' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value  # the next use takes no detour
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
