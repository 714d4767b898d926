"""Labels and predictions as files: complete, and harmless in a spreadsheet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.cli.label_files import safe_cell


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "--1", "-"]
)
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert safe_cell(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["-1", "+1", "-12.50", "3 = 3", "a-b", "", "'=1"])
def test_plain_numbers_and_other_texts_stay_as_they_are(cell: str) -> None:
    assert safe_cell(cell) == cell


@given(cell=st.text())
def test_no_cell_begins_like_a_formula_unless_it_is_a_number(cell: str) -> None:
    safe = safe_cell(cell)

    assert safe in (cell, "'" + cell)
    if safe.startswith(("=", "@", "\t", "\r", "+", "-")):
        float(safe)
