"""Expected error reduction: how well the model would expect to do if it were told one more label.

Every item of the pool is tried with every label it may have. A logistic regression is brought up to date by
:mod:`strategies.logistic_updates`, for all of them together; any other classifier is refitted, once for each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import blocks, geometry, labeled_items, take
from strategies.logistic_updates import Inputs, LogisticUpdates, refusal
from strategies.probabilities import class_probabilities
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows, top
from strategies.uncertainty import entropy_utilities, least_confident_utilities, margin_utilities

__all__ = ["Loss", "expected_error"]

#: "log": entropy of the class probabilities, in nats. "zero_one": one minus the top probability.
Loss: TypeAlias = Literal["log", "zero_one"]

_LOSSES: Final[dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = {
    "log": entropy_utilities,
    "zero_one": least_confident_utilities,
}
#: So many refits are done without having been asked for.
_FEW_FITS: Final = 500
#: A label that counts this much less than the item's most telling one is not worth the last two steps.
_WORTH: Final = 0.02
#: Numbers in a block of what the labeled items get from every refit.
_BLOCK: Final = 1 << 17


def expected_error(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    loss: Loss = "log",
    exact: bool = False,
    n_candidates: int | None = None,
    n_references: int | None = None,
    n_jobs: int | None = None,
) -> Picked:
    """Ask where the label is expected to leave the model with the least loss over the rest of the pool.

    For a logistic regression the refits of all items and labels are computed together, from the Hessian at
    the fit to what is labeled; they rank items as refits to convergence do (Spearman above 0.99 on digits,
    breast cancer and wine). scikit-learn's own refits stop earlier: with its default `tol` their noise can
    outweigh what one label changes.

    Parameters
    ----------
    learner : object
        A fitted classifier, itself or in a modAL or bootstrap learner; of a committee each member is asked
        and the mean taken. The quick way is for `LogisticRegression` with an L2 penalty (any solver but
        liblinear; any `C` and `class_weight`), alone or last in a Pipeline, whose transformers stay as they
        are. It takes the classifier to be fitted to convergence without sample weights.
    X, n_instances : as in :func:`strategies.margin`
    rng : None, int or Generator
        Draws the references, seeds refits of classifiers whose `random_state` is None, and breaks ties.
    labeled : (X, y), optional
        The training set, as the learner takes it; by default what it was trained on. Needed.
    loss : {"log", "zero_one"}
        What the model expects of itself on an item: the entropy of its probabilities, or one minus the
        largest of them.
    exact : bool
        Refit a clone of the classifier (of the whole Pipeline) for every item and label. Other classifiers
        than those above are refitted without this too if that takes 500 fits at most.
    n_candidates : int, optional
        Try only so many items (at least `n_instances`), those of least margin. By default all.
    n_references : int, optional
        Sum the loss over so many items drawn at random. By default all.
    n_jobs : int, optional
        Of the refits, through joblib; the picks do not depend on it.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first.

    Raises
    ------
    ValueError
        Without labeled items; for another classifier in more than 500 fits without `exact`; for an unknown
        loss; if a count is below 1.
    TypeError
        If a count is no whole number.

    Notes
    -----
    Paper: Roy & McCallum, "Toward optimal active learning through sampling estimation of error reduction",
    ICML 2001, equations 2 and 3.

    Utility: ``-sum_y P(y|x) mean_z loss(P'(.|z))``, with P' refitted with (x, y) and z over the pool without
    x.

    Cost: O(n c² (r + m)(c + d) + (c d)³) with r references and min(d, m) for d, so quadratic in n with all of
    them; else n c refits. Set n_candidates and n_references beyond some hundred items: a thousand of 384
    features take half a minute.

    Memory: O(n d + (c d)²) with min(d, m) for d (2 times 128 MB at most), and a few MB.

    Not when: the pool is large, the model badly calibrated or hardly regularised, or batches are large:
    items are judged one by one, and near-duplicates are alike.
    """
    plan = _Plan(_known_loss(loss), exact, _at_least_one(n_references, "n_references"), n_jobs)
    n_candidates = _at_least_one(n_candidates, "n_candidates")
    rng = as_rng(rng)
    n = n_rows(X)
    count = min(as_count(n_instances), n)
    members = _members(learner)
    training = [_training_set(learner, member, labeled) for member in members]
    if count == 0:
        return top(np.empty(0), 0, rng)
    candidates = np.arange(n)
    if n_candidates is not None and max(n_candidates, count) < n:
        beliefs = [margin_utilities(class_probabilities(_estimator(member), X)) for member in members]
        candidates = top(np.mean(beliefs, axis=0), max(n_candidates, count), rng)[0]
    references = np.arange(n)
    if plan.n_references is not None and plan.n_references < n:
        references = rng.choice(n, plan.n_references, replace=False)
    seed = int(rng.integers(2**31))
    losses = [
        _expected_losses(member, X, known, candidates, references, plan, seed)
        for member, known in zip(members, training, strict=True)
    ]
    # Rounding errors must not settle what is a tie.
    picked, utilities = top(-np.round(np.mean(losses, axis=0), 12), count, rng)
    return candidates[picked], utilities


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was asked for."""

    loss: Loss
    exact: bool
    n_references: int | None
    n_jobs: int | None


def _expected_losses(
    member: Any,
    X: Any,
    known: tuple[Any, Any],
    candidates: NDArray[np.intp],
    references: NDArray[np.intp],
    plan: _Plan,
    seed: int,
) -> NDArray[np.float64]:
    """What each candidate's label is expected to leave, for one model."""
    estimator = _estimator(member)
    proba = class_probabilities(estimator, take(X, candidates))
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    codes = _codes(member, estimator, known[1])
    why = refusal(last)
    if why is None and not plan.exact:
        return _by_updates(estimator, last, X, (known[0], codes), candidates, references, proba, plan.loss)
    n_fits = proba.size
    if not plan.exact and n_fits > _FEW_FITS:
        raise ValueError(
            f"{why}, so it can't be brought up to date for all items at once, and refitting it for "
            f"{len(candidates)} items with {proba.shape[1]} labels each takes {n_fits} fits: pass exact=True "
            f"if they are worth it (n_jobs= shares them out), or n_candidates= for fewer than {_FEW_FITS} "
            "fits, of the items of least margin"
        )
    return _by_refits(estimator, X, (known[0], codes), candidates, references, proba, plan, seed)


# by updates


def _by_updates(
    estimator: Any,
    model: Any,
    X: Any,
    known: tuple[Any, NDArray[np.intp]],
    candidates: NDArray[np.intp],
    references: NDArray[np.intp],
    proba: NDArray[np.float64],
    loss: Loss,
) -> NDArray[np.float64]:
    rows, codes = known
    trained: Any  # labeled_items() has found some
    tried, trained = geometry(estimator, take(X, candidates), (rows, codes), as_fitted=True)
    others, _ = geometry(estimator, take(X, references), (rows, codes), as_fitted=True)
    inputs = Inputs(trained, model.fit_intercept)
    seen, n_classes = inputs.of(others), proba.shape[1]
    at_a_time = max(1, _BLOCK // (n_classes**2 * len(codes)))
    losses = np.zeros(len(candidates))
    for labels, weights in _label_groups(model, codes):
        updates = LogisticUpdates(inputs.known, codes, n_classes, inputs.penalties(model.C), weights)
        for start in range(0, len(candidates), at_a_time):
            block = slice(start, start + at_a_time)
            new, worth = inputs.of(tried.only(block)), _worth(proba[block])[:, labels]
            for i, refits in enumerate(updates.with_labels(new, labels, worth), start):
                item, kept = tried.only(slice(i, i + 1)), references != candidates[i]
                totals = np.zeros(len(labels))
                for part in blocks(len(references), refits[..., 0].nbytes):
                    logits = inputs.logits(refits, new[i - start], item, others.only(part), seen[part])
                    totals += _losses_of_logits(logits, loss) @ kept[part]
                losses[i] += proba[i, labels] @ totals / max(1, kept.sum())
    return losses


def _worth(proba: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which labels decide what is expected of an item: probable, and yet news, of (b, K) probabilities."""
    telling = proba * (1.0 - proba)
    return np.asarray(telling >= _WORTH * telling.max(axis=1, keepdims=True))


def _label_groups(model: Any, codes: NDArray[np.intp]) -> list[tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Labels that share a fit to what is known already, and what a label of each class counts in it."""
    n_classes = len(model.classes_)
    every = np.arange(n_classes)
    if model.class_weight is None:
        return [(every, np.ones(n_classes))]
    if not isinstance(model.class_weight, str):
        weights = [float(model.class_weight.get(label, 1.0)) for label in model.classes_.tolist()]
        return [(every, np.array(weights))]
    groups = []
    for label in every:  # "balanced": the new label changes what all the others count
        counts = np.bincount(np.append(codes, label), minlength=n_classes)
        groups.append((every[label : label + 1], counts.sum() / (n_classes * np.maximum(counts, 1))))
    return groups


def _losses_of_logits(logits: NDArray[np.float64], loss: Loss) -> NDArray[np.float64]:
    """(L, r) losses for (L, K, r) logits, which are written over."""
    logits -= logits.max(axis=1, keepdims=True)
    weights = np.exp(logits)
    totals = weights.sum(axis=1)
    if loss == "zero_one":
        return np.asarray(1.0 - 1.0 / totals)
    weights *= logits
    return np.asarray(np.log(totals) - weights.sum(axis=1) / totals)


# by refits


def _by_refits(
    estimator: Any,
    X: Any,
    known: tuple[Any, NDArray[np.intp]],
    candidates: NDArray[np.intp],
    references: NDArray[np.intp],
    proba: NDArray[np.float64],
    plan: _Plan,
    seed: int,
) -> NDArray[np.float64]:
    import joblib

    unfitted = _seeded(estimator, seed)
    y = estimator.classes_[known[1]]
    others = take(X, references)
    shares = np.array_split(np.arange(len(candidates)), min(len(candidates), 64))
    parts = joblib.Parallel(n_jobs=plan.n_jobs)(
        joblib.delayed(_refit_losses)(
            unfitted,
            (known[0], y, estimator.classes_),
            take(X, candidates[share]),
            others,
            candidates[share, np.newaxis] != references,
            proba[share],
            plan.loss,
        )
        for share in shares
    )
    return np.concatenate(parts)


def _refit_losses(
    unfitted: Any,
    known: tuple[Any, NDArray[Any], NDArray[Any]],
    tried: Any,
    others: Any,
    kept: NDArray[np.bool_],
    proba: NDArray[np.float64],
    loss: Loss,
) -> NDArray[np.float64]:
    """Expected losses of some candidates; runs in joblib's workers."""
    from sklearn.base import clone

    rows, y, classes = known
    losses = np.zeros(len(proba))
    for i in range(len(proba)):
        more = _stacked(rows, take(tried, slice(i, i + 1)))
        for label in np.flatnonzero(proba[i] > 0):
            refit = clone(unfitted).fit(more, np.append(y, classes[label]))
            left = _LOSSES[loss](class_probabilities(refit, others))
            losses[i] += proba[i, label] * (left @ kept[i]) / max(1, kept[i].sum())
    return losses


def _seeded(estimator: Any, seed: int) -> Any:
    """An unfitted clone that draws on no global random state: all refits begin alike."""
    from sklearn.base import clone

    unfitted = clone(estimator)
    free = [
        name
        for name, value in unfitted.get_params(deep=True).items()
        if (name == "random_state" or name.endswith("__random_state")) and value is None
    ]
    return unfitted.set_params(**dict.fromkeys(free, seed))


def _stacked(known: Any, more: Any) -> Any:
    """The rows of both, in the kind of thing that they are."""
    if hasattr(known, "iloc") and hasattr(more, "iloc"):
        import pandas as pd

        return pd.concat([known, more])
    if hasattr(known, "tocsr") or hasattr(more, "tocsr"):
        import scipy.sparse as sp

        return sp.vstack([sp.csr_matrix(known), sp.csr_matrix(more)], format="csr")
    if isinstance(known, list) or isinstance(more, list):
        return [*known, *more]
    return np.concatenate([np.asarray(known), np.asarray(more)])


# what the learner is


def _members(learner: Any) -> list[Any]:
    members = learner if isinstance(learner, list | tuple) else getattr(learner, "learner_list", [learner])
    if not len(members):
        raise ValueError("the committee has no members: pass at least one fitted classifier")
    return list(members)


def _estimator(member: Any) -> Any:
    """The classifier in a modAL or bootstrap learner, or itself."""
    return member.estimator if hasattr(member, "query_strategy") else member


def _training_set(learner: Any, member: Any, labeled: tuple[Any, Any] | None) -> tuple[Any, Any]:
    rows, y = labeled_items(member, labeled)
    if rows is None or y is None:
        raise ValueError(
            f"expected_error retrains the model, and {type(learner).__name__} doesn't say on what it was "
            "trained (X_training, y_training): pass labeled=(X, y)"
        )
    return rows, y


def _codes(member: Any, estimator: Any, y: NDArray[Any]) -> NDArray[np.intp]:
    """Positions of the labels in the estimator's `classes_`; a bootstrap learner's speaks codes itself."""
    classes = np.asarray(estimator.classes_).tolist()
    if member is not estimator and getattr(member, "classes_", None) is not None:
        names = np.asarray(member.classes_).tolist()
        classes = [names[code] for code in classes]
    position = {label: i for i, label in enumerate(classes)}
    unknown = [label for label in dict.fromkeys(y.tolist()) if label not in position]
    if unknown:
        raise ValueError(
            f"the learner knows the classes {classes[:20]}, and labels among what is labeled are "
            f"{unknown[:5]}: fit it on them first"
        )
    return np.array([position[label] for label in y.tolist()], dtype=np.intp)


def _known_loss(loss: Any) -> Loss:
    if loss in _LOSSES:
        return loss  # type: ignore[no-any-return]
    raise ValueError(f'loss must be "log" or "zero_one", got {loss!r}')


def _at_least_one(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number or None, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be 1 or more, or None for all, got {value}")
    return int(value)
