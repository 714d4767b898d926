"""Advance, hold or step back: every need with the right words, figures and next step."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import (
    About,
    Claim,
    Move,
    Need,
    People,
    Situation,
    Tally,
    Trial,
    certify,
    claims_of,
    give_verdict,
)
from bootstrap.phaseout.certificate import missed_in_words
from bootstrap.phaseout.missing import audits_to_go
from bootstrap.records import SKIP

ALONE = (Claim(About.ALONE, 0.95),)


def _now(**known):
    known = {"claims": ALONE, "ladder": (0.5, 0.0), "n_labels": 300, "n_trained": 100} | known
    return Situation(**({"next_candidate_at": 200, "n_left": 1000} | known))


def _json(verdict):
    return json.loads(json.dumps(verdict.to_dict(), allow_nan=False))


@pytest.fixture
def tested(candidate_of, audit):
    """``tested(n, rows=...)``: a trial with one candidate after these audits, and its certificates."""

    def build(n=400, rows=(), answers=None, **options):
        trial, candidate = Trial(), candidate_of(n, **options)
        trial.register(candidate)
        certified = audit(trial, rows, answers)
        people = People()
        certificates = tuple(certify(c, rung, people=people, delta_in_all=0.05) for c, rung in certified)
        return trial, certificates

    return build


# hold


def test_the_style_of_a_hold(tested):
    trial, _ = tested(600, rows=range(420, 600), wrong=range(420, 424), rates=(0.3,))
    verdict = give_verdict(trial, _now())
    assert str(verdict) == (
        "HOLD at 1.00: at a review rate of 0.30, 4 wrong of 180 audited bound the error at 0.069; the target "
        "allows 0.050. About 210 more audits if the error is what it seems (0.022). Decided alone and wrong, "
        "per class: 'a' 2 of 90, 'b' 2 of 90. Next: loop.run(budget=501)"
    )


def test_without_a_candidate_it_needs_training():
    verdict = give_verdict(Trial(), _now(n_trained=60, next_candidate_at=100))
    assert (verdict.move, verdict.review_rate, verdict.tested_rate) == (Move.HOLD, 1.0, 0.5)
    assert verdict.need is Need.TRAINING
    assert verdict.missed is None
    assert str(verdict) == (
        "HOLD at 1.00: no candidate is being tested for a review rate of 0.50. The next one is frozen at 100 "
        "trained labels, and there are 60. What goes out wrong per class: not measured. "
        "Next: label on (loop.run): 40 more to be trained on."
    )
    assert _json(verdict)["need"] == "needs_training"


def test_with_no_audit_yet_it_tells_how_many_are_needed_at_least(tested):
    trial, _ = tested(rates=(0.5,))
    verdict = give_verdict(trial, _now())
    assert verdict.need is Need.AUDITS
    assert verdict.reason == (
        "at a review rate of 0.50, no audit counts yet. It takes at least 74 that do, without an error, to "
        "show this: accuracy of at least 0.95 where the model decides alone."
    )
    assert verdict.next_step == "loop.run(budget=448)"  # 148 audits, half of them where it decides alone
    assert verdict.missed is None


def test_audits_that_are_all_reviewed_say_nothing_yet(tested):
    trial, _ = tested(rows=range(50), rates=(0.5,))
    verdict = give_verdict(trial, _now())
    assert verdict.need is Need.AUDITS
    assert "none of 50 audits" in verdict.reason
    assert verdict.missed == {"a": (0, 25), "b": (0, 25)}


def test_with_too_few_items_left_for_the_first_proof_it_says_so(tested):
    trial, _ = tested(rates=(0.5,))
    verdict = give_verdict(trial, _now(n_left=100))
    assert verdict.need is Need.HELD_OUT_EXHAUSTED
    assert "Only 100 items are left" in verdict.reason


def test_a_model_that_is_equally_sure_of_everything_decides_nothing_alone(tested):
    trial, _ = tested(rows=range(50), rates=(0.5,), confidence=np.full(400, 0.9))
    verdict = give_verdict(trial, _now())
    assert verdict.need is Need.TRAINING
    assert "decides nothing alone" in verdict.reason
    assert "ties are reviewed" in verdict.reason


def test_all_right_so_far_needs_only_more_audits(tested):
    trial, _ = tested(rows=range(200, 250), rates=(0.5,))
    verdict = give_verdict(trial, _now())
    assert verdict.need is Need.AUDITS
    assert "0 wrong of 50 audited" in verdict.reason
    assert "About 24 more audits if the error is what it seems (0.000)." in verdict.reason
    assert verdict.next_step == "loop.run(budget=324)"


def test_a_share_of_the_audits_falls_where_people_review(tested):
    trial, _ = tested(rows=[*range(50), *range(200, 250)], rates=(0.5,))
    assert give_verdict(trial, _now()).numbers["audits_to_go"] == 48


def test_all_wrong_needs_training(tested):
    trial, _ = tested(rows=range(200, 250), wrong=range(400), rates=(0.5,))
    verdict = give_verdict(trial, _now())
    assert verdict.need is Need.TRAINING
    assert "50 wrong of 50 audited bound the error at 1.000" in verdict.reason
    assert "more audits would hardly help" in verdict.reason
    assert "the next candidate is frozen at 200 trained labels (100 so far)" in verdict.next_step


def test_one_early_error_is_no_reason_to_give_up(tested):
    trial, _ = tested(rows=range(200, 215), wrong=[200], rates=(0.5,))
    verdict = give_verdict(trial, _now())
    assert verdict.need is Need.AUDITS
    assert "if no further error comes; it seems to be 0.067, by too few audits to tell" in verdict.reason
    assert verdict.numbers["audits_to_go"] == 131 - 15


def test_when_no_items_are_left_to_be_audited_it_says_so(tested):
    trial, _ = tested(rows=range(200, 250), rates=(0.5,))
    verdict = give_verdict(trial, _now(n_left=23))
    assert verdict.need is Need.HELD_OUT_EXHAUSTED
    assert "About 24 more audits" in verdict.reason
    assert "Only 23 items are left that may be audited." in verdict.reason
    assert give_verdict(trial, _now(n_left=24)).need is Need.AUDITS


@pytest.mark.parametrize("rows", [range(200, 250), []], ids=["some", "none counted"])
@pytest.mark.parametrize(
    ("n_left", "words"),
    [(0, " No item is left that may be audited."), (1, " Only 1 item is left that may be audited.")],
)
def test_where_none_or_one_is_left_the_sentence_says_so(tested, rows, n_left, words):
    trial, _ = tested(rows=rows, rates=(0.5,))
    verdict = give_verdict(trial, _now(n_left=n_left))
    assert verdict.need is Need.HELD_OUT_EXHAUSTED
    assert verdict.reason.endswith(words)
    assert "add more items" in verdict.next_step
    assert ("the audits so far may do for a better candidate" in verdict.next_step) is bool(rows)


def test_where_the_audits_left_would_only_do_without_a_further_error_a_better_model_is_wanted(tested):
    trial, _ = tested(rows=range(200, 280), wrong=[200, 201], rates=(0.5,))
    verdict = give_verdict(trial, _now(n_left=120, n_trained=120, next_candidate_at=200))
    assert verdict.need is Need.TRAINING
    assert "Only 120 items are left that may be audited. A better model needs fewer." in verdict.reason
    assert "frozen at 200 trained labels (120 so far)" in verdict.next_step


def test_a_claim_about_a_class_is_named(tested):
    claims = (*ALONE, Claim(About.RECALL, 0.9, "a"))
    trial, _ = tested(rows=range(200), wrong=range(0, 20, 2), claims=claims)
    trial.candidates[0].rungs[0].tallies[ALONE[0]].proved = True
    verdict = give_verdict(trial, _now(claims=claims))
    assert "10 wrong of 100 audited (for at least 0.9 of the 'a' items not going out wrong)" in verdict.reason


def test_a_class_that_no_audit_showed_yet_needs_audits(tested):
    claims = (*ALONE, Claim(About.RECALL, 0.9, "rare"))
    trial, _ = tested(rows=range(200), claims=claims)
    verdict = give_verdict(trial, _now(claims=claims))
    assert verdict.need is Need.AUDITS
    assert "none of 200 audits" in verdict.reason
    assert "'rare'" in verdict.reason


def test_where_one_class_would_do_it_asks_for_a_recall_target(tested):
    answers = ["spam" if i % 50 == 0 else "ham" for i in range(400)]
    trial, _ = tested(rows=range(400), answers=answers, predicted=["ham"] * 400)
    verdict = give_verdict(trial, _now(classes=("ham", "spam")))
    assert verdict.need is Need.RECALL_TARGET
    assert "always answering 'ham' might do as well: 392 of 400" in verdict.reason
    assert verdict.next_step == (
        "say which class matters: targets={'spam': {'recall': 0.9}} when the loop is made."
    )
    assert verdict.missed == {"ham": (0, 392), "spam": (8, 8)}


def test_where_more_audits_may_settle_that_it_says_so(tested):
    answers = ["spam" if i % 12 == 0 else "ham" for i in range(100)]
    trial, _ = tested(rows=range(100), answers=answers, predicted=[*answers, *["ham"] * 300])
    verdict = give_verdict(trial, _now())
    assert verdict.need is Need.RECALL_TARGET
    assert verdict.next_step.endswith("; or audit on, if the other classes are as frequent as they seem.")


def test_one_class_only_names_no_class_that_does_not_exist(tested):
    trial, _ = tested(rows=range(400), answers=["a"] * 400, predicted=["a"] * 400)
    verdict = give_verdict(trial, _now())
    assert verdict.need is Need.RECALL_TARGET
    assert "targets={'the class that matters'" in verdict.next_step


def test_classes_that_are_numbers_are_shown_as_such(tested):
    answers = [int(i % 50 == 0) for i in range(400)]
    trial, _ = tested(rows=range(400), answers=answers, predicted=[0] * 400)
    assert "targets={1: {'recall': 0.9}}" in give_verdict(trial, _now()).next_step


@pytest.mark.parametrize(
    ("people", "options", "words", "remedy"),
    [
        (People(), {}, "not measured", "name an adjudicator"),
        (
            People(n_twice=300, n_disagreed=18),
            {"people_error": [0.2]},
            "people's own errors on the 0.50 of the items that they review",
            "have more audits answered twice",
        ),
        (People(caught=0, shown=30), {"catch_rate": 0.0}, "caught so few of the known errors", "more traps"),
    ],
)
def test_a_target_out_of_reach_says_why_and_what_helps(tested, people, options, words, remedy):
    claims = claims_of(0.95, "system")
    trial, _ = tested(rows=range(400), rates=(0.5,), claims=claims, **options)
    verdict = give_verdict(trial, _now(claims=claims, people=people))
    assert verdict.need is Need.OUT_OF_REACH
    assert "at a review rate of 0.50 the target is out of reach" in verdict.reason
    assert words in verdict.reason
    assert remedy in verdict.next_step
    assert _json(verdict)["need"] == "out_of_reach"


def test_a_target_above_what_people_agree_on_is_said_first(tested):
    people = People(n_twice=300, n_disagreed=60)
    trial, certificates = tested(rows=range(200, 250), rates=(0.5,))
    verdict = give_verdict(trial, _now(people=people))
    assert verdict.need is Need.OUT_OF_REACH
    assert verdict.reason.startswith("people agree with each other less than the target asks: 60 dis")
    assert "Besides, at a review rate of 0.50, 0 wrong of 50 audited" in verdict.reason
    assert verdict.next_step.startswith("improve the guidelines or lower the target; after that: loop.run(")
    assert verdict.numbers["people_error_low"] > 0.05

    trial, certificates = tested(rows=range(200, 300), rates=(0.5,))
    verdict = give_verdict(trial, _now(people=people, certificates=certificates))
    assert verdict.move is Move.ADVANCE
    assert verdict.reason.startswith("people agree with each other less than the target asks")


# advance


def test_a_certified_rate_below_the_present_one_is_an_advance_with_its_certificate(tested):
    trial, certificates = tested(rows=range(200, 400), rates=(0.5,))
    verdict = give_verdict(trial, _now(certificates=certificates))
    assert (verdict.move, verdict.review_rate, verdict.need) == (Move.ADVANCE, 0.5, None)
    assert verdict.certificate is certificates[0]
    assert str(verdict).startswith(
        "ADVANCE to 0.50: model 1, frozen as it was after round 3, has shown it: at the proof, 0 wrong of 74 "
        "audited where it decides alone bound the error at 0.050; the target allows 0.050. One person's "
        "answer is taken"
    )
    assert "review what has a confidence of 0.749373 or less" in verdict.next_step
    assert _json(verdict)["certificate"]["review_rate"] == 0.5


def test_an_advance_tells_the_counts_at_the_proof_from_those_when_it_was_certified(tested):
    claims = (*ALONE, Claim(About.RECALL, 0.9, "b"))
    trial, certificates = tested(rows=range(400), wrong=range(201, 203), claims=claims)
    verdict = give_verdict(trial, _now(claims=claims, certificates=certificates))
    assert verdict.move is Move.ADVANCE
    assert "at the proof, 0 wrong of 74 audited" in verdict.reason
    recall = "Also proved: at least 0.9 of the 'b' items not going out wrong (0 wrong of 36)."
    assert f"the target allows 0.050. {recall} One person's" in verdict.reason
    assert (
        "per class: 'a' 1 of 200, 'b' 1 of 200. These counts are of all audits up to the certificate, not of "
        "the proof alone. Next:"
    ) in str(verdict)


def test_an_advance_by_one_claim_names_no_other(tested):
    trial, certificates = tested(rows=range(200, 400), rates=(0.5,))
    assert "Also proved" not in str(give_verdict(trial, _now(certificates=certificates)))


def test_in_a_notebook_it_is_one_line(tested):
    trial, certificates = tested(rows=range(200, 400), rates=(0.5,))
    advance = give_verdict(trial, _now(certificates=certificates))
    assert repr(advance) == "Verdict(ADVANCE to 0.50; print it to read why)"
    hold = give_verdict(Trial(), _now())
    assert repr(hold) == "Verdict(HOLD at 1.00, needs_training; print it to read why)"
    assert hold == give_verdict(Trial(), _now()) != advance


def test_an_advance_to_a_rate_of_zero_names_no_threshold(tested):
    trial, certificates = tested(rows=range(200))
    verdict = give_verdict(trial, _now(certificates=certificates))
    assert "use this very model (loop.certified_model()) and let it decide" in verdict.next_step
    assert "threshold" not in _json(verdict)["numbers"]


def test_the_certificate_is_that_of_the_champion_at_its_rate(tested):
    trial, certificates = tested(rows=range(400), rates=(0.5, 0.4))
    other = dataclasses.replace(certificates[-1], candidate=2)
    verdict = give_verdict(trial, _now(certificates=(*certificates, other)))
    assert verdict.certificate is certificates[-1]
    with pytest.raises(InvalidInput, match="not among the 1 of the situation"):
        give_verdict(trial, _now(certificates=(other,)))


def test_once_advanced_it_holds_there_and_tells_of_the_next_rung(tested):
    trial, certificates = tested(wrong=range(0, 60, 3), rows=[*range(60), *range(200, 400)], rates=(0.5, 0.0))
    verdict = give_verdict(trial, _now(present_rate=0.5, certificates=certificates))
    assert (verdict.move, verdict.review_rate, verdict.tested_rate) == (Move.HOLD, 0.5, 0.0)
    assert str(verdict).startswith("HOLD at 0.50: at a review rate of 0.00, 20 wrong of 260 audited")


def test_with_no_lower_rate_left_it_holds_and_keeps_auditing(tested):
    trial, certificates = tested(rows=range(200))
    verdict = give_verdict(trial, _now(present_rate=0.0, certificates=certificates))
    assert (verdict.move, verdict.tested_rate, verdict.need) == (Move.HOLD, None, None)
    assert "no lower review rate is left" in verdict.reason
    assert verdict.certificate is certificates[-1]
    assert _json(verdict)["tested_rate"] is None


# step back


def _alarmed(tested, audit, present_rate, rates=(0.5, 0.4)):
    trial, certificates = tested(1000, rows=range(500, 700), rates=rates)
    audit(trial, range(700, 740), ["ba"[row % 2] for row in range(700, 740)])
    assert trial.champion is None
    return give_verdict(trial, _now(present_rate=present_rate, certificates=certificates))


def test_an_alarm_steps_back_to_the_rate_before(tested, audit):
    verdict = _alarmed(tested, audit, 0.4)
    assert (verdict.move, verdict.review_rate, verdict.tested_rate) == (Move.STEP_BACK, 0.5, 0.4)
    assert str(verdict).startswith(
        "STEP BACK to 0.50: model 1 is withdrawn (the alarm: too many errors among what it decided alone); "
        "its certificates are void."
    )
    assert verdict.certificate is None
    assert _json(verdict)["move"] == "STEP BACK"


def test_stepping_back_never_lowers_the_rate_that_is_practised(tested, audit):
    assert _alarmed(tested, audit, 1.0).review_rate == 1.0
    assert _alarmed(tested, audit, 0.7).review_rate == 0.7


def test_above_the_highest_rung_people_review_everything(tested, audit):
    assert _alarmed(tested, audit, 0.5, rates=(0.5,)).review_rate == 1.0


def test_a_champion_withdrawn_by_hand_says_why_in_plain_json(tested):
    trial, certificates = tested(rows=range(200))
    trial.withdraw("trained on broken data")
    verdict = give_verdict(trial, _now(certificates=certificates, present_rate=0.0))
    assert "withdrawn (trained on broken data)" in verdict.reason
    assert set(_json(verdict)["numbers"]) >= {"audited"}


# audits to go


@pytest.mark.parametrize(
    ("errors", "n", "more"),
    [(0, 0, None), (0, 30, 44), (2, 40, None), (3, 40, None)],
)
def test_how_many_audits_are_missing_if_errors_go_on_as_so_far(errors, n, more):
    assert audits_to_go(Tally(0.05, 0.05, errors, n)) == more


def test_an_error_just_below_the_target_would_take_too_many_audits():
    assert audits_to_go(Tally(0.05, 0.05, 4999, 100_000)) is None
    assert audits_to_go(Tally(0.0, 0.05, 0, 10)) is None


def test_the_forecast_proves_the_claim_where_errors_do_go_on_like_that():
    tally = Tally(0.05, 0.05, 4, 180)
    more = audits_to_go(tally)
    errors = 4 + math.floor(4 / 180 * more)
    assert Tally(0.05, 0.05, errors).needed <= 180 + more


# people who can't tell, or disagree


def test_audits_that_wait_for_an_adjudicator_are_said_first(tested):
    trial, _ = tested(600, rows=range(420, 600), wrong=range(420, 424), rates=(0.3,))
    usual, held_up = give_verdict(trial, _now()), give_verdict(trial, _now(n_disputed=3))
    assert held_up.reason == (
        "3 audits wait for an adjudicator, since people disagree or could not tell, and what was asked after "
        f"the first of them counts only then. So far, {usual.reason}"
    )
    assert held_up.next_step.startswith("have them settled (add_reviewer(storage, name, is_adj")
    assert held_up.numbers["disputed"] == 3
    assert give_verdict(trial, _now(n_disputed=1)).reason.startswith("1 audit waits for")


def test_how_many_of_the_wrong_nobody_could_tell_is_said(tested):
    answers = [*["a", "b"] * 89, SKIP, SKIP]
    trial, _ = tested(600, rows=range(420, 600), answers=answers, wrong=range(420, 424), rates=(0.3,))
    assert "Of all its audits 2 that nobody could tell count as wrong." in give_verdict(trial, _now()).reason


def test_a_class_that_is_a_number_is_called_a_class():
    said = missed_in_words({0: (3, 40), 1: (0, 30), 2: (0, 0)})
    assert said.endswith(": class 0 3 of 40, class 1 0 of 30, not measured for class 2.")


def test_nothing_is_left_to_label_where_the_next_candidate_is_due():
    verdict = give_verdict(Trial(), _now(n_trained=240))
    assert verdict.next_step == "label on (loop.run): one is frozen when this round ends."
