"""What the summary says, what it must not leave out, and what it must never say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.report import summary


def test_what_was_spent_is_said_with_the_audits_inside_and_given_labels_apart(make_history):
    text = summary(make_history(25, n_given=200, n_skipped=1, stop_reason="budget of 600 labels spent."))
    assert (
        "People gave 600 labels in 25 rounds, audits included; of the held-out items 100 are audited." in text
    )
    assert "200 labels existed before, not counted in that." in text
    assert '1 query was answered with "can\'t tell".' in text
    assert "The run ended: budget of 600 labels spent. " not in text.split("\n\n")[1]
    assert text.split("\n\n")[0].endswith("The run ended: budget of 600 labels spent.")


def test_what_did_not_happen_is_not_mentioned(make_history):
    text = summary(make_history())
    for absent in ("existed before", "can't tell", "The run ended"):
        assert absent not in text


def test_the_way_from_the_first_measured_round_to_the_last_is_told_with_the_interval(make_history):
    history = make_history(
        accuracy_at_review_rate=0.95199,
        accuracy_low=0.8577,
        accuracy_high=0.98801,
        running_low=0.71,
        running_high=0.9,
    )
    text = summary(history)
    assert "With people deciding the 20 % of items that the model is least sure of" in text
    assert (
        "gone from 0.866 in round 2 (on 8 audited items) to 0.951 in round 12 (on 48 audited items)" in text
    )
    assert "the interval for this round's model is 0.857–0.989." in text
    assert (
        "The average over all rounds so far, with the earlier models' errors in it, lies in 0.710–0.900"
        in text
    )


def test_a_single_measured_round_has_no_way_to_tell_of(make_history):
    text = summary(make_history(1, measured_from=1))
    assert "accuracy is estimated at 0.733 in round 1 (on 4 audited items)" in text
    assert "gone from" not in text
    assert "People gave 24 labels in 1 round," in text


def test_what_the_model_does_by_itself_is_told_with_its_errors(make_history):
    text = summary(make_history(accuracy=0.9375, n_decided_alone=38, n_wrong=2, selective_accuracy=0.9473))
    assert "On its own, on every item, the model is right on 0.937 of the audited ones" in text
    assert "of the 38 that it would decide alone it gets 2 wrong (0.947 right)" in text


@pytest.mark.parametrize(
    ("rate", "target_of", "sentence"),
    [
        (
            0.125,
            "alone",
            "As an estimate, the target of 0.95 for what the model decides alone would be met at a ",
        ),
        (
            0.125,
            "system",
            "As an estimate, the target of 0.95 for what goes out would be met at a review rate of ",
        ),
        (0.125, "alone", "a review rate of about 12 %."),
        (1.0, "alone", "only where people decide every item."),
        (None, "system", "At no review rate do these audits meet the target of 0.95 for what goes out."),
    ],
)
def test_the_rate_for_the_target_is_named_an_estimate(make_history, rate, target_of, sentence):
    history = make_history(target_of=target_of, review_rate_for_target=rate, n_audited=100)
    assert sentence in summary(history)


def test_too_few_audits_give_no_estimate_of_the_rate_for_the_target(make_history):
    text = summary(make_history(n_audited=58))
    assert "can't be estimated from fewer than 59 audits" in text
    assert "As an estimate" not in text


def test_what_is_not_proved_is_told(make_history):
    text = summary(make_history())
    for limit in (
        "none of them is a certificate",
        "no verdict may be drawn from them",
        "picked by the very audits that speak for it",
        "for this round alone",
        "misses with a chance of at most 0.05",
        "People's answers are taken as the truth here: their own errors are not allowed for.",
        "comes from its confidence on the held-out items",
        "items like those in the pool",
    ):
        assert limit in text.split("\n\n")[2]


def test_measured_errors_of_people_are_told_instead(make_history):
    text = summary(make_history(people_error=0.03))
    assert "People are taken to be wrong on 3 % of what they review" in text
    assert "not allowed for" not in text


@pytest.mark.parametrize(
    ("rate", "who"), [(0.0, "With the model deciding every item"), (1.0, "With people deciding every item")]
)
def test_a_rate_of_none_or_all_reads_as_it_is(make_history, rate, who):
    assert f"{who}, accuracy is estimated" in summary(make_history(review_rate=rate))


def test_a_last_round_without_an_audited_item_above_the_threshold_is_not_measured_there(make_history):
    text = summary(
        make_history(
            accuracy_at_review_rate=None, selective_accuracy=None, n_decided_alone=0, running_low=None
        )
    )
    assert (
        "accuracy is not measured in round 12: none of the audited items is one that the model would" in text
    )
    assert "would decide alone it gets" not in text
    assert "The average" not in text


def test_nothing_measured_is_said_plainly(make_history):
    text = summary(make_history(3, measured_from=99))
    assert "of the held-out items none are audited" in text
    assert "Accuracy is not measured yet, so nothing can be said about it" in text
    assert "held_out and audit_share above 0" in text
    assert len(text.split("\n\n")) == 2


def test_one_audited_item_is_one(make_history):
    assert "of the held-out items 1 is audited" in summary(make_history(n_audited=1))


def test_no_round_is_said_plainly(make_history):
    assert summary(make_history(0)) == "No round has ended yet: nothing is learned or measured."


@pytest.mark.parametrize("case", [{}, {"review_rate_for_target": 0.0}, {"accuracy_low": 0.99, "target": 0.5}])
def test_a_summary_is_never_a_verdict(make_history, case):
    text = summary(make_history(**case)).lower()
    for claim in (
        "target is met",
        "certified",
        "advance",
        "step back",
        "can be trusted",
        "may be lowered",
        "safe",
    ):
        assert claim not in text


def test_what_is_certified_comes_first_with_where_to_read_it(make_history):
    first, *others, limits = summary(make_history(certified_review_rate=0.2)).split("\n\n")
    assert first.startswith("A review rate of 20 % is certified. loop.verdict() says for which frozen model")
    assert "loop.certificates" in first
    assert others[0].startswith("People gave")
    assert "no part of the certificate, which is about a model frozen earlier" in limits
    assert "none of them is a certificate" not in limits


def test_a_certificate_that_is_void_is_not_told_as_one(make_history):
    history = make_history()
    certified = [replace(r, certified_review_rate=0.2 if r.round in (5, 6) else 1.0) for r in history]
    text = summary(replace(history, rounds=tuple(certified)))
    assert text.startswith("A review rate of 20 % was certified and is not any more. loop.verdict() says why")
    assert "none of them is a certificate" in text


def test_labels_that_existed_may_certify_before_a_round_is_measured(make_history):
    text = summary(make_history(3, measured_from=99, certified_review_rate=0.3))
    assert text.startswith("A review rate of 30 % is certified.")
    assert "Accuracy is not measured yet" in text
