"""The program itself: its help, its version, and how it speaks of errors."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bootstrap import __version__
from bootstrap.cli import main
from bootstrap.cli.terminal_output import new_console, plain_warnings, progress_bar
from bootstrap.errors import InvalidInput


def test_the_version_is_the_packages(program: Callable[..., Any]) -> None:
    ran = program("--version")

    assert (ran.code, ran.out, ran.err) == (0, f"bootstrap-labels {__version__}", "")


def test_without_a_command_the_help_names_all_commands(program: Callable[..., Any]) -> None:
    for arguments in ((), ("--help",)):
        ran = program(*arguments)
        assert "Usage: bootstrap-labels" in ran.out
        assert "demo" in ran.out
        assert "run" in ran.out


@pytest.mark.parametrize("command", ["demo", "run"])
def test_the_help_of_a_command_has_an_example(program: Callable[..., Any], command: str) -> None:
    ran = program(command, "--help")

    assert ran.code == 0
    assert f"bootstrap-labels {command} " in ran.out.partition("Example")[2]


def test_the_help_is_printed_without_loading_anything_heavy(environment: dict[str, str]) -> None:
    code = (
        "import sys; from bootstrap.cli import main\n"
        "try: main(['run', '--help'])\n"
        "except SystemExit: print(sorted({'sklearn', 'modAL', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert ran.stdout.splitlines()[-1] == "[]"


def test_a_mistake_is_one_message_on_standard_error_with_exit_code_2(program: Callable[..., Any]) -> None:
    ran = program("run", "nothing.csv", "--text", "t", "--label-with", "terminal")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "Error: Cannot read nothing.csv: No such file or directory."


def test_debug_shows_where_a_mistake_comes_from(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Cannot read"):
        main(["run", str(tmp_path / "nothing.csv"), "--text", "t", "--label-with", "terminal", "--debug"])


def test_a_disk_that_fails_is_one_message_too(
    program: Callable[..., Any], mails: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "predictions.csv")

    monkeypatch.setattr("bootstrap.cli.label_files.write_predictions", full)
    ran = program("run", mails, "--text", "text", "--label-with", "column:truth", "--rounds", "1")

    assert ran.code == 2
    assert ran.err == "Error: [Errno 28] No space left on device: 'predictions.csv'"


def test_a_terminal_without_some_letter_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "argv", ["bootstrap-labels", "--version"])

    with pytest.raises(SystemExit):
        main()
    screen.write("–")
    screen.flush()
    assert screen.buffer.getvalue().endswith(b"?")


def test_output_may_go_to_any_object_that_can_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    page = io.StringIO()
    monkeypatch.setattr(sys, "stdout", page)

    with pytest.raises(SystemExit):
        main(["--version"])
    assert page.getvalue() == f"bootstrap-labels {__version__}\n"


def test_lines_are_as_wide_as_the_terminal_but_no_wider_than_an_eye_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for columns, width in (("70", 70), ("100", 100), ("250", 100)):
        monkeypatch.setenv("COLUMNS", columns)
        assert new_console().width == width


def test_a_warning_for_the_user_is_one_plain_note(capsys: pytest.CaptureFixture[str]) -> None:
    with plain_warnings():
        warnings.warn("all labels are of one class", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "Note: all labels are of one class\n"

    with pytest.raises(RuntimeWarning), plain_warnings():  # others stay what the filters make of them
        warnings.warn("for developers", RuntimeWarning, stacklevel=1)


def test_a_progress_bar_is_drawn_only_where_it_is_wanted_and_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    with progress_bar(10) as callbacks:
        assert callbacks == []
    monkeypatch.setattr(sys, "stderr", Screen())
    with progress_bar(10, wanted=False) as callbacks:
        assert callbacks == []
    with progress_bar(10) as callbacks:
        assert len(callbacks) == 1
