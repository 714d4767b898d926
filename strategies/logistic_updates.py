"""What a logistic regression would become with one more label, for many items and labels at a time.

Refitting is what makes expected error reduction slow. Here all refits share one inverse Hessian, that of the
fit without the new label: the new item's own loss is then minimised exactly, the loss of all others to second
order around that fit, and two Newton-like steps on the whole loss correct what that leaves. These steps are
cut short where the loss might rise otherwise; without that some refits diverge.

All coefficients here have one row per class. In scikit-learn those of two classes are one row, the second
class against the first: the first row is 0 then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import Points, dense

__all__ = ["Inputs", "LogisticUpdates", "refusal", "softmax"]

#: Of the intercept, which scikit-learn leaves free: keeps the Hessian invertible where it is flat.
_INTERCEPT_PENALTY: Final = 1e-9
#: The Hessian has this many rows at most (128 MB, and as much again for its inverse).
_MOST_PARAMETERS: Final = 4096
_FIT_STEPS, _OWN_STEPS, _STEPS = 50, 8, 2
#: How far a step may change the difference of two logits, so that the loss can't rise.
_REACH: Final = 1.79
_HALVINGS: Final = 10

_Floats = NDArray[np.float64]


def refusal(model: Any) -> str | None:
    """Why the update does not hold for this fitted classifier; None if it does."""
    from sklearn.linear_model import LogisticRegression

    if type(model) is not LogisticRegression:
        return f"{type(model).__name__} is no LogisticRegression"
    penalty, ratio = getattr(model, "penalty", "l2"), getattr(model, "l1_ratio", None)
    elastic = penalty == "elasticnet" or penalty == "deprecated"  # where l1_ratio counts
    if penalty in ("l1", None) or (elastic and ratio) or not np.isfinite(model.C):
        return "this LogisticRegression has no L2 penalty, or another besides"
    if model.solver == "liblinear":
        return "this LogisticRegression has solver='liblinear', which penalises the intercept"
    ways = getattr(model, "multi_class", "deprecated")
    if ways == ("multinomial" if len(model.classes_) == 2 else "ovr"):
        return f"this LogisticRegression has multi_class={ways!r}"
    return None


def softmax(logits: _Floats, axis: int) -> _Floats:
    """Probabilities from logits, written over them."""
    logits -= logits.max(axis=axis, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=axis, keepdims=True)
    return logits


class Inputs:
    """Items as the rows of few numbers that decide what any refit says about them.

    With more features than labeled items, a refit's coefficients lie in the span of those and the new item.
    A row holds coordinates in that span then: those of the labeled items' span, and the length of what is
    left, which belongs to the new item alone. A 1 for the intercept comes last.

    Parameters
    ----------
    known : Points
        The labeled items, as the classifier sees them; m of them.
    intercept : bool
        Whether the classifier has one.

    Attributes
    ----------
    known : ndarray of shape (m, D)
        Their rows.
    """

    def __init__(self, known: Points, intercept: bool) -> None:
        self._intercept = intercept
        self._axes: Any = None
        m, d = known.rows.shape
        if d > m:
            values, vectors = np.linalg.eigh(_dense(known.rows @ known.rows.T))
            kept = values > 1e-10 * max(values[-1], 1e-300)
            self._axes = known.rows.T @ (vectors[:, kept] / np.sqrt(values[kept]))
        self.known = self._with_ends(known, np.zeros(m))
        self._n_features = self.known.shape[1] - intercept

    def penalties(self, C: float) -> _Floats:
        """What scikit-learn's loss, divided by C, adds for each coefficient's square, halved: (D,)."""
        penalties = np.full(self.known.shape[1], 1.0 / C)
        penalties[self._n_features :] = _INTERCEPT_PENALTY
        return penalties

    def of(self, points: Points) -> _Floats:
        """Rows of shape (n, D) for items that may be labeled."""
        beyond = np.zeros(len(points))
        if self._axes is not None:
            inside = _dense(points.rows @ self._axes)
            squares = points.squared_lengths - np.einsum("ij,ij->i", inside, inside)
            beyond = np.sqrt(np.where(squares > 1e-10 * points.squared_lengths, squares, 0.0))
        return self._with_ends(points, beyond)

    def logits(self, refits: _Floats, row: _Floats, new: Points, others: Points, rows: _Floats) -> _Floats:
        """Logits (L, K, r) of other items under (L, K, D) coefficients fitted with one new item.

        `row` (D,) and `rows` (r, D) are what :meth:`of` makes of `new` and `others`.
        """
        flat = refits.reshape(-1, refits.shape[-1])
        if self._axes is not None:
            place = self._n_features - 1  # where `rows` have what is theirs alone
            rows = rows.copy()
            rows[:, place] = 0.0
            if row[place] > 0:
                inner = _dense(others.rows @ new.rows.T).ravel()
                rows[:, place] = (inner - rows[:, :place] @ row[:place]) / row[place]
        return np.asarray((flat @ rows.T).reshape(*refits.shape[:2], -1))

    def _with_ends(self, points: Points, beyond: _Floats) -> _Floats:
        if self._axes is None:
            parts = [_dense(points.rows)]
        else:
            parts = [_dense(points.rows @ self._axes), beyond[:, np.newaxis]]
        if self._intercept:
            parts.append(np.ones((len(points), 1)))
        return np.concatenate(parts, axis=1, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _New:
    """N new items, each with one label: what they are, and what they do to the shared fit.

    rows (N, D), targets (N, K), weights (N, 1), leverages (N, K, K), responses (N, K, K * D)
    """

    rows: _Floats
    targets: _Floats
    weights: _Floats
    leverages: _Floats
    responses: _Floats


class LogisticUpdates:
    """Refits of one L2-penalised logistic regression with one more labeled item.

    Parameters
    ----------
    known : ndarray of shape (m, D)
        Labeled items, from :class:`Inputs`.
    codes : ndarray of shape (m,)
        Their classes, 0 to K-1.
    n_classes : int
        K.
    penalties : ndarray of shape (D,)
        From :meth:`Inputs.penalties`.
    weights : ndarray of shape (K,)
        What a label of each class counts.

    Attributes
    ----------
    coefficients : ndarray of shape (K, D)
        Fitted to what is known.

    Raises
    ------
    ValueError
        If the Hessian would be too large.
    """

    def __init__(
        self, known: _Floats, codes: NDArray[np.intp], n_classes: int, penalties: _Floats, weights: _Floats
    ) -> None:
        self._known, self._penalties, self._class_weights = known, penalties, weights
        self._weights = weights[codes]
        self._targets = np.eye(n_classes)[:, codes]
        self._contrasts = _contrasts(n_classes)
        n_parameters = self._contrasts.shape[1] * known.shape[1]
        if n_parameters > _MOST_PARAMETERS:
            raise ValueError(
                f"the updates of all items share a Hessian of {n_parameters} rows here (classes times "
                f"features or labeled items), more than {_MOST_PARAMETERS}: use fewer features "
                "(TruncatedSVD, PCA), or exact=True with n_candidates="
            )
        self.coefficients, inverse = self._fitted()
        n_features = known.shape[1]
        self._inverse = np.einsum(
            "ka,adce,lc->kdle", self._contrasts, inverse, self._contrasts, optimize=True
        )
        by_feature = self._inverse.transpose(1, 0, 2, 3).reshape(n_features, -1)
        self._by_feature = np.ascontiguousarray(by_feature)
        self._inverse = self._inverse.reshape(n_classes * n_features, -1)

    def with_labels(self, rows: _Floats, labels: NDArray[np.intp], worth: NDArray[np.bool_]) -> _Floats:
        """Coefficients (b, L, K, D), refitted with each of (b, D) `rows` under each of L `labels`.

        Steps on the whole loss are taken only for the refits that `worth` (b, L) marks.
        """
        b, (n_classes, n_features) = len(rows), self.coefficients.shape
        targets, weights = np.eye(n_classes)[labels], self._class_weights[labels, np.newaxis]
        responses = (rows @ self._by_feature).reshape(b, n_classes, n_classes, n_features)
        leverages = (responses @ rows[:, np.newaxis, :, np.newaxis])[..., 0]
        responses = responses.reshape(b, n_classes, -1)
        pulls = _own_pulls(leverages[:, np.newaxis], rows @ self.coefficients.T, targets, weights)
        refits = self.coefficients - (pulls @ responses).reshape(b, len(labels), n_classes, n_features)
        item, label = np.nonzero(worth)
        new = _New(rows[item], targets[label], weights[label], leverages[item], responses[item])
        better = refits[item, label]
        for _ in range(_STEPS):
            better = self._stepped(better, new)
        refits[item, label] = better
        return np.asarray(refits)

    def _stepped(self, refits: _Floats, new: _New) -> _Floats:
        """One more Newton-like step for each of (N, K, D) `refits`, along the shared inverse's direction.

        Its length is Newton's along that direction, or less: no difference of two logits of an item changes
        by more than r = 1.79. A logistic loss, which is generalised self-concordant, can't rise as long as
        exp(r) <= 1 + r + r² (from proposition 1 of Bach, "Self-concordant analysis for logistic regression",
        Electronic Journal of Statistics 4, 2010).
        """
        shape, m = refits.shape, len(self._known)
        n_classes, n_features = shape[1:]
        proba = softmax((refits.reshape(-1, n_features) @ self._known.T).reshape(-1, n_classes, m), 1)
        own = softmax(_products(refits, new.rows), 1)
        errors = proba - self._targets
        errors *= self._weights
        gradients = (errors.reshape(-1, m) @ self._known).reshape(shape)
        gradients += self._penalties * refits
        gradients += (new.weights * (own - new.targets))[..., np.newaxis] * new.rows[:, np.newaxis]
        steps = (gradients.reshape(-1, n_classes * n_features) @ self._inverse).reshape(shape)
        # The shared inverse lacks the new item's own curvature: Woodbury's formula adds it.
        spread = _spreads(own, new.weights)
        pulled = spread @ _products(steps, new.rows)[..., np.newaxis]
        pulls = np.linalg.solve(np.eye(n_classes) + spread @ new.leverages, pulled)
        steps -= (pulls.transpose(0, 2, 1) @ new.responses).reshape(shape)
        moves = (steps.reshape(-1, n_features) @ self._known.T).reshape(-1, n_classes, m)
        own_moves = _products(steps, new.rows)
        curvature = _variances(moves, proba) @ self._weights
        curvature += new.weights[:, 0] * _variances(own_moves, own)
        curvature += np.einsum("nkd,nkd,d->n", steps, steps, self._penalties)
        slope = np.maximum(np.einsum("nkd,nkd->n", gradients, steps), 0.0)
        newton = np.divide(slope, curvature, out=np.zeros_like(slope), where=curvature > 0)
        reach = np.maximum(np.ptp(moves, axis=1).max(axis=1), np.ptp(own_moves, axis=1))
        length = np.minimum(newton, _REACH / np.maximum(reach, 1e-300))
        return np.asarray(refits - length[:, np.newaxis, np.newaxis] * steps)

    def _fitted(self) -> tuple[_Floats, _Floats]:
        """Coefficients (K, D) fitted to what is known, and the inverse Hessian there, of contrasts.

        By Newton's method with halved steps, from 0, which is where scikit-learn begins.
        """
        n_classes, n_features = len(self._targets), self._known.shape[1]
        coefficients = np.zeros((n_classes, n_features))
        loss = self._loss(coefficients)
        for _ in range(_FIT_STEPS):
            proba = softmax(coefficients @ self._known.T, 0)
            gradient = (
                (proba - self._targets) * self._weights
            ) @ self._known + self._penalties * coefficients
            gradient = self._contrasts.T @ gradient
            hessian = self._hessian(proba)
            step = np.linalg.solve(hessian, gradient.ravel()).reshape(gradient.shape)
            for halving in range(_HALVINGS):
                nearer = coefficients - 0.5**halving * (self._contrasts @ step)
                new_loss = self._loss(nearer)
                if new_loss < loss:
                    break
            if new_loss > loss - 1e-12 * (1.0 + abs(loss)):
                break
            coefficients, loss = nearer, new_loss
        inverse = np.asarray(np.linalg.inv(hessian))
        return coefficients, inverse.reshape(-1, n_features, len(inverse) // n_features, n_features)

    def _loss(self, coefficients: _Floats) -> float:
        logits = coefficients @ self._known.T
        logits -= (logits * self._targets).sum(axis=0)
        each = np.logaddexp.reduce(logits, axis=0)
        return float(each @ self._weights + 0.5 * (coefficients**2 @ self._penalties).sum())

    def _hessian(self, proba: _Floats) -> _Floats:
        """Of the loss in contrasts of coefficients, for (K, m) probabilities of what is known."""
        n_features = self._known.shape[1]
        seen = self._contrasts.T @ proba
        n_contrasts = len(seen)
        parts = np.empty((n_contrasts, n_features, n_contrasts, n_features))
        for a in range(n_contrasts):
            for b in range(a + 1):
                both = (self._contrasts[:, a] * self._contrasts[:, b]) @ proba - seen[a] * seen[b]
                part = (self._known.T * (both * self._weights)) @ self._known
                parts[a, :, b], parts[b, :, a] = part, part
        hessian: _Floats = parts.reshape(n_contrasts * n_features, -1)
        hessian[np.diag_indices(len(hessian))] += np.tile(self._penalties, n_contrasts)
        return hessian


def _own_pulls(leverages: _Floats, logits: _Floats, targets: _Floats, weights: _Floats) -> _Floats:
    """How hard each new item pulls at each class's logit once the others pull back: (b, L, K).

    Minimises c'Ac / 2 + w loss(f - Ac), where A (b, 1, K, K) are the leverages, f (b, K) the logits without
    the new item and `targets` (L, K) its labels: c = w (p - target) there. Newton's method, with a search
    for the least along each direction.
    """
    pulls = np.zeros((len(logits), *targets.shape))
    identity = np.eye(targets.shape[1])

    def pulled(pulls: _Floats) -> _Floats:
        return softmax(logits[:, np.newaxis] - (leverages @ pulls[..., np.newaxis])[..., 0], 2)

    for _ in range(_OWN_STEPS):
        own = pulled(pulls)
        gaps = pulls - weights * (own - targets)
        if np.abs(gaps).max(initial=0.0) < 1e-4:
            break
        system = identity + _spreads(own, weights) @ leverages
        steps = np.linalg.solve(system, gaps[..., np.newaxis])[..., 0]
        lifts = (leverages @ steps[..., np.newaxis])[..., 0]
        low, high = np.zeros(steps.shape[:2]), np.ones(steps.shape[:2])
        length = high
        for _ in range(_HALVINGS):
            there = pulls - length[..., np.newaxis] * steps
            falls = ((there - weights * (pulled(there) - targets)) * lifts).sum(axis=2) >= 0
            low, high = np.where(falls, length, low), np.where(falls, high, length)
            length = (low + high) / 2
        pulls = pulls - length[..., np.newaxis] * steps
    return np.asarray(weights * (pulled(pulls) - targets))


def _contrasts(n_classes: int) -> _Floats:
    """Columns that span the differences between classes: what scikit-learn's coefficients can be."""
    if n_classes == 2:
        return np.array([[0.0], [1.0]])
    return np.linalg.svd(np.eye(n_classes) - 1.0 / n_classes)[0][:, :-1]


def _products(coefficients: _Floats, rows: _Floats) -> _Floats:
    """(N, K) products of (N, K, D) coefficients with (N, D) rows."""
    return np.asarray((coefficients @ rows[..., np.newaxis])[..., 0])


def _spreads(proba: _Floats, weights: _Floats) -> _Floats:
    """(..., K, K) weighted covariances of the one-hot class, for (..., K) probabilities."""
    weighted = weights * proba
    spreads = -weighted[..., np.newaxis] * proba[..., np.newaxis, :]
    diagonal = np.arange(proba.shape[-1])
    spreads[..., diagonal, diagonal] += weighted
    return np.asarray(spreads)


def _variances(values: _Floats, proba: _Floats) -> _Floats:
    """Of what each class has, the second axis being the classes."""
    weighted = values * proba
    means = weighted.sum(axis=1)
    weighted *= values
    return np.asarray(weighted.sum(axis=1) - means**2)


def _dense(values: Any) -> _Floats:
    return dense(values).astype(np.float64, copy=False)
