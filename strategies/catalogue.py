"""All strategies by their names."""

from __future__ import annotations

import difflib
from typing import Final

from strategies.chance import random_sampling
from strategies.committee import consensus_entropy, max_disagreement, vote_entropy
from strategies.diversity import cold_start
from strategies.selection import Strategy
from strategies.uncertainty import entropy, least_confident, margin

__all__ = ["by_name"]

_STRATEGIES: Final[dict[str, Strategy]] = {
    "cold_start": cold_start,
    "consensus_entropy": consensus_entropy,
    "entropy": entropy,
    "least_confident": least_confident,
    "margin": margin,
    "max_disagreement": max_disagreement,
    "random_sampling": random_sampling,
    "vote_entropy": vote_entropy,
}


def by_name(name: str) -> Strategy:
    """The strategy of that name; names are those of the functions.

    Raises
    ------
    ValueError
        If there is none; the message lists all and suggests near ones.
    """
    if name in _STRATEGIES:
        return _STRATEGIES[name]
    near = difflib.get_close_matches(str(name).lower(), _STRATEGIES, n=2)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise ValueError(f"no strategy is called {name!r}.{hint} There are: {', '.join(_STRATEGIES)}")
