"""One mistake for each public check of strategies: that check catches it, and no other does."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import strategies
from bootstrap.learner import CommitteeLearner, Learner
from bootstrap.testing.strategy_checks import StrategyCheckFailed, check_strategy
from strategies import as_rng, n_rows, top
from strategies.geometry import geometry
from strategies.scoring import pool_scores
from strategies.uncertainty import margin_utilities


def good(learner, X, n_instances, rng, labeled, representation, metric):
    """Margin plus, where a representation or a metric is given, a distance: all options have a meaning."""
    utilities = pool_scores(margin_utilities, learner, X)
    if n_rows(X) and (representation is not None or metric != "euclidean"):
        utilities += geometry(learner, X, labeled, representation, metric)[0].squared_lengths
    return top(utilities, n_instances, rng)


@dataclass(frozen=True)
class Changed:
    """The good strategy with a change; `change(asked, answer)` gets what was asked and a way to go on."""

    change: object

    def __call__(
        self,
        learner,
        X,
        n_instances=1,
        *,
        rng=None,
        labeled=None,
        representation=None,
        metric="euclidean",
        n_jobs=None,
    ):
        asked = SimpleNamespace(
            learner=learner,
            X=X,
            n_instances=n_instances,
            rng=rng,
            labeled=labeled,
            representation=representation,
            metric=metric,
        )
        return self.change(asked, lambda: good(**vars(asked)), n_jobs)


def unchanged(asked, answer, n_jobs):
    return answer()


def rolled(result):
    return np.roll(result[0], 1), result[1]


def repeated(result):
    return np.full_like(result[0], result[0][0]), result[1]


def size(asked):
    return n_rows(asked.X)


# The changes: each is one mistake, made where one check looks.


def narrow_indices(asked, answer, n_jobs):
    indices, utilities = answer()
    return (indices.astype(np.int32) if asked.n_instances == 4 else indices), utilities


def no_pair(asked, answer, n_jobs):
    return answer()[0] if asked.n_instances == 4 else answer()


def a_list(asked, answer, n_jobs):
    indices, utilities = answer()
    return indices, utilities.tolist() if asked.n_instances == 4 else utilities


def too_many(asked, answer, n_jobs):
    result = answer()
    if asked.n_instances == 0:
        return np.array([0]), np.array([0.0])
    return result


def an_item_twice(asked, answer, n_jobs):
    return repeated(answer()) if asked.n_instances == 7 else answer()


def positions_beyond(asked, answer, n_jobs):
    indices, utilities = answer()
    return (indices + 1, utilities) if asked.n_instances == 95 else (indices, utilities)


def infinite_utility(asked, answer, n_jobs):
    indices, utilities = answer()
    return indices, np.where(asked.n_instances == 89, np.inf, utilities)


def least_useful_first(asked, answer, n_jobs):
    indices, utilities = answer()
    return (indices[::-1], utilities[::-1]) if asked.n_instances == 20 else (indices, utilities)


def two_by_default(asked, answer, n_jobs):
    if asked.rng is None and asked.n_instances is not True and asked.n_instances == 1 and size(asked):
        asked.n_instances = 2
    return answer()


def floats_of_nothing(asked, answer, n_jobs):
    return answer() if size(asked) else (np.array([]), np.array([]))


def one_is_too_few(asked, answer, n_jobs):
    if size(asked) == 1:
        raise ZeroDivisionError("n - 1")
    return answer()


def true_is_one(asked, answer, n_jobs):
    asked.n_instances = 1 if asked.n_instances is True else asked.n_instances
    return answer()


def refused_by_another_name(asked, answer, n_jobs):
    if asked.n_instances == -1:
        raise ValueError("negative")
    return answer()


def old_random_state(asked, answer, n_jobs):
    asked.rng = 0 if isinstance(asked.rng, np.random.RandomState) else asked.rng
    return answer()


def any_metric(asked, answer, n_jobs):
    asked.metric = "euclidean" if asked.metric == "furlongs" else asked.metric
    return answer()


@dataclass(frozen=True)
class Forgetful(Changed):
    """Is another one after pickling."""

    def __reduce__(self):
        return Changed, (functools.partial(after, rolled, "n_instances", 6),)


def after(change, name, value, asked, answer, n_jobs):
    """`change` the answer where that was asked."""
    return change(answer()) if getattr(asked, name) == value else answer()


def generators_differ(asked, answer, n_jobs):
    if asked.n_instances == 9 and isinstance(asked.rng, np.random.Generator):
        return rolled(answer())
    return answer()


def generators_are_not_used(asked, answer, n_jobs):
    asked.rng = 0 if isinstance(asked.rng, np.random.Generator) else asked.rng
    return answer()


def seeds_numpy(asked, answer, n_jobs):
    np.random.seed(0)  # noqa: NPY002
    return answer()


def seeds_python(asked, answer, n_jobs):
    random.seed(0)
    return answer()


def draws_from_numpy(asked, answer, n_jobs):
    np.random.rand()  # noqa: NPY002
    return answer()


def draws_from_python(asked, answer, n_jobs):
    random.random()
    return answer()


def later_is_better(asked, answer, n_jobs):
    indices, utilities = answer()
    if asked.n_instances == size(asked) and asked.labeled is not None:
        return indices, utilities + 1e-6 * indices
    return indices, utilities


def newest_label_counts(asked, answer, n_jobs):
    if asked.n_instances == 8 and asked.labeled is not None:
        known = np.asarray(asked.labeled[0])
        return np.roll(answer()[0], int(1000 * abs(known[0, 0])) % 7), answer()[1]
    return answer()


def seed_of_its_own(asked, answer, n_jobs):
    as_rng(asked.rng)
    asked.rng = 0
    return answer()


def second_by_position(asked, answer, n_jobs):
    indices, utilities = answer()
    if size(asked) == 6:
        indices = np.array([indices[0], min({0, 1} - {int(indices[0])})])
    return indices, utilities


def divides_by_spread(asked, answer, n_jobs):
    indices, utilities = answer()
    spread = size(asked) != 20 or float(np.ptp(asked.X))
    return indices, utilities if spread else utilities * np.nan


def finds_rows_by_value(asked, answer, n_jobs):
    indices, utilities = answer()
    return (indices - indices % 4 if size(asked) == 32 else indices), utilities


def last_digit_by_position(asked, answer, n_jobs):
    indices, utilities = answer()
    last = (indices == size(asked) - 1) & (size(asked) > 1000)
    return indices, np.where(last, np.nextafter(utilities, -np.inf), utilities)


def last_digit_by_threads(asked, answer, n_jobs):
    if max(library["num_threads"] for library in threadpool_info()) < 2:
        return answer()
    return last_digit_by_position(asked, answer, n_jobs)


def zeros_for_nan(asked, answer, n_jobs):
    if isinstance(asked.X, np.ndarray) and asked.X.dtype.kind == "f":
        asked.X = np.nan_to_num(asked.X, posinf=0.0)
    return answer()


def half_precision(asked, answer, n_jobs):
    return rolled(answer()) if getattr(asked.X, "dtype", None) == np.float16 else answer()


def compressed_differs(asked, answer, n_jobs):
    return rolled(answer()) if hasattr(asked.X, "tocsr") and asked.n_instances == 10 else answer()


def index_labels(asked, answer, n_jobs):
    indices, utilities = answer()
    if hasattr(asked.X, "index") and asked.n_instances == 8 and not isinstance(asked.X, list):
        return np.sort(np.asarray(asked.X.index)[indices]), utilities
    return indices, utilities


def lists_only(asked, answer, n_jobs):
    if isinstance(asked.X, np.ndarray) and asked.X.dtype == object:
        raise TypeError("X must be a list")
    return answer()


def writes(asked, answer, n_jobs):
    if isinstance(asked.X, np.ndarray) and asked.n_instances == 14:
        asked.X[:] += 0.0
    return answer()


def writes_to_sparse(asked, answer, n_jobs):
    if hasattr(asked.X, "tocsr") and asked.n_instances == 14:
        asked.X.data *= 1.0
    return answer()


def centres_the_pool(asked, answer, n_jobs):
    result = answer()
    if isinstance(asked.X, np.ndarray) and asked.X.dtype == float and asked.n_instances == 5:
        asked.X -= 1.0
    return result


def fits_the_learner(asked, answer, n_jobs):
    result = answer()
    if asked.n_instances == 5 and asked.labeled is not None:
        asked.learner.seen_ = True
    return result


def relabels(asked, answer, n_jobs):
    result = answer()
    if asked.n_instances == 5 and asked.labeled is not None and len(asked.labeled[1]) > 1:
        asked.labeled[1][0] = asked.labeled[1][1]
    return result


def any_representation(asked, answer, n_jobs):
    try:
        return answer()
    except ValueError as error:
        if "representation" not in str(error):
            raise
        asked.representation = None
        return answer()


def functions_only_roughly(asked, answer, n_jobs):
    return rolled(answer()) if callable(asked.representation) else answer()


def raises_without_labels(asked, answer, n_jobs):
    if asked.labeled is not None and len(asked.labeled[1]) == 0 and size(asked) and asked.n_instances == 5:
        raise ValueError("labeled is empty")
    return answer()


def classes_as_numbers(asked, answer, n_jobs):
    if asked.labeled is not None and asked.labeled[1].dtype.kind == "U":
        return rolled(answer())
    return answer()


def needs_two_classes(asked, answer, n_jobs):
    if len(getattr(asked.learner, "classes_", "ab")) < 2:
        raise IndexError("index 1 is out of bounds for axis 1 with size 1")
    return answer()


def gradients_vanish(asked, answer, n_jobs):
    result = answer()
    sure = asked.n_instances == 85 and not result[1].max() > -1
    return repeated(result) if sure else result


def needs_probabilities(asked, answer, n_jobs):
    if not hasattr(asked.learner, "predict_proba"):
        raise AttributeError("predict_proba")
    return answer()


def in_room(asked, room):
    return type(asked.learner).__module__.startswith(room)


def no_modal_learner(asked, answer, n_jobs):
    if in_room(asked, "modAL") and not hasattr(asked.learner, "learner_list"):
        raise AttributeError("classes_")
    return answer()


def no_modal_committee(asked, answer, n_jobs):
    if in_room(asked, "modAL") and hasattr(asked.learner, "learner_list"):
        raise AttributeError("predict")
    return answer()


def doubles_what_was_learned(asked, answer, n_jobs):
    result = answer()
    if in_room(asked, "modAL") and not hasattr(asked.learner, "learner_list"):
        asked.learner.X_training *= 2
    return result


def doubles_what_a_member_learned(asked, answer, n_jobs):
    result = answer()
    if in_room(asked, "modAL") and hasattr(asked.learner, "learner_list"):
        asked.learner.learner_list[1].X_training *= 2
    return result


def no_learner_of_ours(asked, answer, n_jobs):
    if isinstance(asked.learner, Learner | CommitteeLearner):
        raise AttributeError("coef_")
    return answer()


class Moody:
    """Another answer each second time."""

    def __init__(self):
        self.n_calls = 0

    def __call__(self, asked, answer, n_jobs):
        self.n_calls += 1
        odd = isinstance(asked.learner, Learner) and self.n_calls % 2
        return rolled(answer()) if odd and asked.n_instances == 2 else answer()


def as_many_as_threads(asked, answer, n_jobs):
    if size(asked) == 300:
        return np.roll(answer()[0], max(pool["num_threads"] for pool in threadpool_info())), answer()[1]
    return answer()


def silences_numpy(asked, answer, n_jobs):
    np.seterr(all="ignore")
    return answer()


def warns_of_division(asked, answer, n_jobs):
    np.seterr(divide="warn")
    return answer()


def takes_one_thread(asked, answer, n_jobs):
    if size(asked) == 30:
        threadpool_limits(limits=1)
    return answer()


def as_many_as_jobs(asked, answer, n_jobs):
    return rolled(answer()) if n_jobs == 2 else answer()


def other_utilities(asked, answer, n_jobs):
    indices, utilities = answer()
    return indices, utilities + (n_jobs == 2)


BROKEN = {
    "answer_types": [narrow_indices, no_pair, a_list],
    "picks": [too_many, an_item_twice, positions_beyond, infinite_utility],
    "falling_utilities": [least_useful_first],
    "one_item_by_default": [two_by_default],
    "empty_pool": [floats_of_nothing],
    "pool_of_one": [one_is_too_few],
    "refused_counts": [true_is_one, refused_by_another_name],
    "refused_seeds": [old_random_state],
    "refused_metrics": [any_metric],
    "same_seed": [generators_differ, generators_are_not_used],
    "global_random_state": [draws_from_numpy, draws_from_python, seeds_numpy, seeds_python],
    "item_order": [later_is_better],
    "labeled_order": [newest_label_counts],
    "ties": [seed_of_its_own, second_by_position],
    "constant_features": [divides_by_spread],
    "duplicated_rows": [finds_rows_by_value],
    "equal_rows": [last_digit_by_position, last_digit_by_threads],
    "missing_values": [zeros_for_nan],
    "number_types": [half_precision],
    "sparse_rows": [compressed_differs],
    "tables": [index_labels],
    "lists_of_texts": [lists_only],
    "read_only_rows": [writes, writes_to_sparse],
    "nothing_changed": [centres_the_pool, fits_the_learner, relabels],
    "representations": [any_representation, functions_only_roughly],
    "labeled_items": [raises_without_labels],
    "named_classes": [classes_as_numbers],
    "one_class": [needs_two_classes],
    "certain_learner": [gradients_vanish],
    "decisions_only": [needs_probabilities],
    "modal_learner": [no_modal_learner, doubles_what_was_learned],
    "modal_committee": [no_modal_committee, doubles_what_a_member_learned],
    "bootstrap_learner": [no_learner_of_ours, Moody()],
    "blas_threads": [as_many_as_threads],
    "process_settings": [silences_numpy, warns_of_division, takes_one_thread],
    "jobs": [as_many_as_jobs, other_utilities],
}


def positional(learner, X, n_instances=1, rng=None, labeled=None):
    return strategies.margin(learner, X, n_instances, rng=rng)


def misspelt(learner, X, n_instances=1, *, rng=None, labeled=None, rngg=None):
    return strategies.margin(learner, X, n_instances, rng=rng)


def caught(strategy, **about):
    """Names of the checks that fail."""
    try:
        check_strategy(strategy, **about)
    except StrategyCheckFailed as failed:
        return list(failed.failures)
    return []


# each check alone


def test_a_good_strategy_passes_every_check_there_is():
    ran = check_strategy(Changed(unchanged))
    assert set(ran) == set(BROKEN) | {"signature", "refused_options", "pickling"}
    assert len(ran) == 39


@pytest.mark.parametrize(
    ("check", "change"),
    [
        pytest.param(check, change, id=f"{check}-{getattr(change, '__name__', 'moody')}")
        for check, changes in BROKEN.items()
        for change in changes
    ],
)
def test_a_mistake_is_caught_by_the_check_for_it_and_by_no_other(check, change):
    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002
    with np.errstate(), threadpool_limits():  # some mistakes change the process for all tests to come
        assert caught(Changed(change)) == [check]
    np.random.set_state(numpys)  # noqa: NPY002
    random.setstate(pythons)


def test_a_signature_of_another_form_is_caught():
    assert caught(positional) == ["signature"]


def test_an_option_that_takes_a_misspelling_is_caught():
    assert caught(misspelt) == ["refused_options"]


def test_a_copy_that_is_another_strategy_is_caught():
    assert caught(Forgetful(unchanged)) == ["pickling"]
