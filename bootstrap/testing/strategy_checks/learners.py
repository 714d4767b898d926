"""What learners are like: classes they don't know, no probabilities, modAL's, and how many threads."""

from __future__ import annotations

from typing import Any, Final, Literal

import joblib
import numpy as np

from bootstrap.testing.strategy_checks.case import (
    N_ITEMS,
    Case,
    Check,
    Finding,
    expect_items,
    expect_same,
    labeled_rows,
    labels,
    pool,
)

__all__ = ["CHECKS"]

#: Items in the pool where a strategy that refits the learner for each of them would take long.
_FEW: Final = 30


def labeled_items(case: Case) -> None:
    """`labeled=(X, y)` is accepted, also with nothing in it.

    With `needs_labels=True`: without any, the ValueError says that `labeled` is missing.
    """
    learner, (known, y) = case.learner(), labeled_rows()
    for n in (len(y), 1):
        answer = case.ask(learner, pool(), 5, rng=0, labeled=(known[:n], y[:n]))
        expect_items(answer, 5, N_ITEMS, f"the pool, with {n} labeled items")
    for nothing in ((known[:0], y[:0]), None):
        try:
            answer = case.ask(learner, pool(), 5, rng=0, labeled=nothing)
        except ValueError as error:
            if not (case.needs_labels and "labeled" in str(error)):
                raise
        else:
            expect_items(answer, 5, N_ITEMS, "the pool, with nothing labeled")


def named_classes(case: Case) -> None:
    """Labels that are words give the answer that numbers in their place give."""
    (known, y), words = labeled_rows(), labels("named classes")
    numbers = case.ask(case.learner(), pool(), 5, rng=0, labeled=(known, y))
    named = case.ask(case.learner("named classes"), pool(), 5, rng=0, labeled=(known, words))
    expect_same(numbers, named, "numbers and words as labels", "Use positions in classes_, never labels")


def one_class(case: Case) -> None:
    """A learner that has seen one class only is no reason to fail: all utilities may be equal."""
    learner, known = case.learner("one class"), labeled_rows()[0]
    for y in (labels("one class"), labels("one class")[:0]):
        if len(y) or not case.needs_labels:
            answer = case.ask(learner, pool(), 10, rng=0, labeled=(known[: len(y)], y))
            expect_items(answer, 10, N_ITEMS, "a learner of one class")


def certain_learner(case: Case) -> None:
    """A learner that is always sure (probabilities 0 and 1, as of trees) gets distinct items too."""
    learner, labeled = case.learner("certain"), labeled_rows()
    for n_instances in (5, 85):
        answer = case.ask(learner, pool(), n_instances, rng=0, labeled=labeled)
        expect_items(answer, n_instances, N_ITEMS, "a learner that is always sure")


def decisions_only(case: Case) -> None:
    """A learner with only `decision_function` will do."""
    answer = case.ask(case.learner("decisions only"), pool(_FEW), 5, rng=0, labeled=labeled_rows())
    expect_items(answer, 5, _FEW, "a learner without predict_proba")


def modal_learner(case: Case) -> None:
    """It is a query_strategy of modAL's ActiveLearner, for batches of one and two, and leaves it as it is.

    Its X_training and y_training above all. Left out with `committee=True`.
    """
    from modAL.models import ActiveLearner
    from sklearn.linear_model import LogisticRegression

    known, y = labeled_rows()
    learner = ActiveLearner(
        LogisticRegression(), query_strategy=case.strategy, X_training=known, y_training=y
    )
    _expect_queries(case, learner, "modAL's ActiveLearner")


def modal_committee(case: Case) -> None:
    """It is a query_strategy of modAL's Committee, for batches of one and two, and leaves it as it is."""
    from modAL.models import ActiveLearner, Committee
    from sklearn.linear_model import LogisticRegression

    known, y = labeled_rows()
    members = [
        ActiveLearner(LogisticRegression(), X_training=known[i::4], y_training=y[i::4]) for i in range(4)
    ]
    _expect_queries(case, Committee(members, query_strategy=case.strategy), "modAL's Committee")


