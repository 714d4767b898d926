"""How much people review: the rate falls by certificate only, one rung at a time."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import (
    Certificate,
    Event,
    EventKind,
    IllegalMove,
    People,
    PhaseOut,
    Stage,
    stage_of,
)

LADDER = (0.5, 0.3, 0.0)


def _certificate(rate, candidate=1):
    return Certificate(
        review_rate=rate,
        realised_review_rate=rate,
        threshold=1.0 - rate + candidate / 1000,
        model="model",
        candidate=candidate,
        round=1,
        n_trained=100,
        proved=(),
        n_audited=100,
        n_alone=90,
        n_wrong=0,
        n_drawn=0,
        n_skipped=0,
        delta=0.025,
        delta_in_all=0.05,
        people=People(),
        missed={},
    )


def _certified(rate, candidate=1):
    return Event(EventKind.CERTIFIED, certificate=_certificate(rate, candidate))


ALARM = Event(EventKind.ALARM, "too many errors")
WITHDRAWN = Event(EventKind.WITHDRAWN, "fitted on broken data")


def _raised(rate):
    return Event(EventKind.RAISED, "a holiday", review_rate=rate)


def _recorded(rate):
    return Event(EventKind.RECORDED, "as ever", review_rate=rate)


def _after(*events, ladder=LADDER):
    """(state, instruction) after these events."""
    state, instruction = PhaseOut(ladder), None
    for event in events:
        state, instruction = state.after(event)
    return state, instruction


AT = {
    Stage.ALL: (),
    Stage.PARTIAL: (_certified(0.5),),
    Stage.AUDIT_ONLY: (_certified(0.5), _certified(0.3), _certified(0.0)),
}
NEXT = {
    (Stage.ALL, EventKind.CERTIFIED): (_certified(0.5), 0.5),
    (Stage.ALL, EventKind.RECORDED): (_recorded(0.4), 0.4),
    (Stage.PARTIAL, EventKind.CERTIFIED): (_certified(0.3), 0.3),
    (Stage.PARTIAL, EventKind.ALARM): (ALARM, 1.0),
    (Stage.PARTIAL, EventKind.WITHDRAWN): (WITHDRAWN, 1.0),
    (Stage.PARTIAL, EventKind.RAISED): (_raised(0.8), 0.8),
    (Stage.AUDIT_ONLY, EventKind.CERTIFIED): (_certified(0.0, 2), 0.0),
    (Stage.AUDIT_ONLY, EventKind.ALARM): (ALARM, 0.3),
    (Stage.AUDIT_ONLY, EventKind.WITHDRAWN): (WITHDRAWN, 0.3),
    (Stage.AUDIT_ONLY, EventKind.RAISED): (_raised(0.2), 0.2),
}
ANY = {
    EventKind.CERTIFIED: _certified(0.5),
    EventKind.ALARM: ALARM,
    EventKind.WITHDRAWN: WITHDRAWN,
    EventKind.RAISED: _raised(1.0),
    EventKind.RECORDED: _recorded(0.0),
}


@pytest.mark.parametrize(("stage", "kind"), list(itertools.product(Stage, EventKind)))
def test_every_pair_of_stage_and_event_moves_as_the_table_says_or_is_refused(stage, kind):
    state, _ = _after(*AT[stage])
    assert state.stage is stage
    if (stage, kind) in NEXT:
        event, rate = NEXT[stage, kind]
        after, instruction = state.after(event)
        assert after.review_rate == instruction.review_rate == rate
        assert after.history[-1].event is event
        assert instruction.new_candidate is (kind in (EventKind.ALARM, EventKind.WITHDRAWN))
    else:
        with pytest.raises(IllegalMove, match=f"stage {stage.name}"):
            state.after(ANY[kind])


def test_stages_are_read_off_the_rate():
    assert [stage_of(rate) for rate in (1.0, 0.999, 0.001, 0.0)] == [
        Stage.ALL,
        Stage.PARTIAL,
        Stage.PARTIAL,
        Stage.AUDIT_ONLY,
    ]
    with pytest.raises(InvalidInput):
        stage_of(1.5)


def test_a_refusal_tells_the_whole_history():
    state, _ = _after(_certified(0.5), ALARM, _recorded(0.3))
    with pytest.raises(IllegalMove) as refused:
        state.after(_recorded(0.2))
    assert str(refused.value) == (
        "recorded as practised is refused at a review rate of 0.3: nothing of this kind can happen at stage "
        "PARTIAL. So far: certified -> 0.5; alarm (too many errors) -> 1; recorded as practised (as ever) -> "
        "0.3 (not certified)"
    )
    with pytest.raises(IllegalMove, match="So far: nothing has happened"):
        PhaseOut(LADDER).after(ALARM)


@pytest.mark.parametrize(
    ("before", "event", "why"),
    [
        ((), _certified(0.3), "the next rung is 0.5, and the certificate is for 0.3"),
        ((_certified(0.5),), _certified(0.0), "the next rung is 0.3"),
        ((_certified(0.5),), _certified(0.5), "certified for this candidate already"),
        ((), Event(EventKind.CERTIFIED), "there is no certificate"),
        ((_certified(0.5),), Event(EventKind.ALARM), "a reason is needed"),
        ((_certified(0.5),), _raised(0.5), "can only rise"),
        ((_certified(0.5),), _raised(0.1), "can only rise"),
        ((_certified(0.5),), _raised(None), "needs a review_rate"),
        ((), _recorded(1.2), "needs a review_rate"),
        ((_certified(0.5), ALARM), _certified(0.5), "candidates up to 1 are void"),
        ((_certified(0.5, 7), WITHDRAWN), _certified(0.5, 6), "candidates up to 7 are void"),
    ],
)
def test_what_is_refused_and_why(before, event, why):
    state, _ = _after(*before)
    with pytest.raises(IllegalMove, match=why):
        state.after(event)


def test_the_threshold_in_force_is_that_of_the_certificate():
    _, instruction = _after(_certified(0.5), _certified(0.3))
    assert instruction.threshold == _certificate(0.3).threshold
    assert instruction.void == ()


def test_raised_by_hand_the_threshold_lets_people_review_at_least_as_much_as_they_asked_for():
    state, instruction = _after(_certified(0.5), _certified(0.3), _raised(0.4))
    assert instruction.threshold == _certificate(0.5).threshold
    assert instruction.void == ()
    assert state.is_certified
    state, instruction = state.after(_raised(0.8))
    assert instruction.threshold is None
    assert not state.is_certified
    state, instruction = state.after(_certified(0.5))
    assert (state.review_rate, instruction.threshold) == (0.5, _certificate(0.5).threshold)
    state, instruction = state.after(_raised(1.0))
    assert state.is_certified
    assert instruction.threshold is None


def test_an_alarm_voids_all_certificates_goes_back_one_rung_and_asks_for_a_new_candidate():
    state, instruction = _after(_certified(0.5), _certified(0.3), ALARM)
    assert (state.review_rate, state.is_certified, state.certificates) == (0.5, False, ())
    assert instruction.void == (_certificate(0.5), _certificate(0.3))
    assert instruction.threshold is None
    assert instruction.new_candidate
    state, instruction = state.after(_certified(0.5, 2))
    assert state.is_certified
    assert instruction.threshold == _certificate(0.5, 2).threshold


def test_another_candidate_takes_over_at_the_same_rate_and_the_old_certificates_are_void():
    state, instruction = _after(_certified(0.5), _certified(0.3), _certified(0.3, 2))
    assert state.certificates == (_certificate(0.3, 2),)
    assert instruction.void == (_certificate(0.5), _certificate(0.3))
    assert instruction.threshold == _certificate(0.3, 2).threshold


def test_what_is_only_practised_is_called_not_certified_until_it_is():
    state, instruction = _after(_recorded(0.5))
    assert (state.review_rate, state.is_certified, instruction.threshold) == (0.5, False, None)
    assert not state.after(_raised(0.7))[0].is_certified
    state, _ = state.after(_certified(0.5))
    assert state.is_certified


def test_when_people_look_is_changed_by_no_event():
    state = PhaseOut(LADDER, when="after", audit_floor=0.02)
    for event in (_certified(0.5), ALARM):
        state, instruction = state.after(event)
        assert (state.when, instruction.audit_floor) == ("after", 0.02)


@pytest.mark.parametrize(
    ("settings_", "why"),
    [
        ({"ladder": ()}, "falling row"),
        ({"ladder": (0.3, 0.5)}, "falling row"),
        ({"ladder": (0.3, 0.3)}, "falling row"),
        ({"ladder": (1.2, 0.3)}, "falling row"),
        ({"ladder": LADDER, "when": "during"}, "before"),
        ({"ladder": LADDER, "audit_floor": 0.0}, "no alarm"),
        ({"ladder": LADDER, "audit_floor": 1.1}, "no alarm"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings_, why):
    with pytest.raises(InvalidInput, match=why):
        PhaseOut(**settings_)


events = st.one_of(
    st.builds(_certified, st.sampled_from(LADDER), st.integers(1, 4)),
    st.sampled_from([ALARM, WITHDRAWN]),
    st.builds(_raised, st.sampled_from([0.1, 0.3, 0.4, 0.5, 0.8, 1.0])),
    st.builds(_recorded, st.sampled_from([0.0, 0.2, 0.5])),
)


@settings(max_examples=500, deadline=None)
@example(
    [_certified(0.5), _raised(1.0), _recorded(0.0)]
)  # the certificate held does not carry what is recorded
@given(st.lists(events, max_size=25))
def test_no_sequence_of_events_lowers_the_rate_without_a_certificate_unless_it_is_recorded(sequence):
    state = PhaseOut(LADDER)
    for event in sequence:
        try:
            after, instruction = state.after(event)
        except IllegalMove:
            continue
        if after.review_rate < state.review_rate:
            assert event.kind in (EventKind.CERTIFIED, EventKind.RECORDED)
            if event.kind is EventKind.CERTIFIED:
                assert after.review_rate == event.certificate.review_rate
                assert not any(after.review_rate < rung < state.review_rate for rung in LADDER)
            else:
                assert not after.is_certified
        if instruction.threshold is not None:  # the model may decide: by a certificate in force
            carrying = [c for c in after.certificates if c.threshold == instruction.threshold]
            assert after.is_certified
            assert carrying[0].review_rate >= after.review_rate
        assert len({c.candidate for c in after.certificates}) <= 1
        state = after
