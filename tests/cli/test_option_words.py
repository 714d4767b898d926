"""What is said for Python is said in the words of the command line, and no other word is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from bootstrap.cli import app
from bootstrap.cli.option_words import OPTION_OF, in_options


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("target_accuracy is a share in (0, 1], got 2.0", "--target is a share in (0, 1], got 2.0"),
        (
            "held_out=0 leaves nothing: set audit_share=0 too",
            "--held-out 0 leaves nothing: set --audit-share 0 too",
        ),
        ("format='xml' is not one of csv", "--format 'xml' is not one of csv"),
        ("or say format= (csv, jsonl)", "or say --format (csv, jsonl)"),
        ("say which loop (loop=): the store has 'a', 'b'", "say which loop (--loop): the store has 'a', 'b'"),
        ("columns= names 'x'", "--column names 'x'"),
        ("The loop has classes by which to go: a loop, a format.", None),
        ("there is no column 'held_out' (--id); it has 'loop=1', \"older_than\"", None),
        ("target_accuracy_2 and my_held_out, x/review_rate and --review-rate", None),
    ],
)
def test_arguments_are_read_as_options(said: str, read: str | None) -> None:
    assert in_options(said) == (said if read is None else read)


def options_of(command: Any) -> set[str]:
    found = {name for parameter in command.params for name in parameter.opts}
    for below in getattr(command, "commands", {}).values():
        found |= options_of(below)
    return found


def test_every_option_is_one_of_a_command() -> None:
    assert set(OPTION_OF.values()) <= options_of(typer.main.get_command(app))


def test_errors_of_the_program_speak_of_options(program: Any, mails: Path, tmp_path: Path) -> None:
    ask = ("run", mails, "--text", "text", "--label-with", "column:truth")
    ran = program(*ask, "--target", 2)
    assert (ran.code, ran.err) == (2, "Error: --target is a share in (0, 1], got 2.0; did you mean 0.02?")
    ran = program(*ask, "--held-out", 0, "--audit-share", 0.1)
    assert ran.err.startswith("Error: --held-out 0 leaves nothing to audit: set --audit-share 0 too")

    assert program(*ask, "--rounds", 1).code == 0
    ran = program("db", "export", "mails-labels", "out.txt")
    assert ran.err.startswith("Error: out.txt ends in '.txt': name a file that ends in .jsonl, ")
    assert "or say --format (csv, jsonl, label-studio, parquet)" in ran.err
    ran = program("db", "export", "mails-labels", "out.csv", "--format", "xml")
    assert ran.err == "Error: --format 'xml' is not one of csv, jsonl, label-studio, parquet"
    (tmp_path / "in.csv").write_text("id,label\n", encoding="utf-8")
    ran = program("db", "import", "mails-labels", "in.csv", "--column", "labels=label")
    assert ran.err.startswith("Error: --column names 'labels', which is none of id, item, label, ")
    ran = program("db", "prune", "mails-labels", "--older-than", "soon")
    assert ran.err.startswith("Error: --older-than 'soon' is no age")
    assert program(*ask, "--rounds", 1, "--target", 0.9).err.startswith(
        "Error: The run in mails-labels was begun with other settings: --target is 0.95 there and 0.9 now"
    )