def bootstrap_learner(case: Case) -> None:
    """It is a query_strategy of `bootstrap.as_learner`'s learners, and leaves them as they are.

    For batches of one and two; with `committee=True` of that of a list, otherwise of that of one model
    as well.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB

    from bootstrap.learner import as_learner

    committee = [LogisticRegression(), LogisticRegression(C=0.01), GaussianNB()]
    for estimator in ([] if case.committee else [LogisticRegression()]) + [committee]:
        learner = as_learner(estimator)
        learner.fit(*labeled_rows())
        learner.query_strategy = case.strategy
        _expect_queries(case, learner, type(learner).__name__)


def blas_threads(case: Case) -> None:
    """One seed gives the same picks whether numpy uses one thread or two."""
    from threadpoolctl import threadpool_limits

    learner, X, labeled = case.learner(), pool(300), labeled_rows()
    with threadpool_limits(limits=1):
        one = case.ask(learner, X, 12, rng=0, labeled=labeled)
    with threadpool_limits(limits=2):
        two = case.ask(learner, X, 12, rng=0, labeled=labeled)
    expect_same(one, two, "one thread and two", "Let no draw depend on how work is shared out")


def process_settings(case: Case) -> None:
    """How numpy takes division by zero and the like, and how many threads it uses, stay what they were.

    Asked under two settings each: what sets always the same is not seen where that was set already.
    """
    from threadpoolctl import threadpool_info, threadpool_limits

    learner, X, labeled = case.learner(), pool(_FEW), labeled_rows()
    handlings: tuple[Literal["warn", "ignore"], ...] = ("warn", "ignore")
    for handling, limit in zip(handlings, (1, 2), strict=True):
        with np.errstate(divide=handling, over=handling, invalid=handling), threadpool_limits(limits=limit):
            before = np.geterr(), _threads(threadpool_info())
            case.ask(learner, X, 3, rng=0, labeled=labeled)
            after = np.geterr(), _threads(threadpool_info())
        if after[0] != before[0]:
            raise Finding(
                f"numpy.geterr() was {before[0]} and is {after[0]}",
                "Set it for a block of lines, by with numpy.errstate(...), never by numpy.seterr",
            )
        changed = [name for name, number in before[1].items() if after[1].get(name) != number]
        if changed:
            raise Finding(
                f"{changed[0]} had {before[1][changed[0]]} threads and has {after[1].get(changed[0])}",
                "Limit threads for a block of lines, by with threadpoolctl.threadpool_limits(...)",
            )


def jobs(case: Case) -> None:
    """`n_jobs` and joblib's backend change how long it takes, never what is picked.

    Only where the strategy has that option.
    """
    learner, X, labeled = case.learner(), pool(300), labeled_rows()
    one = case.ask(learner, X, 12, rng=0, labeled=labeled, n_jobs=1)
    remedy = "Draw before the work is shared out, and put results together in its order"
    two = case.ask(learner, X, 12, rng=0, labeled=labeled, n_jobs=2)
    expect_same(one, two, "n_jobs=1 and n_jobs=2", remedy)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        threads = case.ask(learner, X, 12, rng=0, labeled=labeled)
    expect_same(one, threads, "n_jobs=1 and joblib's threads", remedy)


def _threads(libraries: list[dict[str, Any]]) -> dict[str, int]:
    """Number of threads of each library for linear algebra, by its file."""
    return {library["filepath"]: library["num_threads"] for library in libraries}


def _expect_queries(case: Case, learner: Any, what: str) -> None:
    X, before = pool(_FEW), _kept(learner)
    for n_instances in (1, 2):
        indices, rows, utilities = learner.query(X, n_instances=n_instances, return_metrics=True, rng=0)
        expect_items((np.asarray(indices), np.asarray(utilities)), n_instances, _FEW, what)
        direct = case.ask(learner, X, n_instances, rng=0, labeled=None)
        if not np.array_equal(direct[0], indices) or not np.array_equal(rows, X[indices]):
            raise Finding(
                f"{what}.query gives {np.asarray(indices).tolist()} and asking with it as the learner "
                f"{direct[0].tolist()}",
                "Let no state of one call decide the next",
            )
    if _kept(learner) != before:
        raise Finding(
            f"{what} has another estimator, X_training or y_training after asking",
            "Work on a copy: sklearn.base.clone, numpy.array",
        )


def _kept(learner: Any) -> str:
    """A hash of the models and of what they were fitted on, of each member of a committee."""
    members = getattr(learner, "learner_list", [learner])
    kept = [(getattr(one, "estimator", None), one.X_training, one.y_training) for one in members]
    return str(joblib.hash(kept))


CHECKS: Final[tuple[Check, ...]] = (
    Check(labeled_items),
    Check(named_classes),
    Check(one_class),
    Check(certain_learner),
    Check(decisions_only),
    Check(modal_learner, lambda case: not case.committee),
    Check(modal_committee),
    Check(bootstrap_learner),
    Check(blas_threads),
    Check(process_settings),
    Check(jobs, lambda case: case.takes("n_jobs")),
)
