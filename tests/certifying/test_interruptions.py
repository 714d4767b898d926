"""Ctrl-C anywhere in a round changes nothing: whatever is called next makes it good."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np

from bootstrap import SKIP, BootstrapLoop


def truth(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def careless(query) -> str:
    """Wrong on one item in nine, the same ones each time."""
    other = {"big": "small", "small": "big"}
    return other[truth(query)] if round(float(query.item[0]) * 100) % 9 == 0 else truth(query)


def nobody(queries) -> list:
    raise AssertionError("these tests use ask and tell")


def a_round(loop: BootstrapLoop, answer=truth) -> None:
    loop.tell({query.id: answer(query) for query in loop.ask()}, by="Ann")
    loop.refit()


def candidates(loop: BootstrapLoop) -> list:
    return loop._certifying.trial.candidates


OURS = {
    str(Path(sys.modules[name].__file__))
    for name in (
        "bootstrap.certifying.certifying",
        "bootstrap.certifying.candidates",
        "bootstrap.certifying.answered_twice",
        "bootstrap.certifying.out_of_turn",
        "bootstrap.certifying.audits_wanted",
        "bootstrap.batching",
        "bootstrap.exchange.answers",
        "bootstrap.exchange.queries",
        "bootstrap.phaseout.trial",
        "bootstrap.phaseout.candidate",
        "bootstrap.phaseout.ledger",
    )
}


def batched(things, n):
    """Tuples of n of them."""
    left = iter(things)
    while group := tuple(islice(left, n)):
        yield group


class Tracer:
    """Counts how often each line of ours runs; raises, once, before those runs that were chosen."""

    def __init__(self, chosen: dict | None = None) -> None:
        self.runs: Counter = Counter()
        self.raised: list = []
        self._chosen = dict(chosen or {})

    def __call__(self, frame, event, _):
        if frame.f_code.co_filename not in OURS:
            return None
        if event == "line":
            line = (frame.f_code.co_filename, frame.f_lineno)
            self.runs[line] += 1
            if self._chosen.get(line) == self.runs[line]:
                self.raised.append((Path(line[0]).name, line[1], self.runs[line]))
                raise KeyboardInterrupt
        return self

    def call(self, step):
        """Make the call, again where it was interrupted."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            return step()
        except KeyboardInterrupt:
            return self.call(step)
        finally:
            sys.settrace(before)


def play(a_loop, tracer: Tracer) -> BootstrapLoop:
    """Some rounds with two people; a call that is interrupted is repeated."""
    loop = a_loop(n=400, adjudicator=nobody, asked_twice=0.1, target_accuracy=0.85, delta=0.4)
    for round_ in range(20):
        queries = tracer.call(loop.ask)
        answers = {q.id: SKIP if i == round_ == 1 else careless(q) for i, q in enumerate(queries)}
        tracer.call(lambda: loop.tell(answers, by="Ann"))  # noqa: B023
        seconds = {query.id: truth(query) for query in tracer.call(loop.ask_second)}
        tracer.call(lambda: loop.tell_second(seconds, by="Bea"))  # noqa: B023
        tracer.call(loop.refit)
    return loop


def test_an_interruption_anywhere_in_ask_tell_and_refit_is_made_good_by_calling_again(outcome, a_loop):
    """Raises before each of our lines, as Ctrl-C may, at a run of it that is drawn; six in each play."""
    quiet = Tracer()
    expected = outcome(play(a_loop, quiet))
    assert len(expected["certificates"]) >= 2
    assert len(expected["numbers"]) >= 2
    assert expected["champion"][2] > 5
    assert {"second", "audit"} <= {source for _, _, source, _ in expected["labels"]}
    assert len(quiet.runs) > 250
    rng = np.random.default_rng(8)
    lines = [sorted(quiet.runs)[i] for i in rng.permutation(len(quiet.runs))]
    n_raised = n_burned = 0
    for group in batched(lines, 6):
        tracer = Tracer({line: int(rng.integers(quiet.runs[line])) + 1 for line in group})
        found = outcome(play(a_loop, tracer))
        n_raised += len(tracer.raised)
        burned = found["ledger"] - expected["ledger"]
        assert len(found["numbers"]) == len(set(found["numbers"])), tracer.raised
        if burned:  # a number may be lost, so that later candidates spend less; never used twice
            n_burned += burned
        else:
            assert found == expected, tracer.raised
    assert n_raised > 0.9 * len(lines)
    assert n_burned < 10


def test_calls_that_are_never_repeated_leave_nothing_that_the_next_one_does_not_make_good(
    with_a_candidate, outcome
):
    """Ctrl-C in the last tell of a round, and then straight on to refit or verdict."""
    quiet, interrupted = with_a_candidate(), with_a_candidate()
    for loop in (quiet, interrupted):
        answers = {query.id: truth(query) for query in loop.ask()}
        feed = candidates(loop)[0].rungs[-1].feed
        tracer = Tracer({(feed.__code__.co_filename, feed.__code__.co_firstlineno + 3): 2})
        loop.tell(answers) if loop is quiet else tracer.call(lambda: loop.tell(answers))  # noqa: B023
        assert bool(tracer.raised) is (loop is interrupted)
        loop.verdict()
        loop.refit()
    assert outcome(quiet) == outcome(interrupted)


def test_counting_anew_after_an_interruption_leaves_the_champion_and_its_alarm_alone(
    with_a_candidate, outcome
):
    loop = with_a_candidate(n=900, audit_share=1.0, target_accuracy=0.8)
    for _ in range(18):
        a_round(loop)
    trial = loop._certifying.trial
    champion, alarm, n = trial.champion, trial.champion.alarm, trial.champion.alarm.n
    before = outcome(loop)
    assert n > 0
    assert len({c.candidate for c in loop.certificates}) > 1
    trial._is_counting = True  # as an interruption leaves it
    loop.verdict()
    assert trial.champion is champion
    assert champion.alarm is alarm
    assert alarm.n == n
    assert outcome(loop) == before
