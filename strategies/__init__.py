"""Which items to ask about next: query strategies for active learning on any scikit-learn classifier.

    indices, utilities = strategies.margin(model, X_pool, n_instances=20, rng=0)

Every strategy has the form of :class:`Strategy`, which is modAL's convention, so that each also works as
`ActiveLearner(model, query_strategy=strategies.margin)`. `auto` is the default; :func:`table` tells what
each of the others does, by which paper, what it costs and when not to use it. `mixture`, `class_balanced`,
`linear_combination` and `product` make new strategies of others; strategies of one's own are made of `top`,
`as_rng`, `n_rows`, `squash` and :mod:`strategies.geometry`. Needs numpy, scipy and scikit-learn only.
"""

from __future__ import annotations

from strategies.auto import auto
from strategies.badge import badge
from strategies.batch import ranked_batch
from strategies.catalogue import by_name, facts, markdown_table, needs_of, table
from strategies.chance import random_sampling
from strategies.class_balance import ClassBalanced, class_balanced
from strategies.cluster_margin import cluster_margin, weighted_kmeans
from strategies.committee import bald, consensus_entropy, max_disagreement, vote_entropy
from strategies.composition import LinearCombination, Product, linear_combination, product
from strategies.contrastive import contrastive
from strategies.density import density_weighted, information_density
from strategies.discriminative import discriminative
from strategies.diversity import cold_start
from strategies.expected_error import expected_error
from strategies.falcun import falcun
from strategies.k_center import k_center
from strategies.mixing import Mixture, mixture
from strategies.prob_cover import prob_cover
from strategies.probabilities import squash
from strategies.selection import Strategy, as_rng, n_rows, top
from strategies.typiclust import typiclust
from strategies.uncertainty import cost_sensitive, entropy, least_confident, margin

__all__ = [
    "ClassBalanced",
    "LinearCombination",
    "Mixture",
    "Product",
    "Strategy",
    "as_rng",
    "auto",
    "badge",
    "bald",
    "by_name",
    "class_balanced",
    "cluster_margin",
    "cold_start",
    "consensus_entropy",
    "contrastive",
    "cost_sensitive",
    "density_weighted",
    "discriminative",
    "entropy",
    "expected_error",
    "facts",
    "falcun",
    "information_density",
    "k_center",
    "least_confident",
    "linear_combination",
    "margin",
    "markdown_table",
    "max_disagreement",
    "mixture",
    "n_rows",
    "needs_of",
    "prob_cover",
    "product",
    "random_sampling",
    "ranked_batch",
    "squash",
    "table",
    "top",
    "typiclust",
    "vote_entropy",
    "weighted_kmeans",
]

#: Tells this package from others of the same, common name; `bootstrap.strategies` looks at it.
__distribution__ = "bootstrap-labels"
