"""Who answers: a callback, a simulated person, a person in the terminal, a panel of several.

Any callable on a list of queries is a labeler (:class:`bootstrap.protocols.Labeler`); these are ready
made. :func:`each` makes one out of a function that answers a single query. Names are loaded when first used
(PEP 562): whoever answers at a desk needs no scipy for what a panel says of itself.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bootstrap.labelers.callback import each
    from bootstrap.labelers.panel import PanelLabeler
    from bootstrap.labelers.simulated import SimulatedLabeler
    from bootstrap.labelers.terminal import TerminalLabeler

__all__ = ["PanelLabeler", "SimulatedLabeler", "TerminalLabeler", "each"]

#: Name -> the module that holds it.
_HOMES = {
    "PanelLabeler": "panel",
    "SimulatedLabeler": "simulated",
    "TerminalLabeler": "terminal",
    "each": "callback",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bootstrap.labelers' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"bootstrap.labelers.{_HOMES[name]}"), name)
    globals()[name] = value  # the next use takes no detour
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
