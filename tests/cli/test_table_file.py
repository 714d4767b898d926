"""Tables from files: what is read, and how a file that makes no sense is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.cli.table_file import read_table
from bootstrap.errors import InvalidInput


def table_of(
    folder: Path, content: str | bytes, name: str = "table.csv"
) -> tuple[list[int], list[dict[str, str]]]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_table(path)
    return list(table.lines), list(table.rows)


def refusal(folder: Path, content: str | bytes, name: str = "table.csv") -> str:
    with pytest.raises(InvalidInput) as refused:
        table_of(folder, content, name)
    return str(refused.value)


def test_a_text_of_several_lines_stays_whole_and_rows_know_where_they_begin(tmp_path: Path) -> None:
    lines, rows = table_of(tmp_path, 'id,text\r\n1,"first,\r\nsecond ""line"""\r\n\r\n2,short\r\n')

    assert rows == [{"id": "1", "text": 'first,\r\nsecond "line"'}, {"id": "2", "text": "short"}]
    assert lines == [2, 5]


def test_numbers_and_spaces_stay_the_strings_they_are(tmp_path: Path) -> None:
    _, rows = table_of(tmp_path, "text,label\n 007 ,1.0\nNA,-1\n")

    assert rows == [{"text": " 007 ", "label": "1.0"}, {"text": "NA", "label": "-1"}]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    _, rows = table_of(tmp_path, b"\xef\xbb\xbftext\nna\xc3\xafve\n")

    assert rows == [{"text": "naïve"}]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_semicolons_and_tabs_part_cells_where_the_header_has_no_comma(tmp_path: Path, mark: str) -> None:
    _, rows = table_of(tmp_path, f"text{mark}label\nwell, yes{mark}good\n")

    assert rows == [{"text": "well, yes", "label": "good"}]


def test_a_cell_longer_than_the_csv_module_likes_is_read_and_its_limit_is_put_back(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    _, rows = table_of(tmp_path, "text\n" + "long " * 50_000 + "\n")

    assert len(rows[0]["text"]) == 250_000
    assert csv.field_size_limit() == limit


def test_json_lines_give_strings_and_a_missing_or_null_value_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "table.JSONL"
    path.write_text(
        '{"text": "two\\nlines \u2028 here", "label": 3}\n\n{"text": null}\n{"label": true, "more": 1.0}\n',
        encoding="utf-8",
    )
    table = read_table(path)

    assert table.columns == ("text", "label", "more")
    assert table.lines == (1, 3, 4)
    assert table.column("text", "--text") == ["two\nlines \u2028 here", "", ""]
    assert table.column("label", "--label") == ["3", "", "true"]
    assert table.column("more", "--more") == ["", "", "1.0"]


@given(cells=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_whatever_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    path = tmp_path_factory.mktemp("cells") / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("text", "end"), *((cell, "x") for cell in cells)])

    assert read_table(path).column("text", "--text") == cells


def test_an_unknown_column_is_refused_with_all_columns_and_a_near_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("Body,label\na,b\n", encoding="utf-8")
    table = read_table(path)

    for asked, near in (("lable", " Did you mean 'label'?"), ("BODY", " Did you mean 'Body'?"), ("q", "")):
        with pytest.raises(InvalidInput) as refused:
            table.column(asked, "--text")
        assert (
            str(refused.value) == f"{path} has no column '{asked}' (--text).{near} It has: 'Body', 'label'."
        )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("text,label\n", "has a header but no rows"),
        ("text,text\na,b\n", "more than one column named 'text'"),
        ("text,label\na,b\nwell, yes,b\n", "Line 3 of {path} has 3 cells and the header has 2"),
        ('text,label\na,b\n"open,b\nc,d\n', "Line 3 of {path} can't be read as CSV"),
        ('text,label\na,b\n"closed" too early,b\n', "Line 3 of {path} can't be read as CSV"),
        (b"text\nfine\ncaf\xe9\n", "Line 3 of {path} is not UTF-8 (byte 0xe9)"),
    ],
)
def test_a_csv_file_that_makes_no_sense_is_refused_with_its_line(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    assert said.format(path=tmp_path / "table.csv") in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "a"}\n{"text": "b"\n', "Line 2 of {path} is no JSON ("),
        ('{"text": "a"}\n["b"]\n', "Line 2 of {path} is no JSON object but a list."),
        ('"a"\n', "Line 1 of {path} is no JSON object but a text."),
        ("null\n", "Line 1 of {path} is no JSON object but null."),
        ("7\n", "Line 1 of {path} is no JSON object but a number."),
        ('{"text": {"de": "a"}}\n', "Line 1 of {path}: 'text' is an object."),
    ],
)
def test_a_json_lines_file_that_makes_no_sense_is_refused_with_its_line(
    tmp_path: Path, content: str, said: str
) -> None:
    assert said.format(path=tmp_path / "t.jsonl") in refusal(tmp_path, content, "t.jsonl")


@pytest.mark.parametrize(("name", "said"), [("mails.xlsx", "ends in '.xlsx'"), ("mails", "has no ending")])
def test_another_type_of_file_is_refused_before_it_is_read(tmp_path: Path, name: str, said: str) -> None:
    assert f"{said}: a table is read from .csv" in refusal(tmp_path, "text\na\n", name)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"Cannot read .*nothing\.csv: No such file"):
        read_table(tmp_path / "nothing.csv")
