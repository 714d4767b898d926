"""A certificate says what was proved, about what and on what: in a paragraph, and in JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from bootstrap.phaseout import About, Claim, People, certify
from bootstrap.phaseout.certificate import missed_in_words, missed_per_class


def _certified(candidate, truth, rows):
    """The certificate of its first rung, written after all these audits."""
    for row in rows:
        candidate.feed(candidate.score(row, truth[row], None))
    people = People(adjudicated=True, n_twice=100, n_disagreed=4)
    return certify(candidate, candidate.rungs[0], people=people, delta_in_all=0.05, classes=("a", "b", "c"))


@pytest.fixture
def certificate(candidate_of, truth_of):
    candidate = candidate_of(400, wrong=[0, 301], rates=(0.5,), delta=0.025)
    return _certified(candidate, truth_of(400), range(400))


def test_it_holds_what_the_candidate_was_when_it_was_frozen(certificate):
    assert (certificate.model, certificate.candidate, certificate.round) == ("model 1", 1, 3)
    assert (certificate.n_trained, certificate.delta, certificate.delta_in_all) == (100, 0.025, 0.05)
    assert (certificate.review_rate, certificate.realised_review_rate) == (0.5, 0.5)
    assert certificate.threshold == pytest.approx(0.75, abs=0.01)


def test_it_counts_all_audits_and_proves_with_those_up_to_the_proof(certificate):
    assert (certificate.n_audited, certificate.n_alone, certificate.n_wrong) == (400, 200, 1)
    (proved,) = certificate.proved
    assert (proved.n_audited, proved.n_wrong) == (90, 0)  # 90 right answers suffice at a delta of 0.025
    assert proved.error_bound <= proved.alpha


def test_errors_after_the_proof_do_not_make_it_contradict_itself(candidate_of, truth_of):
    candidate = candidate_of(400, wrong=range(300, 360), rates=(0.5,))
    certificate = _certified(candidate, truth_of(400), range(200, 400))
    assert candidate.rungs[0].main.bound > 0.05
    assert certificate.n_wrong == 60
    assert certificate.proved[0].error_bound <= 0.05
    assert "gets 60 wrong. The proof: 0 wrong of 74 bound the error at 0.04" in str(certificate)


def test_it_tells_what_is_missed_per_class_and_names_what_was_not_measured(certificate):
    assert certificate.missed == {"a": (0, 200), "b": (1, 200), "c": (0, 0)}
    assert "per class: 'b' 1 of 200, 'a' 0 of 200, not measured for 'c'." in str(certificate)


def test_it_goes_through_json_without_loss(certificate):
    record = json.loads(json.dumps(certificate.to_dict(), allow_nan=False))
    assert record["threshold"] == certificate.threshold
    assert record["proved"][0]["claim"] == {"about": "alone", "target": 0.95, "of": None}
    assert record["missed"][1] == {"class": "b", "missed": 1, "audited": 200}
    assert record["people"]["error_interval"] == list(certificate.people.error_interval)
    assert record["people"]["catch_rate"] is None
    assert set(record) == set(type(certificate).__dataclass_fields__)


def test_it_reads_as_one_short_paragraph_with_all_that_a_lead_has_to_know(certificate):
    text = str(certificate)
    assert "\n" not in text
    assert text.count(". ") + 1 <= 12
    for part in (
        "Certificate for model 1 at a review rate of 0.50 (realised 0.500): accuracy of at least 0.95",
        "drawn at random with known probability and answered blind",
        "0.0500 is allowed",
        "frozen as it was after round 3 (100 labels)",
        "fitted again, it is another model",
        "both reject the model's class",
        "Catch rate: not measured",
        "distinct contents like those that were audited",
        "candidate 1 of this held-out set",
        "0.025, those of all candidates together with 0.05",
    ):
        assert part in text


def test_in_a_notebook_it_is_one_line(certificate):
    assert repr(certificate) == (
        "Certificate(model 1, candidate 1, review rate 0.50, "
        "accuracy of at least 0.95 where the model decides alone)"
    )


def test_where_the_model_decides_everything_no_threshold_is_told(candidate_of, truth_of):
    certificate = _certified(candidate_of(200), truth_of(200), range(200))
    assert certificate.threshold == -math.inf
    assert "decides alone; fitted again" in str(certificate)
    assert json.loads(json.dumps(certificate.to_dict(), allow_nan=False))["threshold"] is None


def test_every_claim_is_told_with_its_own_audits(candidate_of, truth_of):
    claims = (Claim(About.ALONE, 0.95), Claim(About.RECALL, 0.9, "b"), Claim(About.PREDICTED, 0.9, "a"))
    certificate = _certified(candidate_of(400, claims=claims), truth_of(400), range(400))
    assert len(certificate.proved) == 3
    assert "Also proved: at least 0.9 of the 'b' items not going out wrong (0 wrong of 36); acc" in str(
        certificate
    )


def test_skips_and_training_queries_are_told_apart(candidate_of):
    candidate = candidate_of(300)
    candidate.feed(candidate.score(0, None, None))
    for row in range(1, 300):
        candidate.feed(candidate.score(row, "ab"[row % 2], None), drawn=row < 8)
    text = str(certify(candidate, candidate.rungs[0], people=People(), delta_in_all=0.05))
    assert "7 of them were training queries, drawn at random and scored before training" in text
    assert "1 that nobody could answer count as wrong" in text


def test_before_any_proof_the_counts_are_those_of_now(candidate_of):
    candidate = candidate_of(10)
    candidate.feed(candidate.score(0, "a", None))
    one = certify(candidate, candidate.rungs[0], people=People(), delta_in_all=0.05).proved[0]
    assert (one.n_audited, one.n_wrong) == (1, 0)
    assert one.error_bound > 0.05


def test_at_most_ten_classes_are_told_the_worst_first():
    missed = {f"c{i:02}": (i, 20) for i in range(12)}
    words = missed_in_words(missed)
    assert words.startswith("Decided alone and wrong, per class: 'c11' 11 of 20, 'c10' 10 of 20")
    assert "c01" not in words
    assert words.endswith("'c02' 2 of 20, some in 1 more, 'c00' 0 of 20.")
    many = {f"c{i:02}": (0, 20) for i in range(12)} | {"worst": (1, 5), "new": (0, 0)}
    assert missed_in_words(many) == (
        "Decided alone and wrong, per class: 'worst' 1 of 5, none of 240 in 12 other classes, "
        "not measured for 'new'."
    )
    assert missed_in_words({}) == missed_in_words(None) == "What goes out wrong per class: not measured."


def test_classes_that_only_the_audits_know_are_told_too(candidate_of):
    candidate = candidate_of(10)
    candidate.feed(candidate.score(0, "new", None))
    assert missed_per_class(candidate, candidate.rungs[0], ("a",)) == {"a": (0, 0), "new": (1, 1)}


def test_numbers_as_classes_go_through_json(candidate_of):
    truth = np.arange(200) % 2
    candidate = candidate_of(200, predicted=truth)
    certificate = _certified(candidate, truth.tolist(), range(200))
    assert json.loads(json.dumps(certificate.to_dict()))["missed"][-1]["class"] == 1
