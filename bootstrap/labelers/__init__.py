"""Who answers: a callback, a simulated person, a person in the terminal, a panel of several.

Any callable on a list of queries is a labeler (:class:`bootstrap.protocols.Labeler`); these are ready
made. :func:`each` makes one out of a function that answers a single query.
"""

from __future__ import annotations

from bootstrap.labelers.callback import each
from bootstrap.labelers.panel import PanelLabeler
from bootstrap.labelers.simulated import SimulatedLabeler
from bootstrap.labelers.terminal import TerminalLabeler

__all__ = ["PanelLabeler", "SimulatedLabeler", "TerminalLabeler", "each"]
