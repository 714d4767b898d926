"""Errors say what is wrong, can be caught by their built-in kind, and survive being sent elsewhere."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from bootstrap import errors
from bootstrap.errors import (
    AnswersRejected,
    BootstrapError,
    InvalidInput,
    LabelerError,
    LabelerStopped,
    LogError,
    MissingExtra,
    NotReady,
    PackageShadowed,
    UnknownItem,
)

EXAMPLES = [
    BootstrapError("wrong"),
    InvalidInput("wrong"),
    UnknownItem("no item has the id 'x'"),
    AnswersRejected({"a": "no class", "b": "no item"}, 3),
    LabelerError("wrong"),
    LabelerStopped({"a": "spam"}, "lunch"),
    LabelerStopped(),
    NotReady("wrong"),
    LogError("wrong"),
    MissingExtra("Drawing a plot", "matplotlib", "plots"),
    PackageShadowed("wrong"),
]


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (InvalidInput, ValueError),
        (UnknownItem, KeyError),
        (UnknownItem, InvalidInput),
        (AnswersRejected, ValueError),
        (LabelerError, TypeError),
        (NotReady, RuntimeError),
        (LogError, OSError),
        (MissingExtra, ImportError),
        (PackageShadowed, ImportError),
    ],
)
def test_an_error_is_also_the_built_in_one_that_people_expect(kind, builtin):
    assert issubclass(kind, builtin)
    assert issubclass(kind, BootstrapError)


def test_stopping_is_no_built_in_error():
    assert LabelerStopped.__bases__ == (BootstrapError,)


def test_the_tree_in_the_documentation_is_the_one_in_the_code():
    drawn = set(re.findall(r"── (\w+)", errors.__doc__)) | {"BootstrapError"}
    assert drawn == set(errors.__all__)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_arrives_whole_from_another_process(error):
    for arrived in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(arrived) is type(error)
        assert str(arrived) == str(error)
        for name in ("rejected", "n_kept", "answers", "reason"):
            assert getattr(arrived, name, None) == getattr(error, name, None)


def test_an_unknown_item_reads_as_a_sentence_not_as_a_key():
    assert str(UnknownItem("no item has the id 'x'")) == "no item has the id 'x'"
    assert str(UnknownItem()) == ""


@pytest.mark.parametrize(
    ("n_kept", "said"), [(0, "0 others were kept"), (1, "1 other was kept"), (2, "2 others were kept")]
)
def test_refused_answers_say_why_and_how_many_others_were_kept(n_kept, said):
    error = AnswersRejected({"a": "no class", "b": "no item"}, n_kept)
    assert str(error) == f"2 of the answers refused, {said}. a: no class; b: no item"
    assert error.rejected == {"a": "no class", "b": "no item"}
    assert error.n_kept == n_kept


def test_of_many_refused_answers_five_are_shown_and_all_are_there():
    error = AnswersRejected({str(i): "why" for i in range(8)}, 0)
    assert str(error).endswith("4: why; and 3 more (see .rejected)")
    assert len(error.rejected) == 8


def test_exactly_five_refused_answers_are_all_shown():
    assert "more" not in str(AnswersRejected({str(i): "why" for i in range(5)}, 0))


def test_what_is_refused_does_not_change_with_the_callers_mapping():
    rejected = {"a": "why"}
    error = AnswersRejected(rejected, 0)
    rejected.clear()
    assert error.rejected == {"a": "why"}


def test_a_labeler_that_stops_carries_its_answers_and_a_reason():
    error = LabelerStopped({"a": "spam"})
    assert error.answers == {"a": "spam"}
    assert str(error) == error.reason == "the labeler stopped"
    assert LabelerStopped().answers == {}
    assert str(LabelerStopped(reason="lunch")) == "lunch"


def test_a_missing_extra_names_the_command_that_brings_it():
    message = str(MissingExtra("Drawing a plot", "matplotlib", "plots"))
    assert message == (
        "Drawing a plot needs matplotlib, which is not installed. Run: pip install matplotlib "
        "(it comes with the extra [plots] of bootstrap-labels)"
    )
