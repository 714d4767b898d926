"""What the screen shows: nothing in an item is interpreted, long ones are paged, keys are explained."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bootstrap.labelers.terminal.display import MOST_CHARACTERS, Display, item_view, plain_text
from bootstrap.labelers.terminal.session import Session
from bootstrap.records import Query


def a_console(**options: Any) -> Console:
    return Console(file=io.StringIO(), **{"width": 70, "height": 24, "legacy_windows": False, **options})


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    console.file.seek(0)
    console.file.truncate()
    return text


def shown(item: Any, **options: Any) -> str:
    console = a_console(**options)
    console.print(item_view(item))
    return printed(console)


def a_session(
    item: Any = "some text", classes: Sequence[Any] = ("spam", "ham"), open_classes: bool = True, n: int = 2
) -> Session:
    queries = [Query(f"q{i}", item, f"t{i}", tuple(classes), open_classes) for i in range(n)]
    return Session(queries, clock=lambda: 0.0)


def drawn(session: Session, guidelines: str | None = None, **options: Any) -> str:
    console = a_console(**options)
    Display(console, guidelines).draw(session)
    return printed(console)


# items


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("[red]not[/red] [link=x]y[/link] :smile:", "[red]not[/red] [link=x]y[/link] :smile:"),
        ("\x1b[31mred\x1b[0m \x1b[2J\x1b[1;1H", "red "),
        ("\x1b]0;a title\x07text \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "text link"),
        ("\x1bPdevice\x1b\\ \x1b^x\x1b\\y", " y"),
        ("never ended \x1b]0;all of this stays", "never ended 0;all of this stays"),
        ("\x9b31mC1\x85", "31mC1"),
        ("bell\x07 back\x08 null\x00 delete\x7f \x1b(0 \x1bc\x1b", "bell back null delete  "),
        ("tab\tand\nline\r\nends\rkept", "tab\tand\nline\nends\nkept"),
        ("right\u202eto\u2066left\u2069", "righttoleft"),
        ("half a pair \ud83d", "half a pair ?"),
        (None, "None"),
        (np.array([1.5, 2.0]), "[1.5 2. ]"),
    ],
)
def test_control_sequences_are_removed_and_nothing_else(raw: Any, plain: str) -> None:
    assert plain_text(raw) == plain


@given(st.text())
def test_no_text_can_reach_the_terminal_as_a_command(text: str) -> None:
    found = plain_text(text)

    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in found if letter not in "\n\t")


def test_what_the_terminal_cannot_write_becomes_a_question_mark() -> None:
    assert plain_text("Zoë 漢", "ascii") == "Zo? ?"
    assert plain_text("Zoë 漢", "latin-1") == "Zoë ?"


def test_a_very_long_text_says_how_much_is_missing() -> None:
    text = plain_text("x" * (MOST_CHARACTERS + 1234))

    assert text.endswith("x\n[... 1,234 more characters are not shown]")
    assert len(text) < MOST_CHARACTERS + 60


def test_markup_in_a_text_is_shown_as_it_is() -> None:
    assert shown("[bold]a[/bold] :smile: [/]") == "[bold]a[/bold] :smile: [/]\n"


def test_a_mapping_is_a_table_of_two_columns() -> None:
    lines = shown({"age": 41, "[b]name": "Zoë [i]x", "note": "two\nlines"}).splitlines()

    assert [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines[1:-1]] == [
        ["age", "41"],
        ["[b]name", "Zoë [i]x"],
        ["note", "two"],
        ["", "lines"],
    ]


def test_a_long_cell_is_wrapped_not_cut() -> None:
    word = "x" * 150

    assert shown({"a": word}).count("x") == 150
    assert shown(word).count("x") == 150


def test_the_path_of_an_image_is_shown_with_its_size(tmp_path: Path) -> None:
    image = tmp_path / "scan.PNG"
    image.write_bytes(b"x" * 999)
    assert shown(image, width=500) == f"{image}\n(999 bytes)\n"
    assert shown(str(image), width=500) == f"{image}\n(999 bytes)\n"
    image.write_bytes(b"x" * 12_345)
    assert shown(image, width=500).endswith("\n(12 kB)\n")


@pytest.mark.parametrize("path", ["scans/none.jpeg", Path("scans/none.dcm"), "null\x00.png"])
def test_an_image_that_is_not_there_says_so(path: Any) -> None:
    assert shown(path).endswith("\n(no such file here)\n")


@pytest.mark.parametrize("text", ["see cat.png for it.", "a.png\nb.png", "x" * 5_000 + ".png"])
def test_a_text_that_mentions_an_image_stays_a_text(text: str) -> None:
    assert "no such file" not in shown(text)


# the screen


def test_the_screen_says_where_the_person_is_and_what_the_keys_do() -> None:
    assert drawn(a_session()).splitlines() == [
        "1 of 2",
        "",
        "some text",
        "",
        "  1  spam",
        "  2  ham",
        "",
        "s or space skip   u undo   + new class   ? help   q quit",
    ]


def test_the_persons_own_pace_is_shown_after_the_first_answer() -> None:
    session = Session(a_session(n=4)._queries, durations=[4.0], clock=lambda: 0.0)
    assert drawn(session).startswith("1 of 4   your pace: 15.0 a minute, 16 s left\n")
    session = Session(a_session(n=100)._queries, durations=[4.0], clock=lambda: 0.0)
    assert drawn(session).startswith("1 of 100   your pace: 15.0 a minute, 7 min left\n")


def test_a_closed_list_offers_no_new_class() -> None:
    assert "new class" not in drawn(a_session(open_classes=False))


def test_what_just_happened_stands_above_the_keys() -> None:
    session = a_session()
    session.press("2")

    assert drawn(session).splitlines()[-2] == "Last answer: ham"


def test_classes_and_messages_are_not_interpreted_either() -> None:
    session = a_session(classes=("[red]a[/red]\x1b[31m", "b"))
    session.press("1")
    screen = drawn(session)

    assert "  1  [red]a[/red]\n" in screen
    assert "Last answer: [red]a[/red]\n" in screen
    assert "\x1b" not in screen


def test_a_long_item_is_shown_in_pages_that_fit() -> None:
    session = a_session("\n".join(f"line {i}" for i in range(1, 41)))
    seen = []
    for _ in range(4):
        screen = drawn(session).splitlines()
        assert len(screen) < 24
        seen.append([line for line in screen if line.startswith("line")])
        note = screen[-5]
        session.press("m")

    assert seen[0] + seen[1] + seen[2] == [f"line {i}" for i in range(1, 41)]
    assert seen[3] == seen[0]
    assert note == "part 1 of 3: m or PageDown shows more"


def test_going_back_from_the_first_page_shows_the_last() -> None:
    session = a_session("\n".join(f"line {i}" for i in range(1, 41)))
    session.press("pageup")

    assert "line 40" in drawn(session)


def test_a_tiny_window_still_shows_some_of_the_item() -> None:
    screen = drawn(a_session("one\ntwo\nthree\nfour"), height=5)

    assert "one\ntwo\nthree\npart 1 of 2" in screen


def test_an_empty_item_is_an_empty_page() -> None:
    assert "part" not in drawn(a_session(""))


def test_the_item_is_laid_out_once_while_a_person_types() -> None:
    class Counting:
        n = 0

        def __str__(self) -> str:
            Counting.n += 1
            return "counted"

    session = a_session(Counting(), classes=[f"class {i}" for i in range(12)])
    display = Display(a_console())
    for key in "class":
        display.draw(session)
        session.press(key)
    assert Counting.n == 1
    session.press("enter")
    display.draw(session)
    assert Counting.n == 2


def filtering(*keys: str, classes: int = 12, open_classes: bool = True) -> list[str]:
    session = a_session(classes=[f"class {i}" for i in range(classes)], open_classes=open_classes)
    for key in keys:
        session.press(key)
    return drawn(session, width=80).splitlines()


def test_a_filter_shows_the_first_matches_and_how_many_there_are() -> None:
    assert filtering()[3:] == [
        "",
        "class> _",
        *(f"        class {i}" for i in range(8)),
        "        (12 classes: type to narrow the list)",
        "",
        "type, Enter picks   :s skip   :u undo   +name adds   :? help   :q quit",
    ]


def test_a_filter_marks_what_enter_would_pick() -> None:
    assert filtering("1")[4:9] == [
        "class> 1_",
        "Enter > class 1",
        "        class 10",
        "        class 11",
        "",
    ]
    assert filtering("1", "down")[5:7] == ["        class 1", "Enter > class 10"]


def test_the_item_does_not_jump_while_a_person_types() -> None:
    assert {len(filtering(*typed)) for typed in ("", "1", "11", "x", ":u")} == {len(filtering())}


def test_the_list_scrolls_with_the_selection() -> None:
    assert filtering("up")[5:13] == [*(f"        class {i}" for i in range(4, 11)), "Enter > class 11"]
    assert filtering(*["down"] * 8)[5:13] == [
        *(f"        class {i}" for i in range(2, 8)),
        "Enter > class 8",
        "        class 9",
    ]


def test_a_filter_without_a_match_says_so() -> None:
    assert filtering("x")[5] == "        (no match)"
    assert filtering(":")[5] == ""
    assert "+name" not in filtering(open_classes=False)[-1]


def test_the_note_on_pages_names_the_key_of_the_mode() -> None:
    session = a_session("line\n" * 60, classes=range(12))

    assert "part 1 of 8: :m or PageDown shows more" in drawn(session)
    session.press("?")
    assert "m more   any other key: back" in drawn(session)


def test_naming_a_class_shows_what_is_typed() -> None:
    session = a_session()
    session.press("+")
    session.press("n")

    assert drawn(session).splitlines()[4:] == ["new class> n_", "", "Enter adds it   Esc back"]


def test_the_first_class_of_an_open_list_is_asked_for() -> None:
    screen = drawn(a_session(classes=()), width=90).splitlines()

    assert screen[4:] == [
        "new class> _",
        "",
        "type a name, Enter adds it   :s skip   :u undo   +name adds   :? help   :q quit",
    ]


@pytest.mark.parametrize(
    ("classes", "line"),
    [
        (("a", "b"), "  digits    give the class beside the digit"),
        (("a", "b"), "  +         add a new class and give it"),
        (("a", "b"), "  s, space  skip: you can't tell"),
        (range(12), "  :s        skip: you can't tell"),
        (range(12), "  +name     add a new class and give it"),
    ],
)
def test_help_shows_the_guidelines_as_they_are_and_every_key(classes: Any, line: str) -> None:
    session = a_session(classes=classes)
    session.helping = True
    screen = [text.rstrip() for text in drawn(session, "Spam is [b]unwanted[/b].").splitlines()]

    assert "  Spam is [b]unwanted[/b]." in screen
    assert line in screen
    assert screen[-1] == "m more   any other key: back"


def test_help_without_guidelines_says_that_there_are_none() -> None:
    session = a_session(open_classes=False)
    session.press("?")

    assert "No guidelines were given for this task." in drawn(session)
    assert "add a new class" not in drawn(session)


def test_where_the_screen_cannot_be_cleared_everything_is_printed_in_full() -> None:
    console = a_console(height=10)
    session = a_session("\n".join(f"line {i}" for i in range(40)))
    Display(console, "Be kind.").print(session)
    text = printed(console)

    assert text.startswith("\n1 of 2\nline 0\n")
    assert "line 39\n  1  spam\n  2  ham\n" in text
    session.line("?")
    Display(console, "Be kind.").print(session)
    assert "Be kind." in printed(console)


def test_a_terminal_that_knows_only_ascii_gets_only_ascii() -> None:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding="ascii"), width=70, height=24, force_terminal=True)
    display = Display(console, "Zoë’s guidelines")
    for item in ("Zoë", {"naïve": "漢"}):
        session = a_session(item, classes=("ö", "ä"))
        session.press("1")
        display.draw(session)
        session.press("?")
        display.draw(session)
    console.file.flush()

    assert b"Zo?" in raw.getvalue()
    assert b"Last answer: ?" in raw.getvalue()
