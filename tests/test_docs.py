"""The pages in docs say what the code says: examples run, and no figure in a table is stale."""

from __future__ import annotations

import doctest
import math
import re
from pathlib import Path

import pytest

from bootstrap.measuring import audits_needed, fewest_with
from bootstrap.phaseout import Ledger

TARGETS = ("0.90", "0.95", "0.98", "0.99")
ERRORS = (0, 1, 2, 3, 5, 10)
FIRST = Ledger(0.05).share(1)


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "certificates.md").read_text(encoding="utf-8")


def table(page: str, name: str) -> list[list[str]]:
    """The rows of the table below that mark, without its heading."""
    found = re.search(rf"<!-- table: {name} -->\n\n((?:\|.*\n)+)", page)
    assert found is not None
    rows = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in found[1].splitlines()]
    return rows[2:]


def audits(target: float, share: float, delta: float) -> int:
    """The median where the true error is that share of what the target allows."""
    found = audits_needed(target, share * (1 - target), delta)
    assert found is not None
    return found


def told(numbers: list[int]) -> list[str]:
    return [f"{n:,}" for n in numbers]


def test_every_example_in_the_page_gives_what_it_shows(page: str) -> None:
    without_fences = re.sub(r"^```.*$", "", page, flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(without_fences, {}, "certificates.md", None, 0)
    ran = doctest.DocTestRunner().run(examples)

    assert ran.attempted > 15
    assert ran.failed == 0


def test_every_table_is_checked_below(page: str) -> None:
    marked = re.findall(r"<!-- table: (.+) -->", page)
    assert marked == ["first candidate", "errors", "ledger", "review rates"]
    assert len(re.findall(r"^\|---", page, re.MULTILINE)) == len(marked)


def test_what_the_first_candidate_costs(page: str) -> None:
    expected = [
        [target, *told([audits(float(target), share, FIRST) for share in (0, 0.25, 0.5, 0.75)])]
        for target in TARGETS
    ]
    assert table(page, "first candidate") == expected


def test_which_audits_are_enough_with_so_many_errors(page: str) -> None:
    expected = [[target, *told(fewest_with(ERRORS, float(target), FIRST).tolist())] for target in TARGETS]
    assert table(page, "errors") == expected


def test_what_a_later_candidate_costs(page: str) -> None:
    expected = []
    for number in (1, 2, 3, 5, 10):
        delta = Ledger(0.05).share(number)
        costs = [audits(0.95, share, delta) for share in (0, 0.25, 0.5)]
        expected.append([str(number), f"{delta:.3g}", *told(costs)])
    assert table(page, "ledger") == expected


def test_what_is_audited_of_everything_that_arrives(page: str) -> None:
    alone = [audits(0.95, share, FIRST) for share in (0, 0.25, 0.5)]
    expected = [
        [str(rate), *told([math.ceil(n / (1 - rate) - 1e-9) for n in alone])] for rate in (0.5, 0.2, 0.1, 0.0)
    ]
    assert table(page, "review rates") == expected


def test_links_between_the_papers_lead_somewhere(repository: Path) -> None:
    for document in (repository / "README.md", *(repository / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), (document.name, target)
