"""Which items to ask about next: query strategies for active learning on any scikit-learn classifier.

    indices, utilities = strategies.margin(model, X_pool, n_instances=20, rng=0)

Every strategy has the form of :class:`Strategy`, which is modAL's convention, so that each also works as
`ActiveLearner(model, query_strategy=strategies.margin)`. With one model: `margin`, `entropy`,
`least_confident`. With several: `vote_entropy`, `consensus_entropy`, `max_disagreement`. With none:
`cold_start`, `random_sampling`. `mixture` adds chance to any of them. Strategies of one's own are made of
`top`, `as_rng`, `n_rows` and `squash` (decision values as probabilities). Needs numpy, scipy and
scikit-learn only.
"""

from __future__ import annotations

from strategies.catalogue import by_name
from strategies.chance import random_sampling
from strategies.committee import consensus_entropy, max_disagreement, vote_entropy
from strategies.diversity import cold_start
from strategies.mixing import Mixture, mixture
from strategies.probabilities import squash
from strategies.selection import Strategy, as_rng, n_rows, top
from strategies.uncertainty import entropy, least_confident, margin

__all__ = [
    "Mixture",
    "Strategy",
    "as_rng",
    "by_name",
    "cold_start",
    "consensus_entropy",
    "entropy",
    "least_confident",
    "margin",
    "max_disagreement",
    "mixture",
    "n_rows",
    "random_sampling",
    "squash",
    "top",
    "vote_entropy",
]

#: Tells this package from others of the same, common name; `bootstrap.strategies` looks at it.
__distribution__ = "bootstrap-labels"
