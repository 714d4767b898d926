"""What is shown and written of a history."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bootstrap import BootstrapLoop
from bootstrap.cli.results import for_the_command_line, some_rounds, write_history
from bootstrap.history import History
from bootstrap.records import Round


def history(n: int) -> History:
    rounds = tuple(Round(i, i, i, 0, 0, 0, 2, 0.2) for i in range(1, n + 1))
    return History(rounds, review_rate=0.2, target_accuracy=0.95, target_of="alone", delta=0.05)


def measured_loop() -> BootstrapLoop:
    from sklearn.linear_model import LogisticRegression

    loop = BootstrapLoop(
        LogisticRegression(), lambda queries: [q.item[0] > 50 for q in queries], random_state=0
    )
    loop.run([[float(i)] for i in range(100)], rounds=2)
    return loop


@pytest.mark.parametrize("n", [0, 1, 10, 11, 57, 400])
def test_at_most_ten_rounds_are_shown_the_first_and_the_last_among_them(n: int) -> None:
    shown = [r.round for r in some_rounds(history(n))]

    assert len(shown) == min(n, 10)
    assert shown == sorted(set(shown))
    assert shown[:1] == list(range(1, n + 1))[:1]
    assert shown[-1:] == list(range(1, n + 1))[-1:]


def test_pictures_are_drawn_and_pyplot_is_left_with_none_of_them(tmp_path: Path) -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    names = [path.name for path in write_history(measured_loop(), tmp_path)]

    assert names == ["history.jsonl", "history.csv", "plot.png", "review_curve.png"]
    assert all((tmp_path / name).stat().st_size for name in names)
    assert pyplot.get_fignums() == before


def test_pictures_are_drawn_without_pyplot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)

    assert len(write_history(measured_loop(), tmp_path)) == 4
    assert "matplotlib.pyplot" not in sys.modules


def test_without_matplotlib_the_pictures_are_left_out_and_a_note_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    names = [path.name for path in write_history(measured_loop(), tmp_path)]

    assert names == ["history.jsonl", "history.csv"]
    said = capsys.readouterr().err
    assert said.startswith("Note: no pictures were drawn.")
    assert "pip install matplotlib" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Next: loop.run(budget=340)", "Next: go on with bootstrap-labels run and --budget 340"),
        (
            "look (loop.errors: some are yours), or label on (loop.run): 4 more",
            "look, or label on (bootstrap-labels run, with a larger --budget where it is spent): 4 more",
        ),
        ("use it (loop.certified_model()) and keep 0.3 (r)", "use it and keep 0.3 (r)"),
    ],
)
def test_on_the_command_line_the_next_step_is_no_call_of_python(text, said):
    assert for_the_command_line(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Next: add more items (loop.add: some are held out).", "Next: begin a new run with more texts."),
        ("label on. Or add more items (loop.add).", "label on. Or begin a new run with more texts."),
        (
            "add more items (loop.add), to a loop with a held-out set (held_out=0.2).",
            "begin a new run with more texts, a share of them held out (--held-out 0.2).",
        ),
        (
            "say which class: targets={'not mine': {'recall': 0.9}} when the loop is made; or audit on.",
            "say which class: --recall 'not mine=0.9' in a new run; or audit on.",
        ),
    ],
)
def test_what_a_run_can_not_be_given_later_is_told_with_the_way_to_take_its_labels_along(text, said):
    told = for_the_command_line(text)
    assert told.startswith(f"{said} A run keeps to the texts and settings that it was begun with.")
    assert "predictions.csv" in told
    assert "--known-labels label" in told


def test_the_demo_has_no_more_items_to_add():
    text = "add more items (loop.add: a share of them is held out), or label on (loop.run): why"
    assert for_the_command_line(text, "demo") == (
        "take more items than the demo has, or label on (bootstrap-labels demo, with a larger --budget where "
        "it is spent): why"
    )
