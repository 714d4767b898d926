"""The default: spread over the pool while few labels are known, uncertain and spread out from then on.

An uncertain model needs labels where it is uncertain; a model that has seen hardly any class does not know
where that is. One number says which of the two it is: labels for each class that has come up so far.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from strategies.cluster_margin import weighted_kmeans
from strategies.diversity import cold_start
from strategies.geometry import Metric, NoGeometry, check_metric, geometry_of, labeled_items, take
from strategies.probabilities import class_probabilities
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows
from strategies.typiclust import typiclust
from strategies.uncertainty import margin

__all__ = ["auto"]

#: Below so many labels for each class, on average, the model's uncertainty is not asked.
_LABELS_EACH: Final = 5
#: From then on this many of the least certain items compete for each place in the batch.
_CANDIDATES_EACH: Final = 3
#: And so many before, where rows are like those of texts.
_CANDIDATES_FEW_LABELS: Final = 20
#: Rows like those of texts have so many columns at least, and less than this share of them filled.
_WIDE: Final = 200
_FILLED: Final = 0.1
#: Items that are looked at to see what rows they make.
_A_FEW: Final = 200


def auto(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    metric: Metric = "euclidean",
) -> Picked:
    """Ask all over the pool while labels are few, and where the model is uncertain, spread out, from then on.

    1. Without a fitted model: :func:`strategies.cold_start`.
    2. While there are fewer than 5 labels for each class known so far, on average:
       :func:`strategies.typiclust`. On rows like the words of texts (200 columns or more, less than a
       tenth of them filled), where clusters of the whole pool mean little, :func:`strategies.weighted_kmeans`
       among the least certain items, 20 for each one wanted.
    3. From then on, or where the labels are not known: :func:`strategies.weighted_kmeans` among the least
       certain items, 3 for each one wanted: enough to leave out near-duplicates, and hardly less certain than
       margin's.

    The rule reads the number of labels and of classes in them, nothing else: no accuracy, so that none is
    spent on choosing. Where the items can't be compared (texts without a Pipeline and without
    `representation`), :func:`strategies.margin` takes the place of 2 and 3.

    Parameters
    ----------
    learner : object or None
        Fitted or not; with `X_training` and `y_training` (modAL's learners), unless `labeled` is given.
    X, n_instances : as in :func:`strategies.margin`
    rng : None, int or Generator
        Seeds k-means, and breaks ties.
    labeled : (X, y), optional
        What is labeled already. A plain classifier does not tell: without it, 3 is taken.
    representation, metric : as in :func:`strategies.geometry.geometry`
        Where distances are measured.

    Returns
    -------
    indices, utilities : ndarray
        In the order picked, with the utilities of the strategy in whose turn it is.

    Raises
    ------
    ValueError
        If the features or the model's probabilities are not finite, or `representation` does not fit.

    Notes
    -----
    Paper: the switch by the labels per class follows Hacohen, Dekel & Weinshall, "Active learning on a
    budget" (ICML 2022); what comes after it is Zhdanov, "Diverse mini-batch active learning" (2019).

    Utility: that of cold_start, typiclust or weighted_kmeans.

    Cost: that of typiclust while labels are few (long where there are many classes: seconds a round for 10^4
    embeddings), and little more than margin's from then on, as for words of texts from the beginning.

    Memory: O(n).

    Not when: features differ in unit and the learner is no Pipeline that scales them (pass
    `representation=StandardScaler()`); one item at a time is asked for (margin is as good and simpler).
    """
    rng, count = as_rng(rng), as_count(n_instances)
    check_metric(metric)
    if count == 0 or n_rows(X) == 0:
        return np.empty(0, dtype=np.intp), np.empty(0)
    if not _is_fitted(learner, X):
        return cold_start(learner, X, count, rng=rng, labeled=labeled, representation=representation)
    where: dict[str, Any] = {"labeled": labeled, "representation": representation, "metric": metric}
    try:
        few = _few_labels(learner, labeled)
        if few and not _are_words(learner, X, representation):
            return typiclust(learner, X, count, rng=rng, **where)
        prefilter = _CANDIDATES_FEW_LABELS if few else _CANDIDATES_EACH
        return weighted_kmeans(learner, X, count, rng=rng, prefilter=prefilter, **where)
    except NoGeometry:
        if representation is not None:
            raise
        return margin(learner, X, count, rng=rng)


def _is_fitted(learner: Any, X: Any) -> bool:
    """Whether it can be asked about an item; a learner that needs no fitting can."""
    from sklearn.exceptions import NotFittedError

    if learner is None:
        return False
    try:
        class_probabilities(learner, take(X, slice(0, 1)))
    except NotFittedError:
        return False
    return True


def _few_labels(learner: Any, labeled: tuple[Any, Any] | None) -> bool:
    _, y = labeled_items(learner, labeled)
    return y is not None and len(y) < _LABELS_EACH * len(set(y.tolist()))


def _are_words(learner: Any, X: Any, representation: Any) -> bool:
    """Whether rows are wide and nearly empty, judged by a few from all over: the form they come in is not."""
    n = n_rows(X)
    rows = np.unique(np.linspace(0, n - 1, min(_A_FEW, n)).astype(np.intp))
    few = geometry_of(learner, X, rows, representation).rows
    n_filled = few.count_nonzero() if hasattr(few, "tocsr") else np.count_nonzero(few)
    return few.shape[1] >= _WIDE and bool(n_filled < _FILLED * few.shape[0] * few.shape[1])
