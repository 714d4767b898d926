"""The comparison from the command line: what it reads, refuses, says, writes, and how it goes on."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

import bootstrap.cli.bench as module
from bootstrap.cli.bench_data import read_bench_data
from bootstrap.errors import InvalidInput, MissingExtra

QUICK = ("--seeds", 2, "--first", 10, "--until", 30, "--n-jobs", 1)


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """cells.csv: 120 rows with two numbers, a truth value, a category, an id and a label of two classes."""
    rng = np.random.default_rng(0)
    path = tmp_path / "cells.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["size", "age", "round", "stain", "nr", "label"])
        for i in range(120):
            kind = i % 2
            writer.writerow(
                [
                    f"{rng.normal(kind):.3f}",
                    rng.integers(20, 60) if i % 10 else "",
                    str(bool(kind)).lower() if i % 3 else "false",
                    ("red", "blue", "green")[rng.integers(3)],
                    f"c{i}",
                    ("ill", "well")[kind],
                ]
            )
    return path


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    """arrays.npz with X in float16 and y."""
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    X = rng.normal(size=(150, 4)) + y[:, np.newaxis]
    np.savez(tmp_path / "arrays.npz", X=X.astype(np.float16), y=y, kind=y.astype(str), more=y > 1)
    return tmp_path / "arrays.npz"


# the command


def test_it_compares_says_and_writes(program, arrays, tmp_path):
    ran = program("bench", "--data", arrays, "--strategy", "margin", *QUICK)
    folder = tmp_path / "arrays-bench"

    assert (ran.code, ran.err) == (0, "")
    assert "150 items (4 features), 3 classes, the largest 33 %." in ran.out
    assert "of 2 seeds, mean accuracy" in ran.out
    assert "not about other data" in ran.out
    assert "Written to arrays-bench: curves.csv, table.csv, curves.png" in ran.out
    curves, table = pd.read_csv(folder / "curves.csv"), pd.read_csv(folder / "table.csv")
    assert list(curves) == ["strategy", "seed", "n_labels", "accuracy", "seconds"]
    assert curves["n_labels"].unique().tolist() == [10, 20, 30]
    assert table["strategy"].tolist() == ["margin", "random_sampling"]
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((folder / "runs").iterdir())) == 4


def test_the_table_shows_each_strategy_beside_random(program, arrays):
    out = program("bench", "--data", arrays, "--strategy", "margin", *QUICK).out

    assert "margin 0." in out
    assert "random_sampling 0." in out
    assert " of 2 " in out.partition("margin: ")[0]


def test_the_texts_of_a_table_go_through_the_text_pipeline(program, mails):
    ran = program(
        "bench", "--data", mails, "--text", "text", "--label", "truth", "--strategy", "margin", *QUICK
    )

    assert ran.code == 0
    assert "300 items (texts), 2 classes, the largest 50 %." in ran.out
    assert "The model: TfidfVectorizer, LogisticRegression." in ran.out


def test_a_second_call_runs_nothing_again(program, arrays, tmp_path, monkeypatch):
    first = program("bench", "--data", arrays, "--strategy", "margin", *QUICK)
    monkeypatch.setattr("bootstrap.testing.label_efficiency.failures", None)
    second = program("bench", "--data", arrays, "--strategy", "margin", *QUICK)

    assert first == second


def test_without_names_the_default_is_compared_with_what_one_would_try_first(program, arrays):
    out = program("bench", "--data", arrays, "--seeds", 1, "--first", 10, "--until", 20, "--n-jobs", 1).out

    assert "auto: above random in " in out
    assert "margin: above random in " in out
    assert "no interval without more seeds" in out


def test_of_many_items_some_are_drawn_by_the_seed(program, arrays, tmp_path):
    def told(*more):
        return program("bench", "--data", arrays, "--strategy", "margin", "--max-items", 100, *QUICK, *more)

    ran = told("--seed", 4)
    assert "150 items (4 features), 3 classes, the largest 33 %. Of these 100 are drawn at random" in ran.out
    assert "test sets of 30 items, pools of 70" in ran.out
    assert pd.read_csv(tmp_path / "arrays-bench" / "curves.csv")["seed"].unique().tolist() == [4, 5]
    before = len(list((tmp_path / "arrays-bench" / "runs").iterdir()))
    told("--seed", 5)  # another draw, so that seed 5 is another run
    assert len(list((tmp_path / "arrays-bench" / "runs").iterdir())) == 2 * before


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(program, arrays, monkeypatch, tmp_path):
    from bootstrap.testing import label_efficiency

    run = label_efficiency.learning_curve

    def interrupted(*arguments):
        if len(list((tmp_path / "arrays-bench" / "runs").iterdir())) == 3:
            raise KeyboardInterrupt
        return run(*arguments)

    monkeypatch.setattr(label_efficiency, "learning_curve", interrupted)
    ran = program("bench", "--data", arrays, "--strategy", "margin", *QUICK)

    assert ran.code == 130
    assert ran.err == (
        "Note: stopped. 3 of 4 runs are finished and kept in arrays-bench/runs: run the same command again "
        "to go on."
    )
    monkeypatch.setattr(label_efficiency, "learning_curve", run)
    assert program("bench", "--data", arrays, "--strategy", "margin", *QUICK).code == 0
    assert len(list((tmp_path / "arrays-bench" / "runs").iterdir())) == 4


def test_a_name_that_is_no_strategy_is_refused_before_anything_is_read(program):
    ran = program("bench", "--data", "nothing.csv", "--strategy", "margn")

    assert ran.code == 2
    assert "no strategy is called 'margn'. Did you mean 'margin'?" in ran.err


def test_a_strategy_that_one_model_cannot_serve_is_refused_before_any_run(program, arrays, tmp_path):
    ran = program("bench", "--data", arrays, "--strategy", "vote_entropy", "--strategy", "margin", *QUICK)

    assert ran.code == 2
    assert "vote_entropy asks where a committee disagrees, and LogisticRegression is one model" in ran.err
    assert list((tmp_path / "arrays-bench" / "runs").iterdir()) == []


@pytest.mark.parametrize("other", ["hosts", "runs/events.bin"])
def test_a_folder_of_something_else_is_not_written_into(program, arrays, tmp_path, other):
    path = tmp_path / "taken" / other
    path.parent.mkdir(parents=True)
    path.write_text("theirs")
    ran = program("bench", "--data", arrays, "--strategy", "margin", "--out", "taken", *QUICK)

    assert ran.code == 2
    assert "The folder taken holds other files, and no runs of an earlier comparison" in ran.err
    assert [p for p in (tmp_path / "taken").rglob("*") if p.is_file()] == [path]


def test_a_folder_that_is_empty_or_cannot_be_read_or_is_a_file(program, arrays, tmp_path, monkeypatch):
    def told(out):
        return program("bench", "--data", arrays, "--strategy", "margin", "--out", out, *QUICK)

    (tmp_path / "empty").mkdir()
    assert told("empty").code == 0
    (tmp_path / "file").touch()
    assert "Cannot make the folder file" in told("file").err

    def denied(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    ran = told("empty")
    assert (ran.code, "Cannot read the folder empty: Permission denied." in ran.err) == (2, True)


def test_no_runs_at_a_time_are_refused_like_other_options(program, arrays):
    ran = program("bench", "--data", arrays, "--n-jobs", 0)

    assert ran.code == 2
    assert "--n-jobs" in ran.err
    assert "0 runs at a time do nothing" in ran.err


def test_an_array_of_another_kind_of_file_is_one_clear_line(program, tmp_path):
    np.save(tmp_path / "x.npy", np.eye(60))
    (tmp_path / "x.npy").rename(tmp_path / "x.npz")
    ran = program("bench", "--data", "x.npz")

    assert ran.code == 2
    assert "x.npz is no .npz archive" in ran.err
    assert "Traceback" not in ran.err


def test_without_matplotlib_there_is_no_picture_and_a_note(program, arrays, monkeypatch, tmp_path):
    def no_plot(*_):
        raise MissingExtra("Drawing a plot", "matplotlib", "plots")

    monkeypatch.setattr("bootstrap.testing.comparison.plot_label_efficiency", lambda *_, **__: no_plot())
    ran = program("bench", "--data", arrays, "--strategy", "margin", *QUICK)

    assert ran.code == 0
    assert ran.err.startswith("Note: no picture was drawn. Drawing a plot needs matplotlib")
    assert "curves.csv, table.csv Nothing" in ran.out + " Nothing"
    assert not (tmp_path / "arrays-bench" / "curves.png").exists()


def test_a_figure_that_pyplot_keeps_is_closed(program, arrays):
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    program("bench", "--data", arrays, "--strategy", "margin", *QUICK)
    assert pyplot.get_fignums() == before


def test_a_strategy_that_never_gets_there_is_said_so():
    row = {
        "area": 0.5,
        "difference": -0.1,
        "low": -0.15,
        "high": -0.05,
        "ahead": 0.1,
        "labels_needed": float("nan"),
        "labels_ratio": float("nan"),
        "seconds": 0.123,
    }

    assert module._cells(row, 10) == ["0.500", "-0.100", "-0.150 to -0.050", "1 of 10", "never", "0.12"]


def test_the_help_has_examples_and_loads_nothing_heavy(program):
    assert "bootstrap-labels bench --data" in program("bench", "--help").out.partition("Examples")[2]


# what it reads


def test_columns_of_numbers_are_features_and_the_id_is_not(cells):
    found = read_bench_data(cells, features="size,age,round")

    assert found.X.shape == (120, 3)
    assert np.isnan(found.X[0, 1])
    assert set(found.X[:, 2]) == {0.0, 1.0}
    assert [name for name, _ in found.estimator.steps] == [
        "simpleimputer",
        "standardscaler",
        "logisticregression",
    ]
    assert found.notes == (
        "120 items (3 features), 2 classes, the largest 50 %.",
        "Empty cells are filled with the median of what is labeled.",
    )


def test_without_names_all_other_columns_must_be_numbers(cells, tmp_path):
    with pytest.raises(
        InvalidInput,
        match=r"Line 2 of .*cells.csv has '\w+' in 'stain', which is no number.*--features "
        r"size,age,round,stain\. To go without it: --features size,age,round",
    ):
        read_bench_data(cells, id="nr")
    pd.read_csv(cells).drop(columns="stain").to_csv(tmp_path / "numbers.csv", index=False)
    assert read_bench_data(tmp_path / "numbers.csv", id="nr").X.shape == (120, 3)


def test_a_named_column_of_categories_becomes_one_of_0_and_1_for_each(cells):
    found = read_bench_data(cells, features="size, stain")

    assert found.X.shape == (120, 4)
    assert (found.X[:, 1:].sum(axis=1) == 1).all()
    assert "A column of 0 and 1 for each category of stain." in found.notes
    assert [name for name, _ in found.estimator.steps] == ["standardscaler", "logisticregression"]


def test_a_column_with_many_values_is_no_category(cells):
    with pytest.raises(InvalidInput, match=r"'nr' of .* has 120 different values, more than the 50"):
        read_bench_data(cells, features="size,nr")


def test_features_with_categories_and_gaps_can_be_compared(program, cells):
    ran = program(
        "bench", "--data", cells, "--features", "size,age,stain", "--strategy", "cold_start", *QUICK
    )

    assert ran.code == 0


def test_rows_without_a_label_or_a_text_and_copies_are_left_out_and_told(tmp_path):
    path = tmp_path / "texts.jsonl"
    rows = [{"text": f"text {i}", "label": "ab"[i % 2]} for i in range(50)]
    rows += [{"text": "", "label": "a"}, {"text": "x"}, {"text": "text 3", "label": "b"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_bench_data(path, text="text")

    assert tuple(found.X) == tuple(f"text {i}" for i in range(50))
    assert found.notes[1:] == (
        "Rows without a text or a label, left out: 2.",
        "Rows that repeat an earlier text, left out (a copy is no test): 1.",
    )
    with path.open("a") as file:
        file.write('{"text": "7", "label": ""}\n')
    path.write_text(path.read_text().replace("text ", ""))
    features = read_bench_data(path, features="text")
    assert features.X.shape == (52, 1)
    assert features.notes[-1] == "Rows without a label, left out: 2."


def test_arrays_are_read_with_labels_of_any_name_and_kind(arrays):
    assert read_bench_data(arrays).X.dtype == np.float64
    assert read_bench_data(arrays, label="kind").y.tolist()[:3] == ["0", "1", "2"]
    assert set(read_bench_data(arrays, label="more").y.tolist()) == {True, False}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "is no .npz archive, or is cut off. Write it with numpy.savez"),
        (b"", "is no .npz archive"),
        (b"PK\x05\x06" + bytes(18), "has no array 'X'"),
        (b"ahead" + b"PK\x05\x06" + bytes(18), "can't be read: it is damaged"),
        ({"X": np.ones((60, 0)), "y": np.arange(60) % 2}, r"X of shape \(60, 0\): there is no column"),
        ({"X": np.ones((60, 2, 1)), "y": np.arange(60) % 2}, r"X of shape \(60, 2, 1\) .* must be a table"),
        (
            {"X": np.eye(60) + [0, np.nan] * 30, "y": np.arange(60) % 2},
            r"Column 1 \(from 0\) of X .* is empty",
        ),
        ({"X": np.eye(60) * -1e300, "y": np.arange(60) % 2}, "Column 0 .* holds 1e.300, which is too large"),
        ({"X": np.eye(60), "y": [0, np.nan] * 30}, "array 'y' of .*a.npz holds nan in row 1, .* no label"),
        ({"X": np.eye(60), "y": [0, 0.5] * 30}, "holds 0.5 in row 1"),
        ({"X": np.eye(60), "y": ["a", ""] * 30}, "holds '' in row 1"),
        (
            {"X": np.eye(60), "y": np.array(["2020", "2021"] * 30, "M8[D]")},
            r"'y' of .* is of datetime64\[D\]",
        ),
        ({"X": np.eye(60), "y": np.array(["2020", "2021"] * 30, "M8[ns]")}, r"y.astype\(str\)"),
        ({"X": np.eye(60)}, r"has no array 'y'. It has: 'X'"),
        ({"y": np.arange(60) % 2}, "has no array 'X'"),
        ({"X": np.eye(60), "y": np.zeros((60, 2))}, r"y of shape \(60, 2\): X must be a table of numbers"),
        ({"X": np.eye(60)[:50], "y": np.arange(60) % 2}, "one label for each"),
        ({"X": np.eye(60).astype(str), "y": np.arange(60) % 2}, "must be a table of numbers"),
        ({"X": np.full((60, 2), np.inf), "y": np.arange(60) % 2}, "infinity in X"),
        ({"X": np.eye(60), "y": np.array([None, 1] * 30)}, r"not of objects: y.astype\(str\)"),
        ({"X": np.eye(60), "y": np.arange(60)}, "'y' holds 60 different labels in 60 rows"),
        ({"X": np.eye(60), "y": np.zeros(60)}, "'y' holds 1 different labels"),
    ],
)
def test_arrays_that_cannot_be_compared_on_are_refused(tmp_path, content, message):
    path = tmp_path / "a.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez(path, **content)
    with pytest.raises(InvalidInput, match=message):
        read_bench_data(path)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("label,a\n" + "x,1\ny,2\n" * 5, {"label": "lable"}, r"no column 'lable' \(--label\). Did you mean"),
        ("label,a\n" + "x,1\ny,2\n" * 5, {"text": "b"}, r"no column 'b' \(--text\)"),
        ("label,a\n" + "x,1\ny,2\n" * 5, {"features": "a,b"}, r"no column 'b' \(--features\)"),
        ("label,a\n" + "x,1\ny,2\n" * 5, {"features": "a,label"}, "which holds the labels"),
        ("label,a\n" + "x,1\ny,2\n" * 5, {"features": " ,"}, "no column of .* to learn from"),
        ("label,a\n" + "x,1\ny,2\n" * 5, {"id": "nr"}, r"no column 'nr' \(--id\)"),
        ("label,a\n" + "x,1\ny,2\n" * 5, {"id": "a"}, "no column of .* to learn from"),
        ("label,a\n" + "x,1\ny,2\n" * 5, {"text": "a", "features": "a"}, "name one of them"),
        ("label,a\n" + "x,1\ny,inf\n" * 5, {}, "Line 3 of .* has infinity in 'a'"),
        ("label,a,b\n" + "x,1,\ny,2,\n" * 5, {}, "column 'b' of .* is empty: leave it out"),
        ("label,a,b\n" + "x,1,2\ny,2,-1e300\n" * 5, {}, "column 'b' of .* holds 1e.300.*too large: scale it"),
        ("label,a\n" + ",1\n,2\n" * 5, {}, "No row has a label in 'label'"),
        ("label,a\n" + "x,1\nx,2\n" * 5, {}, "'label' holds 1 different labels in 10 rows"),
        ("label,a\n" + "x,one\ny,2\n" * 5, {}, r"'one' in 'a', which is no number.*--features a\.$"),
    ],
)
def test_tables_that_cannot_be_compared_on_are_refused(tmp_path, content, options, message):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=message):
        read_bench_data(path, **options)


def test_an_archive_of_other_files_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    with ZipFile(path, "w") as archive:
        archive.writestr("X", "not an array")
        archive.writestr("y", "nor this")

    with pytest.raises(InvalidInput, match="holds other things than arrays"):
        read_bench_data(path)


def test_columns_cannot_be_named_of_arrays(arrays, tmp_path):
    with pytest.raises(InvalidInput, match="leave --text, --features and --id out"):
        read_bench_data(arrays, text="t")
    with pytest.raises(InvalidInput, match=r"Cannot read .*: No such file"):
        read_bench_data(tmp_path / "none.npz")
