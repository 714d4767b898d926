"""The verdict on one frozen model: advance, hold and step back, from arrays alone."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import Move, Need
from bootstrap.phaseout.audits_ahead import audits_ahead
from bootstrap.phaseout.frozen_model import verdict_for_frozen_model
from bootstrap.records import SKIP


def world(n: int, wrong: Any = (), *, seed: int = 0, audited: float = 1.0) -> dict[str, Any]:
    """Two classes in turn, spread confidences, wrong at the given rows."""
    rng = np.random.default_rng(seed)
    predicted = np.array(["a", "b"] * (n // 2))
    truth = predicted.copy()
    truth[list(wrong)] = "c"
    asked = rng.random(n) < audited
    return {
        "predicted": predicted,
        "confidence": rng.permutation(np.linspace(0.5, 1.0, n)),
        "answers": [str(t) if is_asked else None for t, is_asked in zip(truth, asked, strict=True)],
    }


def test_a_model_that_is_right_is_certified_down_to_the_lowest_rate() -> None:
    found = verdict_for_frozen_model(**world(400))

    assert (found.verdict.move, found.verdict.review_rate) == (Move.ADVANCE, 0.0)
    assert [c.review_rate for c in found.certificates] == [0.2, 0.15, 0.1, 0.05, 0.02, 0.0]
    assert found.verdict.certificate == found.certificates[-1]
    assert found.lower is None
    assert (found.candidate, found.delta, found.n_audited) == (1, 0.025, 400)
    first = found.certificates[0]
    assert (first.proved[0].n_audited, first.proved[0].n_wrong) == (90, 0)
    assert "let it decide everything" in found.verdict.next_step
    assert "loop" not in str(found.verdict)


def test_the_first_rate_that_fails_ends_the_ladder_and_is_told() -> None:
    made = world(600)
    order = np.argsort(made["confidence"])
    for row in order[90:120]:  # what is decided alone at 0.15 and not at 0.2
        made["answers"][row] = "c"
    found = verdict_for_frozen_model(**made)

    assert (found.verdict.move, found.verdict.review_rate) == (Move.ADVANCE, 0.2)
    assert [rate.certified for rate in found.rates] == [True, False, False, False, False, False]
    assert found.lower is not None
    assert (found.lower.move, found.lower.review_rate, found.lower.tested_rate) == (Move.HOLD, 0.2, 0.15)
    threshold = found.rates[0].threshold
    assert threshold == np.sort(made["confidence"])[119]
    assert f"a confidence of {threshold:.6g} or less" in found.verdict.next_step


def test_thresholds_come_from_all_items_answered_or_not() -> None:
    made = world(1000, audited=0.3)
    found = verdict_for_frozen_model(**made)

    assert found.rates[0].threshold == np.sort(made["confidence"])[199]
    assert found.n_audited == sum(answer is not None for answer in made["answers"]) < 400


def test_too_few_audits_hold_and_say_how_many_more() -> None:
    found = verdict_for_frozen_model(**world(60))

    assert (found.verdict.move, found.verdict.need) == (Move.HOLD, Need.AUDITS)
    more = found.verdict.numbers["audits_to_go"]
    assert f"about {more:.0f} more items labeled, drawn at random" in found.verdict.next_step
    assert 42 <= more <= 60  # 90 - 48 where it decides alone, of 48 in 60
    assert found.certificates == ()


def test_without_any_audit_it_says_what_it_would_take() -> None:
    made = world(100)
    found = verdict_for_frozen_model(made["predicted"], made["confidence"], [None] * 100)

    assert (found.verdict.need, found.n_audited) == (Need.AUDITS, 0)
    assert "113 more items" in found.verdict.next_step  # 90 / 0.8
    assert "left" not in found.verdict.numbers
    assert found.ahead == audits_ahead(0.2, 0.2, 0.95, 0.025)
    assert found.ahead is not None
    assert (found.ahead.least_alone, found.ahead.least) == (90, 113)
    assert found.ahead.typical > 4 * found.ahead.least


def test_without_any_item_it_holds() -> None:
    found = verdict_for_frozen_model([], [], [])

    assert (found.verdict.move, found.verdict.need, found.rates) == (Move.HOLD, Need.AUDITS, ())
    assert "no item" in found.verdict.reason


def test_all_wrong_needs_another_model() -> None:
    found = verdict_for_frozen_model(**world(200, range(200)))

    assert (found.verdict.move, found.verdict.need) == (Move.HOLD, Need.TRAINING)
    assert "train a better model" in found.verdict.next_step


def test_one_confidence_for_all_decides_nothing_alone() -> None:
    made = world(200) | {"confidence": np.full(200, 0.9)}
    found = verdict_for_frozen_model(**made)

    assert (found.verdict.move, found.verdict.need) == (Move.HOLD, Need.TRAINING)
    assert found.verdict.next_step == "take a model whose confidences differ."
    assert found.rates[0].realised_review_rate == 1.0
    silent = verdict_for_frozen_model(made["predicted"], made["confidence"], [None] * 200)
    assert (silent.verdict.need, silent.ahead) == (Need.TRAINING, None)


def test_ties_at_the_threshold_are_reviewed() -> None:
    made = world(400)
    made["confidence"][np.argsort(made["confidence"])[:120]] = 0.55
    found = verdict_for_frozen_model(**made)

    assert (found.rates[0].threshold, found.rates[0].realised_review_rate) == (0.55, 0.3)
    assert found.rates[0].n_alone == 280


def test_a_model_that_always_names_one_class_is_not_certified_and_the_remedy_is_named() -> None:
    made = world(1000) | {"predicted": np.full(1000, "ham")}
    made["answers"] = ["spam" if i % 50 == 0 else "ham" for i in range(1000)]
    found = verdict_for_frozen_model(**made)

    assert (found.verdict.move, found.verdict.need) == (Move.HOLD, Need.RECALL_TARGET)
    assert "--recall spam=0.9" in found.verdict.next_step
    again = verdict_for_frozen_model(**made, targets={"spam": {"recall": 0.9}})
    assert again.verdict.move is Move.HOLD
    assert "'spam'" in again.verdict.reason


def test_one_class_alone_is_not_certified() -> None:
    made = world(400) | {"predicted": np.full(400, "ham"), "answers": ["ham"] * 400}
    found = verdict_for_frozen_model(**made)

    assert (found.verdict.move, found.verdict.need) == (Move.HOLD, Need.RECALL_TARGET)


def test_a_recall_target_is_certified_where_it_is_met() -> None:
    found = verdict_for_frozen_model(**world(800), targets={"b": {"recall": 0.9}})

    assert found.verdict.move is Move.ADVANCE
    assert [proved.claim.of for proved in found.certificates[0].proved] == [None, "b"]


def test_an_audit_without_an_answer_counts_as_wrong() -> None:
    made = world(400)
    order = np.argsort(made["confidence"])
    made["answers"] = [
        SKIP if i in set(order[200:260].tolist()) else a for i, a in enumerate(made["answers"])
    ]
    found = verdict_for_frozen_model(**made)

    assert found.verdict.move is Move.HOLD
    assert (found.rates[0].n_wrong, found.n_unanswered) == (60, 60)


def test_a_model_that_declines_after_it_was_certified_is_withdrawn() -> None:
    found = verdict_for_frozen_model(**world(1200, range(700, 1200, 2)))

    assert (found.verdict.move, found.verdict.review_rate) == (Move.STEP_BACK, 1.0)
    assert found.certificates == ()
    assert not any(rate.certified for rate in found.rates)
    assert "the alarm" in found.verdict.reason


def test_models_tested_before_on_the_same_audits_cost_their_part_of_delta() -> None:
    found = verdict_for_frozen_model(**world(200), tested_before=2)

    assert (found.candidate, found.delta) == (3, 0.05 / 12)
    assert verdict_for_frozen_model(**world(120)).verdict.move is Move.ADVANCE
    assert verdict_for_frozen_model(**world(120), tested_before=9).verdict.move is Move.HOLD


def test_audits_that_were_plainly_not_drawn_at_random_prove_nothing() -> None:
    made = world(1000)
    confident = made["confidence"] > 0.8
    made["answers"] = [a if sure else None for a, sure in zip(made["answers"], confident, strict=True)]
    found = verdict_for_frozen_model(**made)

    assert (found.verdict.move, found.verdict.need) == (Move.HOLD, Need.AUDITS)
    assert "not drawn at random" in found.verdict.reason
    assert found.certificates == ()


def test_answers_to_all_that_is_reviewed_do_not_speak_against_a_random_draw() -> None:
    """A uniform draw is held to be uneven with a chance of 6e-7; here 20 % below are all answered."""
    made = world(2000, audited=0.3)
    low = made["confidence"] <= np.sort(made["confidence"])[399]
    made["answers"] = [
        str(p) if is_low else a for p, a, is_low in zip(made["predicted"], made["answers"], low, strict=True)
    ]
    found = verdict_for_frozen_model(**made)

    assert found.verdict.move is Move.ADVANCE


def test_the_record_is_json_but_for_the_threshold_of_zero() -> None:
    found = verdict_for_frozen_model(**world(400), review_rate=0.5)
    record = json.loads(json.dumps(found.to_dict()))

    assert record["verdict"]["move"] == "ADVANCE"
    assert record["rates"][0]["review_rate"] == 0.5
    assert record["ahead"] is None
    assert (record["lower"], record["candidate"], record["delta"]) == (None, 1, 0.025)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"confidence": [np.nan] * 10}, "NaN"),
        ({"confidence": [0.5] * 9}, "found 10, 9 and 10"),
        ({"review_rate": 1.5}, "review_rate"),
        ({"target_accuracy": 1.0}, "target_accuracy"),
        ({"delta": 0.0}, "delta"),
        ({"tested_before": -1}, "n_drawn"),
        ({"targets": {"a": {"recall": 2}}}, "recall target"),
        ({"probability": [0.0] * 10}, r"\(0, 1\]"),
        ({"probability": [0.5] * 3}, "each of the 10 items"),
        ({"probability": [0.5] * 10, "targets": {"a": {"recall": 0.9}}}, "not supported"),
    ],
)
def test_what_can_not_be_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        verdict_for_frozen_model(**(world(10) | change))


def test_a_delta_beyond_planning_leaves_the_plan_out() -> None:
    assert audits_ahead(0.2, 0.2, 0.95, 1e-300) is None


def test_at_the_boundary_a_false_certificate_is_rare() -> None:
    """300 models wrong on exactly the share allowed, delta / 2 = .025 each: over 23 fail with chance 1e-6."""
    false = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        made = world(400, np.flatnonzero(rng.random(400) < 0.05), seed=seed)
        found = verdict_for_frozen_model(**made, review_rate=0.0)
        false += any(found.certificates) or found.verdict.move is Move.STEP_BACK
    assert false <= 23


def partly_reviewed(n: int, error: float, seed: int) -> dict[str, Any]:
    """People review the less confident half, and audit the rest with chance 0.2; errors sit in the former."""
    rng = np.random.default_rng(seed)
    made = world(n, np.flatnonzero(rng.random(n) < error), seed=seed)
    chance = np.where(made["confidence"] <= 0.75, 1.0, 0.2)
    asked = rng.random(n) < chance
    made["answers"] = [a if is_asked else None for a, is_asked in zip(made["answers"], asked, strict=True)]
    return made | {"probability": chance}


def test_audits_with_different_chances_certify_by_their_weights() -> None:
    made = partly_reviewed(6000, 0.01, 0)
    found = verdict_for_frozen_model(**made)

    assert (found.verdict.move, found.verdict.review_rate) == (Move.ADVANCE, 0.0)
    assert found.verdict.certificate == found.certificates[-1]
    assert found.certificates[0].proved[0].error_bound == pytest.approx(0.05)
    assert found.certificates[0].n_audited == found.n_audited
    assert all(rate.error_bound is None for rate in found.rates)
    without = {name: value for name, value in made.items() if name != "probability"}
    assert "not drawn at random" in verdict_for_frozen_model(**without).verdict.reason


def test_weighted_evidence_grows_until_it_certifies() -> None:
    found = verdict_for_frozen_model(**partly_reviewed(600, 0.0, 1))

    assert (found.verdict.move, found.verdict.need) == (Move.HOLD, Need.AUDITS)
    more = int(found.verdict.numbers["items_to_go"])
    assert f"about {more:,} more items" in found.verdict.next_step
    again = verdict_for_frozen_model(**partly_reviewed(2 * round(600 + more / 0.8) // 2 + 20, 0.0, 1))
    assert again.verdict.move is Move.ADVANCE


def test_a_weighted_model_that_errs_needs_another_one() -> None:
    found = verdict_for_frozen_model(**partly_reviewed(2000, 0.2, 2))

    assert (found.verdict.move, found.verdict.need) == (Move.HOLD, Need.TRAINING)
    assert "the target allows 0.050" in found.verdict.reason


def test_weights_below_the_first_rate_that_fails_are_told() -> None:
    made = partly_reviewed(6000, 0.0, 3)
    order = np.argsort(made["confidence"])
    for row in order[600:1200]:  # decided alone at 0.1, not at 0.2
        made["answers"][row] = "c"
    found = verdict_for_frozen_model(**made)

    assert (found.verdict.move, found.verdict.review_rate) == (Move.ADVANCE, 0.2)
    assert found.lower is not None
    assert (found.lower.tested_rate, found.lower.review_rate) == (0.15, 0.2)


def test_a_row_that_was_asked_for_certain_and_has_no_answer_counts_as_wrong() -> None:
    made = partly_reviewed(3000, 0.0, 4)
    reviewed = np.flatnonzero(made["probability"] == 1.0)
    for row in reviewed[made["confidence"][reviewed] > 0.65].tolist():
        made["answers"][row] = None
    found = verdict_for_frozen_model(**made)

    assert found.verdict.move is Move.HOLD
    assert found.n_unanswered == found.rates[0].n_wrong > 500


def test_weights_do_not_certify_one_class() -> None:
    made = partly_reviewed(6000, 0.0, 5)
    made |= {"predicted": np.full(6000, "ham"), "answers": [a and "ham" for a in made["answers"]]}
    found = verdict_for_frozen_model(**made)

    assert (found.verdict.move, found.verdict.need) == (Move.HOLD, Need.RECALL_TARGET)


def test_weights_without_a_decision_alone_or_any_audit_hold() -> None:
    made = partly_reviewed(600, 0.0, 6)
    flat = verdict_for_frozen_model(**(made | {"confidence": np.full(600, 0.9)}))
    silent = verdict_for_frozen_model(**(made | {"answers": [None] * 600, "probability": np.full(600, 0.2)}))

    assert (flat.verdict.move, flat.verdict.need) == (Move.HOLD, Need.TRAINING)
    assert silent.verdict.move is Move.HOLD
    assert silent.verdict.missed is None


def test_weighted_certificates_at_the_boundary_are_rare() -> None:
    """200 models at the share allowed, delta / 2 = .025: more than 18 false ones come with chance 1e-6.

    Their errors sit where people review; the bare share of errors among the audited would be too high, and
    among those audited by chance alone too low.
    """
    false = 0
    for seed in range(200):
        rng = np.random.default_rng(1000 + seed)
        made = partly_reviewed(1000, 0.0, seed)
        wrong = rng.random(1000) < np.where(made["probability"] == 0.2, 0.1, 0.0)
        made["answers"] = ["c" if a and w else a for a, w in zip(made["answers"], wrong, strict=True)]
        false += bool(verdict_for_frozen_model(**made, review_rate=0.0).certificates)
    assert false <= 18
