"""The catalogue: what code knows about each strategy, and the table made of their docstrings."""

from __future__ import annotations

import doctest
import functools
import inspect
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import strategies
from strategies import catalogue
from strategies.catalogue import Entry, Facts, facts, markdown_table, needs_of, table


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "strategies.md").read_text(encoding="utf-8")


def described(learner, X, n_instances=1, *, rng=None, labeled=None):
    """Ask where `a | b`, as :func:`strategies.margin` does.

    More about that.

    Returns
    -------
    indices, utilities : ndarray

    Notes
    -----
    Paper: Somebody,
    "Something" (2020).

    Utility: ``-|a|``.

    Cost: O(n).

    Memory: nothing.

    Not when: never.

    Formerly this was otherwise.

    Examples
    --------
    >>> 1
    1
    """


@pytest.fixture
def mine(monkeypatch):
    monkeypatch.setitem(catalogue._FACTS, "described", Facts(described, "committee"))


# the table


@pytest.mark.parametrize("name", facts())
def test_every_strategy_has_all_that_the_table_tells(name):
    (entry,) = table([name])
    assert entry.name == name
    assert re.match(r"(Ask|Pick) .*[^.]\.$", entry.asks)
    for paragraph in (entry.paper, entry.utility, entry.cost, entry.memory, entry.not_when):
        assert len(paragraph) > 3
        assert "\n" not in paragraph
        assert len(paragraph) < 420  # a row that nobody reads otherwise


@pytest.mark.usefixtures("mine")
def test_an_entry_is_read_from_the_docstring():
    assert table(["described"]) == [
        Entry(
            name="described",
            asks="Ask where `a | b`, as :func:`strategies.margin` does.",
            needs="committee",
            paper='Somebody, "Something" (2020).',
            utility="``-|a|``.",
            cost="O(n).",
            memory="nothing.",
            not_when="never.",
        )
    ]


@pytest.mark.usefixtures("mine")
def test_in_markdown_bars_are_escaped_and_references_are_names():
    assert markdown_table(["described"]).splitlines() == [
        "| strategy | what it does | learner | cost | memory | not when | paper |",
        "|---|---|---|---|---|---|---|",
        "| `described` | Ask where `a \\| b`, as `margin` does. | committee | O(n). | nothing. | never. "
        '| Somebody, "Something" (2020). |',
    ]


def test_the_table_holds_all_strategies_by_name():
    assert list(facts()) == sorted(facts())
    assert [line.split("`")[1] for line in markdown_table().splitlines()[2:]] == list(facts())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("Notes\n-----", "Remarks\n-------"), "has no section Notes"),
        (("Memory: nothing.", "Memory:"), "the Notes of described lack Memory where it belongs"),
        (("Memory: nothing.\n\n", ""), "lack Memory, Not when where it belongs"),
        (("Paper:", "From:"), "lack Paper where it belongs: they begin with paragraphs Paper:, Utility:"),
    ],
)
@pytest.mark.usefixtures("mine")
def test_what_a_docstring_lacks_is_said(monkeypatch, change, complaint):
    monkeypatch.setattr(described, "__doc__", inspect.cleandoc(described.__doc__).replace(*change))
    with pytest.raises(ValueError, match=complaint):
        table(["described"])


@pytest.mark.usefixtures("mine")
def test_without_docstrings_there_is_no_table(monkeypatch):
    monkeypatch.setattr(described, "__doc__", None)
    with pytest.raises(ValueError, match="has no section Notes"):
        markdown_table(["described"])


def test_an_unknown_name_is_refused_by_the_table_too():
    with pytest.raises(ValueError, match="Did you mean 'margin'"):
        table(["margins"])


# what code has to know


def test_the_facts_are_a_copy():
    facts().clear()
    assert facts()["margin"] == Facts(strategies.margin, "one model")


@pytest.mark.parametrize(
    ("strategy", "needs"),
    [
        (strategies.margin, "one model"),
        (strategies.vote_entropy, "committee"),
        (strategies.cold_start, "none"),
        (strategies.mixture("vote_entropy", 0.2), "committee"),
        (strategies.mixture(strategies.mixture("margin", 0.1), 0.2), "one model"),
        (functools.partial(strategies.consensus_entropy, labeled=None), "committee"),
        (SimpleNamespace(strategies=(strategies.cold_start, strategies.margin)), "one model"),
        (SimpleNamespace(strategies=(strategies.margin, strategies.max_disagreement)), "committee"),
        (described, None),
        (functools.partial(described), None),
    ],
)
def test_what_a_strategy_needs_is_known_through_its_wrappers(strategy, needs):
    assert needs_of(strategy) == needs


# the page


def test_the_table_in_the_page_is_the_one_that_the_code_makes(page):
    found = re.search(r"<!-- table: strategies -->\n\n((?:\|.*\n)+)", page)
    assert found is not None
    assert found[1] == markdown_table(), "put in what strategies.catalogue.markdown_table() returns"


def test_every_example_in_the_page_gives_what_it_shows(page):
    without_fences = re.sub(r"^```.*$", "", page, flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(without_fences, {}, "strategies.md", None, 0)
    ran = doctest.DocTestRunner().run(examples)

    assert ran.attempted > 8
    assert ran.failed == 0


def test_every_strategy_named_in_the_page_exists(page):
    named = set(re.findall(r"`strategies\.(\w+)", page))
    assert named <= set(strategies.__all__) | {"py"}
