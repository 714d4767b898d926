"""The worlds do what they say: what is drawn from them has the error that they state."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom

from bootstrap.errors import InvalidInput
from bootstrap.testing import (
    Arrival,
    Arrivals,
    BlindSpots,
    DelayedLabels,
    Duplicates,
    Flat,
    Improving,
    RareClass,
    SlowDrift,
    SuddenDrop,
    UShaped,
    World,
)

N = 40_000
WORLDS = [
    Flat(error=0.05),
    Flat(error=0.3, steepness=0.0),
    Flat.at_boundary(0.2),
    Improving(),
    SuddenDrop(error=0.05, drop_at=0),
    SlowDrift(begin=-5, end=0),
    UShaped(),
    RareClass(share=0.1, recall=0.3),
    BlindSpots(error=0.1),
    DelayedLabels(error=0.1),
]


def drawn(world: World, n: int = N, seed: int = 1, **options: int) -> Arrivals:
    return world.draw(n, np.random.default_rng(seed), **options)


def plausible(count: int, n: int, share: float, chance: float = 1e-6) -> bool:
    """Whether `count` of `n` fits to a share: refused with at most `chance` where it is true."""
    return bool(binom.cdf(count, n, share) > chance / 2 and binom.sf(count - 1, n, share) > chance / 2)


def alone(world: World, arrivals: Arrivals, review_rate: float, n_trained: int = 0) -> Arrivals:
    decided = np.array(
        [world.review_rate_at(c, n_trained=n_trained) > review_rate for c in arrivals.confidence]
    )
    return arrivals.take(np.flatnonzero(decided))


@pytest.mark.parametrize("review_rate", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: type(world).__name__)
def test_the_model_errs_as_often_as_the_world_says(world: World, review_rate: float) -> None:
    """Fails by chance with 1e-6 in each of 30 cases; a tenth off at an error of .05 is seen for certain.

    All arrivals are drawn at the moment at which the drifting worlds are asked.
    """
    at = np.full(N, 3)
    arrivals = drawn(world)
    arrivals = world.judged(Arrivals(**{**as_fields(arrivals), "at": at}), n_trained=50)
    left = alone(world, arrivals, review_rate, n_trained=50)
    error = world.true_error(review_rate, at=3, n_trained=50)

    assert plausible(len(left), N, 1.0 - review_rate)
    assert plausible(int(left.wrong.sum()), len(left), error)


def as_fields(arrivals: Arrivals) -> dict[str, np.ndarray]:
    return {name: getattr(arrivals, name) for name in Arrivals.__slots__}


@pytest.mark.parametrize("world", [Flat(error=0.1), RareClass(share=0.2, recall=0.6)])
def test_the_recall_of_a_class_is_as_the_world_says(world: World) -> None:
    """Fails by chance with 2e-6 a world."""
    arrivals = drawn(world)
    for of in (0, 1):
        members = arrivals.take(np.flatnonzero(arrivals.truth == of))
        missed = alone(world, members, 0.3).wrong.sum()

        assert plausible(int(missed), len(members), 1.0 - world.true_recall(of, 0.3))


def test_a_rare_class_is_as_rare_as_it_says_and_never_predicted() -> None:
    arrivals = drawn(RareClass(share=0.02))

    assert plausible(int((arrivals.truth == 1).sum()), N, 0.02)
    assert not (arrivals.predicted == 1).any()
    assert RareClass(share=0.02).true_recall(1, 0.0) == 0.0


def test_at_the_boundary_the_error_is_what_the_target_allows() -> None:
    steep, level = Flat.at_boundary(0.2), Flat.at_boundary(0.2, target=0.9, steepness=0.0)

    assert steep.true_error(0.2) == pytest.approx(0.05, abs=1e-15)
    assert steep.true_error(0.1) > 0.05 > steep.true_error(0.3)
    assert {round(level.true_error(rate), 15) for rate in (0.0, 0.2, 0.9)} == {0.1}


def test_confidence_is_calibrated_where_nothing_has_changed() -> None:
    """Fails by chance with 5e-6: five bands of confidence."""
    arrivals = drawn(Flat(error=0.15, steepness=1.0))
    order = np.argsort(arrivals.confidence)
    for band in np.array_split(order, 5):
        assert plausible(int(arrivals.wrong[band].sum()), len(band), 1.0 - arrivals.confidence[band].mean())


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: type(world).__name__)
def test_confidence_lies_within_0_and_1_and_rises_with_the_rank(world: World) -> None:
    arrivals = drawn(world)
    in_order = arrivals.confidence[np.argsort(arrivals.rank)]

    assert 0.0 < in_order[0] <= in_order[-1] < 1.0
    assert (np.diff(in_order) >= 0.0).all()


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: type(world).__name__)
def test_the_review_rate_of_a_threshold_is_the_share_below_it(world: World) -> None:
    arrivals = drawn(world, 200)

    rates = [world.review_rate_at(c) for c in arrivals.confidence]

    assert rates == pytest.approx(arrivals.rank, abs=1e-6)
    assert world.review_rate_at(-math.inf) == 0.0
    assert world.review_rate_at(1.0) == 1.0


@pytest.mark.parametrize(
    ("world", "errors"),
    [
        (SuddenDrop(error=0.02, later=0.2, drop_at=10), {0: 0.02, 9: 0.02, 10: 0.2, 99: 0.2}),
        (SlowDrift(error=0.1, later=0.2, begin=10, end=20), {0: 0.1, 10: 0.1, 15: 0.15, 20: 0.2, 99: 0.2}),
        (Flat(error=0.1), {0: 0.1, 99: 0.1}),
    ],
)
def test_the_error_moves_with_the_arrivals(world: World, errors: dict[int, float]) -> None:
    assert {at: world.true_error(0.0, at=at) for at in errors} == pytest.approx(errors)
    assert world.overall_error(list(errors)) == pytest.approx(list(errors.values()))
    assert world.rises_at == (None if isinstance(world, Flat) else 10)


def test_a_sudden_drop_is_seen_in_what_arrives_and_not_in_the_confidences() -> None:
    """Fails by chance with 2e-6."""
    arrivals = drawn(SuddenDrop(error=0.05, later=0.15, drop_at=N // 2))
    before, after = arrivals.wrong[: N // 2], arrivals.wrong[N // 2 :]

    assert plausible(int(before.sum()), N // 2, 0.05)
    assert plausible(int(after.sum()), N // 2, 0.15)
    assert abs(arrivals.confidence[: N // 2].mean() - arrivals.confidence[N // 2 :].mean()) < 0.003


def test_training_helps_in_an_improving_world_only() -> None:
    world = Improving(error=0.2, floor=0.01, scale=100.0, power=1.0)
    errors = [world.true_error(0.2, n_trained=n) for n in (0, 100, 1000, 10**9)]

    assert errors == sorted(errors, reverse=True)
    assert errors[0] == pytest.approx(0.2 * 0.64)
    assert errors[-1] == pytest.approx(0.01 * 0.64, rel=1e-5)
    assert Flat(error=0.1).true_error(0.2, n_trained=1000) == Flat(error=0.1).true_error(0.2)


def test_in_a_u_shaped_world_training_helps_and_then_harms() -> None:
    world = UShaped(error=0.2, lowest=0.04, turn=100)
    errors = {n: world.true_error(0.0, n_trained=n) for n in (0, 50, 100, 150, 200, 900)}

    assert errors == pytest.approx({0: 0.2, 50: 0.08, 100: 0.04, 150: 0.08, 200: 0.2, 900: 0.2})
    assert world.true_error(0.0, at=500) == 0.2
    assert world.rises_at is None


def test_a_model_trained_again_errs_as_often_and_partly_elsewhere() -> None:
    """Fails by chance with 2e-6: of its errors, half are redrawn and hit an item that was wrong before."""
    world, rng = Flat(error=0.2, steepness=0.0, fresh=0.5), np.random.default_rng(2)
    arrivals = world.draw(N, rng)
    again = world.retrained(arrivals, rng, n_trained=0)

    assert plausible(int(again.wrong.sum()), N, 0.2)
    assert plausible(int((again.wrong & arrivals.wrong).sum()), N, 0.5 * 0.2 + 0.5 * 0.2 * 0.2)
    assert (again.first == arrivals.first).all()


def test_without_fresh_errors_only_the_training_moves_the_model() -> None:
    world, rng = Improving(fresh=0.0), np.random.default_rng(3)
    arrivals = world.draw(5000, rng)
    again = world.retrained(arrivals, rng, n_trained=400)

    assert (again.luck == arrivals.luck).all()
    assert 0 < again.wrong.sum() < arrivals.wrong.sum()
    assert arrivals.wrong[again.wrong].all()


def test_people_who_never_err_answer_the_truth() -> None:
    arrivals = drawn(Flat(error=0.1), 1000)

    assert (arrivals.first == arrivals.truth).all()
    assert (arrivals.second == arrivals.truth).all()


def test_people_err_and_share_some_errors_with_the_model() -> None:
    """Fails by chance with 4e-6."""
    world = BlindSpots(error=0.2, people_error=0.06, blind_share=0.3)
    arrivals = drawn(world)
    wrong = arrivals.take(np.flatnonzero(arrivals.wrong))
    right = arrivals.take(np.flatnonzero(~arrivals.wrong))
    both = int(((wrong.first == wrong.predicted) & (wrong.second == wrong.predicted)).sum())

    assert plausible(int((wrong.first != wrong.predicted).sum()), len(wrong), world.catch_rate)
    assert plausible(both, len(wrong), 0.3 + 0.7 * 0.02**2)
    assert plausible(int((right.first != right.truth).sum()), len(right), 0.06)
    assert plausible(
        int(((right.first != right.truth) & (right.second != right.truth)).sum()), len(right), 0.06**2
    )


def test_a_model_trained_again_keeps_the_blind_spots() -> None:
    """Fails by chance with 2e-6."""
    world, rng = BlindSpots(error=0.2, steepness=0.0, people_error=0.0, fresh=1.0), np.random.default_rng(4)
    arrivals = world.draw(N, rng)
    again = world.retrained(arrivals, rng, n_trained=0)
    accepted = again.wrong & (again.first == again.predicted)

    assert plausible(int(again.wrong.sum()), N, 0.2)
    assert plausible(int(accepted.sum()), int(again.wrong.sum()), 0.3)


def test_traps_are_caught_as_often_as_errors_are() -> None:
    """Fails by chance with 1e-6."""
    world = BlindSpots(error=0.1)
    caught, shown = world.traps(N, np.random.default_rng(5))

    assert shown == N
    assert plausible(caught, shown, world.catch_rate)
    assert world.catch_rate == pytest.approx(0.7 * 0.99)


def test_labels_come_late_and_those_of_wrong_items_later() -> None:
    """Fails by chance with about 1e-6: the means are five standard errors away from the bounds."""
    arrivals = drawn(DelayedLabels(error=0.2, mean_delay=20.0, times_if_wrong=5.0))

    assert (arrivals.delay >= 0).all()
    assert abs(arrivals.delay[~arrivals.wrong].mean() - 20.0) < 0.6
    assert abs(arrivals.delay[arrivals.wrong].mean() - 100.0) < 6.0
    assert not drawn(Flat(error=0.1), 100).delay.any()


def test_copies_share_content_and_come_right_behind_each_other() -> None:
    arrivals = drawn(Duplicates(error=0.1), 5000)
    distinct = arrivals.distinct()

    assert (np.diff(arrivals.content) >= 0).all()
    assert (np.diff(arrivals.at) == 1).all()
    assert 2000 < len(distinct) < 3000
    assert len(set(distinct.content.tolist())) == len(distinct)
    for name in ("rank", "truth", "predicted", "first"):
        of_content = dict(zip(distinct.content.tolist(), getattr(distinct, name).tolist(), strict=True))
        assert [of_content[c] for c in arrivals.content.tolist()] == getattr(arrivals, name).tolist()


def test_errors_that_are_copied_more_often_weigh_more_per_item_than_per_content() -> None:
    """Fails by chance with 1e-6 for contents; per item the copies triple the variance, and 6 sd are left."""
    world = Duplicates(error=0.1, copies_if_right=0.5, copies_if_wrong=2.0)
    arrivals = drawn(world, 4 * N)
    contents, items = (alone(world, a, 0.2) for a in (arrivals.distinct(), arrivals))
    truth = world.true_error_of_items(0.2)

    assert world.true_error(0.2) == pytest.approx(0.064)
    assert truth == pytest.approx(0.064 * 3 / (0.064 * 3 + 0.936 * 1.5))
    assert plausible(int(contents.wrong.sum()), len(contents), 0.064)
    assert abs(items.wrong.mean() - truth) < 6 * math.sqrt(3 * truth * (1 - truth) / len(items))
    assert Flat(error=0.1).true_error_of_items(0.2) == Flat(error=0.1).true_error(0.2)


def test_copies_of_a_content_fare_alike_when_the_model_is_trained_again() -> None:
    world, rng = Duplicates(error=0.2, steepness=0.0, fresh=1.0), np.random.default_rng(6)
    again = world.retrained(world.draw(2000, rng), rng, n_trained=0)
    outcomes = {(c, w) for c, w in zip(again.content.tolist(), again.wrong.tolist(), strict=True)}

    assert len(outcomes) == len(again.distinct())


@pytest.mark.parametrize("world", [*WORLDS, Duplicates()], ids=lambda world: type(world).__name__)
def test_the_same_seed_draws_the_same_arrivals(world: World) -> None:
    one, same, other = drawn(world, 50, 7), drawn(world, 50, 7), drawn(world, 50, 8)

    assert list(one) == list(same)
    assert list(one) != list(other)


def test_a_stream_goes_on_where_its_last_part_ended() -> None:
    world = SuddenDrop(error=0.01, later=0.25, steepness=0.0, drop_at=100)
    first = list(itertools.islice(world.stream(np.random.default_rng(9), chunk=30), 400))

    assert all(isinstance(arrival, Arrival) for arrival in first)
    assert [arrival.at for arrival in first] == list(range(400))
    assert [arrival.content for arrival in first] == list(range(400))
    assert sum(a.predicted != a.truth for a in first[100:]) > 30  # of 300 at .25: less with 1e-9


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Flat(error=0.0), "error must be above 0"),
        (lambda: Flat(error=0.4), "error must be above 0 and below 0.25"),
        (lambda: Flat(error=1.5), "error is a share"),
        (lambda: Flat(error=math.nan), "error is a share"),
        (lambda: Flat(n_classes=1), "2 classes"),
        (lambda: Flat(steepness=-1.0), "steepness"),
        (lambda: Flat(people_error=-0.1), "people_error is a share"),
        (lambda: BlindSpots(blind_share=1.1), "blind_share is a share"),
        (lambda: Flat.at_boundary(1.0), "review_rate"),
        (lambda: Flat.at_boundary(0.6), "error must be"),
        (lambda: Flat().true_error(1.0), "at 1 nothing is decided alone"),
        (lambda: Improving(floor=0.3), "floor"),
        (lambda: Improving(scale=0.0), "scale"),
        (lambda: Improving(power=0.0), "power"),
        (lambda: SuddenDrop(later=0.5), "later must be at most 0.333"),
        (lambda: SlowDrift(later=-0.5), "later is a share"),
        (lambda: SlowDrift(begin=5, end=5), "begins before it ends"),
        (lambda: UShaped(lowest=0.0), "lowest"),
        (lambda: UShaped(turn=0), "turn"),
        (lambda: RareClass(share=0.0), "share is in"),
        (lambda: RareClass(recall=1.0), "recall in"),
        (lambda: RareClass(error=0.1), "error follows from share and recall"),
        (lambda: RareClass(fresh=0.5), "fresh=0"),
        (lambda: RareClass(n_classes=3), "two classes"),
        (lambda: RareClass(share=0.4, recall=0.9), "share must be at most 0.333"),
        (lambda: DelayedLabels(mean_delay=-1.0), "mean_delay"),
        (lambda: DelayedLabels(times_if_wrong=math.nan), "times_if_wrong"),
        (lambda: Duplicates(copies_if_right=-1.0), "copies"),
        (lambda: Duplicates(copies_if_wrong=-1.0), "copies"),
    ],
)
def test_a_world_that_can_not_be_is_refused(make: object, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        make()  # type: ignore[operator]
