"""The panel: who reads what, what the majority decides, and what is kept when a member fails."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from sklearn.metrics import cohen_kappa_score

from bootstrap.errors import InvalidInput, LabelerError, LabelerStopped
from bootstrap.labelers import PanelLabeler, SimulatedLabeler, each
from bootstrap.labelers.callback import collect
from bootstrap.labelers.panel import AgreementReport, PairAgreement, Vote
from bootstrap.measuring.agreement import fleiss_kappa
from bootstrap.records import SKIP, Query

QUERIES = [Query(f"item {i}", f"text {i}", f"token {i}") for i in range(30)]


def always(answer: Any) -> Callable[[Sequence[Query]], Any]:
    return lambda queries: [answer] * len(queries)


def table(answers: Mapping[str, Any]) -> Callable[[Sequence[Query]], Any]:
    """A member that knows some items and leaves the others out."""
    return lambda queries: {query.id: answers[query.id] for query in queries if query.id in answers}


class Asked:
    """A member that remembers which items it was asked."""

    def __init__(self, answer: Any = "spam") -> None:
        self.answer = answer
        self.ids: list[str] = []

    def __call__(self, queries: Sequence[Query], /) -> Iterator[Any]:
        for query in queries:
            self.ids.append(query.id)
            if isinstance(self.answer, BaseException):
                raise self.answer
            yield self.answer


def decided(*votes: Any) -> Any:
    """What a panel makes of these votes on one item."""
    panel = PanelLabeler({f"m{i}": always(vote) for i, vote in enumerate(votes)}, overlap=len(votes))
    return panel(QUERIES[:1])["item 0"]


@pytest.mark.parametrize(
    ("votes", "answer"),
    [
        (["spam", "spam"], "spam"),
        (["spam", "ham"], SKIP),
        (["spam", "ham", "spam"], "spam"),
        (["spam", "ham", "eggs"], SKIP),
        (["spam", "spam", "ham", "ham", "eggs"], SKIP),
        (["spam", SKIP], "spam"),
        ([SKIP, "spam", "ham"], SKIP),
        ([SKIP, SKIP], SKIP),
        ([0, 0, 1], 0),
    ],
)
def test_the_majority_of_classes_decides_and_a_tie_is_a_skip(votes: list[Any], answer: Any) -> None:
    assert decided(*votes) == answer


def test_each_item_goes_to_overlap_distinct_members_and_every_vote_is_recorded() -> None:
    members = {name: Asked() for name in ("Ann", "Ben", "Cem", "Dee")}
    panel = PanelLabeler(members, overlap=3)
    answers = panel(QUERIES)

    assert answers == {query.id: "spam" for query in QUERIES}
    assert len(panel.votes) == 3 * len(QUERIES)
    assert {vote.answer for vote in panel.votes} == {"spam"}
    for query in QUERIES:
        readers = {vote.by for vote in panel.votes if vote.id == query.id}
        assert readers == set(panel.readers_of(query.id))
        assert len(readers) == 3
        assert readers == {name for name, member in members.items() if query.id in member.ids}


def test_who_reads_an_item_depends_on_the_seed_and_the_item_alone() -> None:
    members = {name: always("spam") for name in ("Ann", "Ben", "Cem", "Dee")}
    panel, other = PanelLabeler(members), PanelLabeler(members)
    panel(QUERIES)
    other(QUERIES[::-1][:7])
    in_another_order = PanelLabeler(dict(reversed(members.items())))
    seeded = PanelLabeler(members, random_state=1)
    readers = [panel.readers_of(query.id) for query in QUERIES]

    assert readers == [other.readers_of(query.id) for query in QUERIES]
    assert readers == [in_another_order.readers_of(query.id) for query in QUERIES]
    assert readers != [seeded.readers_of(query.id) for query in QUERIES]


def test_every_pair_of_members_reads_about_as_many_items() -> None:
    """6 pairs, each within 5 standard deviations: fails by chance 4 times in a million."""
    n = 3_000
    panel = PanelLabeler({name: always("spam") for name in "abcd"}, random_state=5)
    pairs = Counter(tuple(sorted(panel.readers_of(str(i)))) for i in range(n))

    assert set(pairs) == set(itertools.combinations("abcd", 2))
    assert all(abs(count - n / 6) <= 5 * math.sqrt(n * 5 / 36) for count in pairs.values())


def test_disagreements_hold_ties_outvoted_answers_and_skips() -> None:
    ids = [query.id for query in QUERIES[:5]]
    members = {
        "Ann": table(dict(zip(ids, ["a", "a", "a", SKIP, SKIP], strict=True))),
        "Ben": table(dict(zip(ids, ["a", "b", "a", "b", SKIP], strict=True))),
        "Cem": table(dict(zip(ids, ["a", "b", "c", "b", SKIP], strict=True))),
    }
    panel = PanelLabeler(members, overlap=3)
    answers = panel(QUERIES[:5])

    assert answers == dict(zip(ids, ["a", "b", "a", "b", SKIP], strict=True))
    assert list(panel.disagreements()) == ids[1:]
    assert panel.disagreements()[ids[2]] == {"Ann": "a", "Ben": "a", "Cem": "c"}


def test_a_member_that_raises_costs_only_the_items_it_reads() -> None:
    members = {"Ann": Asked(), "Ben": Asked(ValueError("broken")), "Cem": Asked()}
    panel = PanelLabeler(members)
    collected = collect(panel, QUERIES)
    without_ben = [query.id for query in QUERIES if "Ben" not in panel.readers_of(query.id)]

    assert 0 < len(without_ben) < len(QUERIES)
    assert list(collected.answers) == without_ben
    assert isinstance(collected.error, ValueError)
    assert collected.error.__notes__ == ["raised while asking 'Ben' of panel 'panel'"]


def test_asking_again_asks_only_the_members_still_missing() -> None:
    members = {"Ann": Asked("spam"), "Ben": Asked(ValueError("broken")), "Cem": Asked("spam")}
    panel = PanelLabeler(members)
    first = collect(panel, QUERIES)
    before = {name: list(member.ids) for name, member in members.items()}
    members["Ben"].answer = "ham"
    second = collect(panel, [query for query in QUERIES if query.id not in first.answers])

    assert members["Ann"].ids == before["Ann"]
    assert members["Cem"].ids == before["Cem"]
    assert second.error is None
    assert set(first.answers) | set(second.answers) == {query.id for query in QUERIES}
    assert set(second.answers.values()) == {SKIP}
    assert len(panel.votes) == 2 * len(QUERIES)


def test_a_decided_item_that_is_asked_again_is_read_afresh_and_counts_once() -> None:
    members = {"Ann": Asked("spam"), "Ben": Asked("ham")}
    panel = PanelLabeler(members)
    assert panel(QUERIES[:1]) == {"item 0": SKIP}
    members["Ben"].answer = "spam"

    assert panel(QUERIES[:1]) == {"item 0": "spam"}
    assert panel.report().n_items == 1
    assert panel.disagreements() == {}
    assert len(panel.votes) == 4


def test_ctrl_c_ends_the_asking_at_once_and_keeps_the_votes() -> None:
    members = {"Ann": Asked("spam"), "Ben": Asked(KeyboardInterrupt()), "Cem": Asked("spam")}
    panel = PanelLabeler(members)
    collected = collect(panel, QUERIES)

    assert isinstance(collected.error, KeyboardInterrupt)
    assert members["Cem"].ids == []
    assert {vote.by for vote in panel.votes} == {"Ann"}


def test_a_failure_is_raised_rather_than_another_members_wish_to_stop() -> None:
    broken = ValueError("broken")
    panel = PanelLabeler({"Ann": Asked(LabelerStopped()), "Ben": Asked(broken)})

    assert collect(panel, QUERIES).error is broken


def test_a_member_that_stops_ends_in_a_stop_with_what_is_decided() -> None:
    def stops(queries: Sequence[Query]) -> Any:
        raise LabelerStopped({queries[0].id: "spam"}, "enough")

    panel = PanelLabeler({"Ann": always("spam"), "Ben": stops})

    with pytest.raises(LabelerStopped, match="enough") as stopped:
        panel(QUERIES)
    assert stopped.value.answers == {"item 0": "spam"}


def test_answers_that_cannot_be_votes_leave_the_item_undecided() -> None:
    ann = dict.fromkeys((query.id for query in QUERIES[:3]), "spam")
    panel = PanelLabeler({"Ann": table(ann), "Ben": always(["spam"])})
    collected = collect(panel, QUERIES[:3])

    assert collected.answers == {}
    assert isinstance(collected.error, LabelerError)
    assert "3 of the answers of 'Ben' can't count as votes" in str(collected.error)
    assert {vote.by for vote in panel.votes} == {"Ann"}


def test_items_that_a_member_leaves_out_go_back_without_an_error() -> None:
    panel = PanelLabeler({"Ann": always("spam"), "Ben": table({"item 1": "spam"})})

    assert panel(QUERIES[:3]) == {"item 1": "spam"}


def test_decisions_are_reported_and_a_failing_listener_loses_none() -> None:
    heard = []

    def listener(query: Query, answer: Any) -> None:
        heard.append((query.id, answer))
        if query.id == "item 1":
            raise OSError("disk full")

    panel = PanelLabeler({"Ann": always("spam"), "Ben": table({"item 0": "spam", "item 1": "ham"})})
    collected = collect(panel, [QUERIES[2], QUERIES[0], QUERIES[1]], on_answer=listener)

    assert heard == [("item 0", "spam"), ("item 1", SKIP)]
    assert collected.answers == dict(heard)
    assert isinstance(collected.error, OSError)


def test_the_report_agrees_with_independent_figures() -> None:
    truth = {query.id: "abc"[i % 3] for i, query in enumerate(QUERIES)}
    members = [
        SimulatedLabeler(truth, error_rate=0.4, skip_rate=0.1, name=name, random_state=seed)
        for seed, name in enumerate(("Ann", "Ben", "Cem"))
    ]
    panel = PanelLabeler(members, overlap=3)
    panel(QUERIES)
    said = {
        query.id: {vote.by: vote.answer for vote in panel.votes if vote.id == query.id} for query in QUERIES
    }
    report = panel.report()

    assert report.n_items == len(QUERIES)
    assert report.n_disagreed == sum(
        SKIP in row.values() or len(set(row.values())) > 1 for row in said.values()
    )
    kappas, same, n_pairs = [], 0, 0
    for a, b in itertools.combinations(("Ann", "Ben", "Cem"), 2):
        both = [(row[a], row[b]) for row in said.values() if SKIP not in (row[a], row[b])]
        kappas.append(cohen_kappa_score([x for x, _ in both], [y for _, y in both]))
        same, n_pairs = same + sum(x == y for x, y in both), n_pairs + len(both)
        pair = next(pair for pair in report.pairs if (pair.a, pair.b) == (a, b))
        assert pair == PairAgreement(
            a, b, len(both), sum(x == y for x, y in both) / len(both), pytest.approx(kappas[-1])
        )
    assert report.agreement == pytest.approx(same / n_pairs)
    assert report.cohen_kappa == pytest.approx(sum(kappas) / 3)
    whole = [list(row.values()) for row in said.values() if SKIP not in row.values()]
    assert report.n_fleiss == len(whole) < len(QUERIES)
    assert report.fleiss_kappa == pytest.approx(
        fleiss_kappa([[row.count(label) for label in "abc"] for row in whole])
    )


def test_the_report_reads_like_a_table() -> None:
    report = AgreementReport(
        n_items=1_200,
        n_disagreed=87,
        agreement=0.912,
        cohen_kappa=0.874,
        pairs=(PairAgreement("Ann", "Ben", 1_100, 0.912, 0.874),),
        fleiss_kappa=0.87,
        n_fleiss=1_100,
    )

    assert str(report).splitlines() == [
        "Agreement on 1,200 items: 87 with a disagreement or a skip.",
        "  same class, by pairs of answers    91.2%",
        "  Cohen's kappa, mean over pairs     0.874",
        "  Fleiss' kappa (1,100 items)        0.870",
        "    Ann and Ben: kappa 0.874, same class 91.2% (n = 1,100)",
    ]


def test_a_report_before_anything_is_complete_says_so() -> None:
    report = PanelLabeler({"Ann": always("spam"), "Ben": always("spam")}).report()

    assert report == AgreementReport(0, 0, None, None, (), None, 0)
    assert str(report) == "Agreement: no item has been answered by its whole panel yet."


def test_a_report_on_skips_alone_measures_nothing() -> None:
    panel = PanelLabeler({"Ann": always(SKIP), "Ben": always("spam")})
    panel(QUERIES[:2])

    assert panel.report() == AgreementReport(2, 2, None, None, (), None, 0)
    assert str(panel.report()) == "Agreement on 2 items: 2 with a disagreement or a skip."


def test_members_may_come_with_names_of_their_own() -> None:
    truth = {query.id: "spam" for query in QUERIES}
    panel = PanelLabeler([SimulatedLabeler(truth, name="Ann"), each(lambda query: "spam", name="Ben")])
    panel(QUERIES[:1])

    assert sorted(panel.votes, key=lambda vote: vote.by) == [
        Vote("item 0", "Ann", "spam"),
        Vote("item 0", "Ben", "spam"),
    ]


@pytest.mark.parametrize(
    ("labelers", "overlap", "message"),
    [
        ({"Ann": always("a")}, 2, "overlap is 2 with 1 labelers"),
        ({"Ann": always("a"), "Ben": always("a")}, 3, "overlap is 3 with 2 labelers"),
        ({"Ann": always("a"), "Ben": always("a")}, 1, "at least 2 different readers"),
        ({"Ann": always("a"), "Ben": always("a")}, 2.0, "overlap is 2.0"),
        ({"Ann": always("a"), "Ben": always("a")}, True, "overlap is True"),
        ({"Ann": always("a"), "Ben": "spam"}, 2, "The panel's member 'Ben' is 'spam'"),
        ({"Ann": always("a"), 7: always("a")}, 2, "The panel's member 7"),
        ([each(len, name="Ann"), each(len, name="Ann")], 2, "Labeler 2 of the panel is called 'Ann' like"),
        ([each(len, name="Ann"), always("a")], 2, "Labeler 2 of the panel has no name"),
    ],
)
def test_a_panel_that_cannot_work_is_refused_early(labelers: Any, overlap: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        PanelLabeler(labelers, overlap=overlap)
