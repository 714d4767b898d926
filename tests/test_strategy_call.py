"""Calling strategies: ours, modAL's and the user's; what they may return and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.disagreement import consensus_entropy_sampling, max_disagreement_sampling, vote_entropy_sampling
from modAL.uncertainty import entropy_sampling, margin_sampling, uncertainty_sampling
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bootstrap import as_learner, strategies
from bootstrap.errors import InvalidInput
from bootstrap.strategy_call import check_serves, pick, resolve

X, y = make_blobs(60, centers=3, cluster_std=4.0, random_state=0)
POOL = X[20:]


@pytest.fixture(scope="module")
def learner():
    fitted = as_learner(LogisticRegression())
    fitted.fit(X[:20], y[:20])
    return fitted


@pytest.fixture(scope="module")
def committee():
    fitted = as_learner([LogisticRegression(), GaussianNB()])
    fitted.fit(X[:20], y[:20])
    return fitted


def call(strategy, learner=None, pool=POOL, n=4) -> np.ndarray:
    return pick(strategy, learner, pool, n, np.random.default_rng(0))


def returning(result):
    def my_strategy(learner, X, n_instances=1):
        return result

    return my_strategy


def refusal(result, n: int = 4) -> str:
    with pytest.raises(InvalidInput) as caught:
        call(returning(result), n=n)
    return str(caught.value)


# which strategy


@pytest.mark.parametrize("name", ["auto", "margin", "entropy", "random_sampling", "vote_entropy"])
def test_a_name_is_a_strategy_of_ours(name):
    assert resolve(name) is getattr(strategies, name)


def test_a_function_is_itself():
    assert resolve(uncertainty_sampling) is uncertainty_sampling


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInput) as caught:
        resolve("margn")
    assert "margn" in str(caught.value)
    assert "least_confident" in str(caught.value)


@pytest.mark.parametrize("nothing", [None, 5, ["margin"]])
def test_what_cannot_be_called_is_refused(nothing):
    with pytest.raises(InvalidInput, match="strategy is a name or a function"):
        resolve(nothing)


@pytest.mark.parametrize(
    "wrong", [lambda learner, X, k: [0], lambda learner: [0], lambda learner, X, n_instances, *, needed: [0]]
)
def test_what_cannot_be_called_as_a_strategy_is_refused_before_anybody_is_asked(wrong):
    with pytest.raises(InvalidInput, match=r"can't be called as strategy\(learner, X, n_instances=20\)"):
        resolve(wrong)


def test_a_callable_that_does_not_tell_its_parameters_is_taken_at_its_word(monkeypatch):
    def silent(strategy):
        raise ValueError("no signature found for builtin")

    monkeypatch.setattr("bootstrap.strategy_call.inspect.signature", silent)
    strategy = returning([3])
    assert resolve(strategy) is strategy
    assert call(strategy).tolist() == [3]


@pytest.mark.parametrize("name", ["vote_entropy", "consensus_entropy", "max_disagreement"])
def test_a_committees_strategy_for_one_model_is_refused_with_what_would_do(name):
    for strategy in (resolve(name), strategies.mixture(name)):
        with pytest.raises(InvalidInput, match="LogisticRegression is one model: pass a list of classifiers"):
            check_serves(strategy, as_learner(make_pipeline(StandardScaler(), LogisticRegression())))
    check_serves(strategies.margin, as_learner(LogisticRegression()))


# calling it


@pytest.mark.parametrize("name", ["random_sampling", "least_confident", "margin", "entropy"])
def test_our_strategies_get_the_rng_and_give_the_same_for_the_same_seed(learner, name):
    strategy = resolve(name)
    chosen = call(strategy, learner)
    assert chosen.dtype == np.intp
    assert len(set(chosen.tolist())) == 4
    assert np.array_equal(chosen, call(strategy, learner))


@pytest.mark.parametrize("strategy", [uncertainty_sampling, margin_sampling, entropy_sampling])
def test_modals_strategies_pick_from_a_learner(learner, strategy):
    chosen = call(strategy, learner)
    best, _ = strategy(learner, POOL, n_instances=4)
    assert sorted(chosen.tolist()) == sorted(best.tolist())


@pytest.mark.parametrize(
    "strategy",
    [vote_entropy_sampling, consensus_entropy_sampling, max_disagreement_sampling, uncertainty_sampling],
)
def test_modals_strategies_pick_from_a_committee(committee, strategy):
    assert len(set(call(strategy, committee).tolist())) == 4


def test_ours_and_modals_margin_agree(learner):
    assert sorted(call(margin_sampling, learner).tolist()) == sorted(
        call(strategies.margin, learner).tolist()
    )


def test_the_rng_is_passed_only_where_it_is_named():
    seen = []

    def with_rng(learner, X, n_instances=1, *, rng=None):
        seen.append(rng)
        return [0], [1.0]

    def with_anything(learner, X, n_instances=1, **options):
        seen.append(options)
        return [0], [1.0]

    rng = np.random.default_rng(0)
    for strategy in (with_rng, with_anything):
        pick(strategy, None, POOL, 1, rng)
    assert seen == [rng, {}]


@dataclass
class FirstRows:
    """A strategy with settings of its own; comparing by value makes it unhashable."""

    skip: int

    def __call__(self, learner, X, n_instances=1):
        return np.arange(self.skip, self.skip + n_instances), np.zeros(n_instances)


def test_an_object_with_settings_is_a_strategy():
    assert call(resolve(FirstRows(3))).tolist() == [3, 4, 5, 6]


def test_a_partial_function_is_a_strategy_and_is_named_in_errors():
    assert call(resolve(partial(strategies.random_sampling, labeled=None))).size == 4
    with pytest.raises(InvalidInput, match=r"the strategy functools\.partial.* picked nothing"):
        call(partial(returning([])))


@pytest.mark.parametrize(
    "pool",
    [POOL, sp.csr_array(POOL), pd.DataFrame(POOL), list("abcdefgh")],
    ids=["dense", "csr", "frame", "list"],
)
def test_a_strategy_sees_the_pool_itself_and_how_many_are_wanted(pool):
    def strategy(learner, X, n_instances=1):
        assert (learner, X is pool, n_instances) == ("the learner", True, 3)
        return [2, 0, 1], [3.0, 2.0, 1.0]

    assert pick(strategy, "the learner", pool, 3, np.random.default_rng(0)).tolist() == [2, 0, 1]


def test_no_more_are_wanted_than_there_are():
    assert sorted(call(strategies.random_sampling, pool=POOL[:3], n=10).tolist()) == [0, 1, 2]


@pytest.mark.parametrize(("pool", "n"), [(POOL, 0), (POOL[:0], 5), ([], 5)])
def test_a_strategy_is_not_called_for_nothing(pool, n):
    chosen = call(returning("never called"), pool=pool, n=n)
    assert chosen.dtype == np.intp
    assert chosen.size == 0


# what it may return


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ((np.array([5, 2]), np.array([0.9, 0.1])), [5, 2]),
        (([5, 2], [0.9, 0.1]), [5, 2]),
        (np.array([5, 2]), [5, 2]),  # indices alone; two of them are no pair
        ([5, 2], [5, 2]),
        ((5, 2, 7), [5, 2, 7]),
        (5, [5]),
        (np.int64(5), [5]),
        ((np.int64(5), 0.9), [5]),
        ((np.array([5], dtype=np.uint8), None), [5]),
        (pd.Index([5, 2]), [5, 2]),
        ((pd.Series([5, 2]), None), [5, 2]),
    ],
    ids=repr,
)
def test_indices_may_come_with_utilities_or_alone(result, expected):
    chosen = call(returning(result))
    assert chosen.tolist() == expected
    assert chosen.dtype == np.intp


@pytest.mark.parametrize(
    "result",
    [
        (np.array([5.0, 2.0]), np.array([0.9, 0.1])),
        np.ones(40, dtype=bool),
        np.array([[5, 2], [1, 3]]),
        [np.array([5, 2]), np.array([0.9, 0.1])],  # a list where a tuple is meant
        [[5, 2, 1], [0.9, 0.1]],
        None,
        "margin",
        ["a", "b"],
        (None, None),
        {"indices": [1]},
    ],
    ids=repr,
)
def test_anything_but_whole_numbers_in_a_row_is_refused(result):
    message = refusal(result)
    assert message.startswith("the strategy my_strategy returned ")
    assert "it must return (indices, utilities) with whole numbers as indices, positions in X" in message


def test_more_than_were_asked_for_are_refused():
    assert "returned 5 indices, 5 of them distinct, when 4 were asked for" in refusal([0, 1, 2, 3, 4])


def test_repeats_are_refused():
    assert "returned 3 indices, 2 of them distinct, when 4 were asked for" in refusal([7, 7, 1])


@pytest.mark.parametrize(
    ("indices", "found"), [([0, 40], "from 0 to 40"), ([-1, 3], "from -1 to 3"), (99, "from 99 to 99")]
)
def test_positions_outside_the_pool_are_refused(indices, found):
    assert f"returned positions {found} for 40 items" in refusal(indices)


@pytest.mark.parametrize(
    "nothing", [[], (), np.array([], dtype=int), ([], []), (np.empty(0), np.empty(0))], ids=repr
)
def test_picking_nothing_is_refused(nothing):
    assert refusal(nothing) == "the strategy my_strategy picked nothing out of 40 items"


def test_the_last_item_can_be_picked_and_fewer_than_asked_for():
    assert call(returning([39])).tolist() == [39]


def test_a_tuple_of_two_positions_is_no_pair_of_indices_and_utilities():
    learner = as_learner(LogisticRegression())
    picked = pick(lambda learner, X, n_instances: (3, 5), learner, [[0.0]] * 9, 2, np.random.default_rng(0))
    assert picked.tolist() == [3, 5]


def test_a_committees_strategy_serves_a_committee_and_a_forest():
    for estimator in ([LogisticRegression(), LogisticRegression()], RandomForestClassifier()):
        check_serves(strategies.vote_entropy, as_learner(estimator))
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier())
    check_serves(strategies.mixture("vote_entropy"), as_learner(pipeline))
