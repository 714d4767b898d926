"""The claims that a certificate needs: which audits they are about, and what is an error there."""

from __future__ import annotations

import json
import math

import pytest

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import About, Claim, Outcome, claims_of

ALONE = Claim(About.ALONE, 0.95)
SYSTEM = Claim(About.SYSTEM, 0.95)
AS_SPAM = Claim(About.PREDICTED, 0.97, "spam")
SPAM_FOUND = Claim(About.RECALL, 0.9, "spam")

missed = Outcome("ham", 0.9, "spam", wrong=True)
found = Outcome("spam", 0.9, "spam", wrong=False)
false_alarm = Outcome("spam", 0.9, "ham", wrong=True)
nobody_knows = Outcome("ham", 0.9, None, wrong=True)


@pytest.mark.parametrize(
    ("claim", "outcome", "alone", "reviewed"),
    [
        (ALONE, missed, True, None),
        (ALONE, found, False, None),
        (ALONE, nobody_knows, True, None),
        (SYSTEM, missed, True, None),
        (SYSTEM, found, False, None),
        (AS_SPAM, false_alarm, True, None),
        (AS_SPAM, found, False, None),
        (AS_SPAM, missed, None, None),
        (SPAM_FOUND, missed, True, False),
        (SPAM_FOUND, found, False, False),
        (SPAM_FOUND, false_alarm, None, None),
        (SPAM_FOUND, nobody_knows, True, None),
    ],
)
def test_what_counts_as_an_error(claim, outcome, alone, reviewed):
    assert claim.error(outcome, alone=True) is alone
    assert claim.error(outcome, alone=False) is reviewed


@pytest.mark.parametrize("claim", [ALONE, AS_SPAM, SPAM_FOUND])
def test_peoples_errors_matter_to_a_target_for_all_that_goes_out_only(claim):
    assert claim.alpha(0.5, 1.0) == claim.alpha(0.0, 0.0) == pytest.approx(1 - claim.target)


def test_people_use_up_part_of_the_errors_allowed():
    assert SYSTEM.alpha(0.2, 0.05) == pytest.approx((0.05 - 0.01) / 0.8)
    assert SYSTEM.alpha(0.0, 1.0) == pytest.approx(0.05)


@pytest.mark.parametrize(("rate", "people"), [(0.5, 1.0), (0.5, 0.1), (1.0, 0.0), (0.2, 0.25)])
def test_a_target_that_people_use_up_is_out_of_reach_even_by_a_rounding_error(rate, people):
    assert SYSTEM.alpha(rate, people) == 0.0


def test_where_people_decide_nearly_everything_the_errors_allowed_stay_a_share():
    assert 0.99 < SYSTEM.alpha(0.97, 0.01) < 1.0


def test_claims_go_through_json_and_read_as_words():
    assert json.loads(json.dumps(SPAM_FOUND.to_dict())) == {"about": "recall", "target": 0.9, "of": "spam"}
    assert str(ALONE) == "accuracy of at least 0.95 where the model decides alone"
    assert str(SYSTEM) == "accuracy of at least 0.95 over all that goes out"
    assert str(AS_SPAM) == "accuracy of at least 0.97 where the model decides 'spam' alone"
    assert str(SPAM_FOUND) == "at least 0.9 of the 'spam' items not going out wrong"


def test_the_overall_claim_comes_first_and_classes_add_theirs():
    targets = {"spam": {"recall": 0.9, "accuracy": 0.97}}
    assert claims_of(0.95, "alone", targets) == (ALONE, SPAM_FOUND, AS_SPAM)
    assert claims_of(0.95, "system") == (SYSTEM,)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0.95, "recall"), "target_of"),
        ((0.95, "everything"), "target_of"),
        ((1.0, "alone"), "target_accuracy"),
        ((math.nan, "alone"), "target_accuracy"),
        ((0.95, "alone", ["spam"]), "mapping"),
        ((0.95, "alone", {"spam": 0.9}), "targets of 'spam'"),
        ((0.95, "alone", {"spam": {}}), "targets of 'spam'"),
        ((0.95, "alone", {"spam": {"precision": 0.9}}), "targets of 'spam'"),
        ((0.95, "alone", {"spam": {"recall": 1.0}}), "recall target of 'spam'"),
        ((0.95, "alone", {"spam": {"recall": "0.9"}}), "recall target of 'spam'"),
        ((0.95, "alone", {"spam": {"accuracy": True}}), "accuracy target of 'spam'"),
    ],
)
def test_anything_else_is_refused_with_what_to_say_instead(arguments, words):
    with pytest.raises(InvalidInput, match=words):
        claims_of(*arguments)
