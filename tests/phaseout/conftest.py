"""Candidates and trials over a few items, small enough to follow by hand.

Items are numbered from 0. Unless told otherwise their classes alternate, the model is right about all of
them, and its confidence rises with the item's number: at a review rate of 0.5 it decides the later half.
"""

from __future__ import annotations

import numpy as np
import pytest

from bootstrap.phaseout import About, Candidate, Claim, Predictions, Trial, rungs_for

ALONE = Claim(About.ALONE, 0.95)


@pytest.fixture
def truth_of():
    """``truth_of(n)``: the classes of n items, "a" and "b" in turn."""

    def build(n):
        return np.where(np.arange(n) % 2 == 0, "a", "b")

    return build


@pytest.fixture
def candidate_of(truth_of):
    """``candidate_of(n, wrong=rows)``: a candidate that errs on some of n items."""

    def build(
        n=200,
        *,
        wrong=(),
        predicted=None,
        confidence=None,
        rates=(0.0,),
        claims=(ALONE,),
        delta=0.05,
        number=1,
        by_hand=False,
        **options,
    ):
        says = truth_of(n).copy() if predicted is None else np.asarray(predicted)
        rows = np.asarray(wrong, dtype=np.intp)
        says[rows] = np.where(says[rows] == "a", "b", "a")
        sure = np.linspace(0.5, 1.0, len(says)) if confidence is None else confidence
        predictions = Predictions.of(np.arange(len(says)), says, sure)
        rungs = rungs_for(predictions, np.arange(len(says)), rates, claims, delta, **options)
        return Candidate(number, delta, f"model {number}", 3, 100, predictions, rungs, by_hand)

    return build


@pytest.fixture
def audit(truth_of):
    """``audit(trial, rows)``: ask about these rows and answer them truthfully, one after the other."""

    def run(trial: Trial, rows, answers=None):
        rows = list(rows)
        answers = truth_of(max(rows, default=-1) + 1)[rows].tolist() if answers is None else answers
        certified = []
        for row, answer in zip(rows, answers, strict=True):
            trial.ask(row)
            certified += trial.answer(row, answer)
        return certified

    return run
