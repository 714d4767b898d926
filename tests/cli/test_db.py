"""`bootstrap-labels db`: each command says what it did, and finds the store by whatever names it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from bootstrap.cli.db import storage_of
from bootstrap.errors import InvalidInput
from bootstrap.pool import Place
from bootstrap.store import schema
from bootstrap.store.database import Database
from bootstrap.store.upkeep.checking import check

Program = Callable[..., Any]


@pytest.fixture
def filled(tmp_path: Path, small_loop: Callable[..., None]) -> str:
    """The URL of a store with one small loop, in the folder of a run."""
    folder = tmp_path / "mails-labels"
    folder.mkdir()
    url = f"sqlite:///{(folder / 'labels.db').as_posix()}"
    with closing(Database(url)) as database:
        small_loop(database)
    return url


def test_a_store_is_found_by_url_file_or_folder(program: Program, filled: str) -> None:
    for named in (filled, "mails-labels/labels.db", "mails-labels"):
        ran = program("db", "check", named)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith("The store is sound: ")
    assert storage_of("postgresql://ann@host/labels") == "postgresql://ann@host/labels"


def test_what_is_no_store_is_named(program: Program, tmp_path: Path) -> None:
    ran = program("db", "check", "nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: There is no nowhere. Name the file of a store")

    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match=r"folder empty holds no labels\.db"):
        storage_of("empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_check_fails_with_what_it_found(program: Program, filled: str) -> None:
    with closing(Database(filled)) as database, database.claiming() as connection:
        connection.execute(text("UPDATE labels SET at = 0 WHERE id = 5"))

    ran = program("db", "check", "mails-labels")

    assert ran.code == 1
    assert ran.out.startswith("The store has 1 problem: - Entry ")
    assert "does not fit its rows (labels 5)" in ran.out


def test_upgrade_says_what_it_did(program: Program, filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = program("db", "upgrade", filled)
    assert ran.code == 0
    assert ran.out == f"The store is up to date: schema {schema.SCHEMA_VERSION}. Nothing was changed."

    from bootstrap.store.upkeep import upgrading

    monkeypatch.setattr(upgrading, "upgrade", lambda url: upgrading.Upgraded(1, 2, Path("copy.db")))
    ran = program("db", "upgrade", filled)
    assert ran.out == (
        "The store went from schema 1 to 2. As it was before: copy.db. Delete that once all is well."
    )
    monkeypatch.setattr(upgrading, "upgrade", lambda url: upgrading.Upgraded(1, 2))
    assert program("db", "upgrade", filled).out == "The store went from schema 1 to 2."


def test_a_newer_store_is_refused(program: Program, filled: str) -> None:
    with closing(Database(filled)) as database, database.claiming() as connection:
        connection.execute(update(schema.store).values(schema_version=99))

    ran = program("db", "upgrade", filled)

    assert ran.code == 2
    assert "Install a newer one: pip install --upgrade bootstrap-labels" in ran.err


def test_backup_makes_a_store_and_overwrites_nothing(program: Program, filled: str, tmp_path: Path) -> None:
    ran = program("db", "backup", "mails-labels", "copy.db")
    assert ran.code == 0
    assert ran.out.startswith("Copied to copy.db (")
    assert check(f"sqlite:///{tmp_path / 'copy.db'}") == check(filled)

    ran = program("db", "backup", "mails-labels", "copy.db")
    assert ran.code == 2
    assert "overwrites nothing" in ran.err


def test_export_counts_what_it_wrote(program: Program, filled: str, tmp_path: Path) -> None:
    ran = program("db", "export", filled, "out.jsonl")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "5 items written to out.jsonl: 2 labeled, 1 skipped, 2 further answers."
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if json.loads(line).get("id", "").startswith("team-")]) == 5


def test_a_csv_is_safe_for_a_spreadsheet_unless_it_is_raw(
    program: Program, filled: str, tmp_path: Path
) -> None:
    program("db", "export", filled, "safe.csv", "--loop", "team")
    program("db", "export", filled, "raw.txt", "--format", "csv", "--raw")

    safe, raw = (tmp_path / "safe.csv").read_bytes(), (tmp_path / "raw.txt").read_bytes()
    assert safe.startswith(b"\xef\xbb\xbf")
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert len(list(csv.DictReader(raw.decode().splitlines()))) == 5


def test_an_export_again_tells_of_what_was_erased(program: Program, filled: str) -> None:
    program("db", "erase", filled, "team-4", "--yes")

    ran = program("db", "export", filled, "out.jsonl")

    assert "1 item without content, which was erased." in ran.out


def test_import_takes_labels_and_names_the_lines_that_it_could_not(
    program: Program, filled: str, tmp_path: Path
) -> None:
    rows = ["nr,truth", "team-3,b", "team-4,a", "nobody,a", "team-1,b"]
    (tmp_path / "in.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    command = (
        *("db", "import", filled, "in.csv", "--loop", "team", "--by", "bob"),
        *("--column", "id=nr", "--column", "label=truth", "--raw"),
    )

    ran = program(*command)

    assert ran.code == 1
    assert ran.out.startswith(
        "4 rows read: 2 new labels, 0 skipped, 0 kept beside another label, 1 known before"
    )
    assert "Lines about items that the loop does not have: 4" in ran.out
    with closing(Database(filled)) as database, database.reading() as connection:
        said = select(schema.labels.c.label, schema.labels.c.by).where(schema.labels.c.id > 6)
        assert [tuple(row) for row in connection.execute(said.order_by(schema.labels.c.id))] == [
            ('"b"', "bob"),
            ('"a"', "bob"),
        ]
    assert program(*command).out.startswith("4 rows read: 0 new labels")
    assert check(filled).ok


def test_an_import_says_what_is_not_trained_on_and_what_is_text(
    program: Program, filled: str, tmp_path: Path
) -> None:
    with closing(Database(filled)) as database, database.claiming() as connection:
        of_rows = schema.members.c.row.in_([3, 4])
        connection.execute(update(schema.members).where(of_rows).values(home=int(Place.HELD_OUT)))
        connection.execute(update(schema.class_lists).values(classes="null"))
        connection.execute(update(schema.loops).values(class_version=1))
    (tmp_path / "in.csv").write_text("id,label\nteam-2,b\nteam-3,1\nteam-4,+2\n", encoding="utf-8")

    ran = program("db", "import", filled, "in.csv")

    assert (ran.code, ran.err) == (0, "")
    assert "where the model is measured: 2 new labels, kept, but neither trained on nor evidence." in ran.out
    assert "Numbers taken as text, which is all that such a file can say: 2 new labels. To have" in ran.out
    again = program("db", "import", filled, "in.csv").out
    assert "held-out" not in again
    assert "as text" not in again


def test_an_import_without_trouble_ends_with_0(program: Program, filled: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,label\nteam-4,a\n", encoding="utf-8")

    ran = program("db", "import", filled, "in.csv")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("1 row read: 1 new label, ")


def test_a_column_that_is_no_pair_is_refused(program: Program, filled: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,label\n", encoding="utf-8")

    ran = program("db", "import", filled, "in.csv", "--column", "label")

    assert (ran.code, ran.err) == (2, "Error: --column label is not FIELD=COL, such as --column label=truth")


def test_import_names_new_classes_and_counts_what_it_passes_over(
    program: Program, filled: str, tmp_path: Path
) -> None:
    with closing(Database(filled)) as database, database.claiming() as connection:
        connection.execute(text("UPDATE class_lists SET classes = 'null'"))  # an open list
    trap, one, other = ({"label": name, "by": by} for name, by in (("a", "x"), ("a", "x"), ("b", "y")))
    rows = [
        {"id": "team-4", "label": "bb", "others": [trap | {"source": "trap"}]},
        {"id": "team-2", "others": [one, other]},
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    ran = program("db", "import", filled, "in.jsonl", "--loop", "team")

    assert "Classes that the loop did not have: 'bb'." in ran.out
    assert "Passed over: what was said in 1 row where no class counts" in ran.out
    assert ran.out.endswith("Passed over: 1 answer to traps.")


def test_erase_takes_what_people_saw_and_leaves_a_sound_store(program: Program, filled: str) -> None:
    ran = program("db", "erase", "mails-labels", "team-0", "team-1", "--by", "ann", "--yes")

    assert ran.code == 0
    assert ran.out.startswith("2 items erased, 0 had been before; ")
    assert check(filled).problems == ()
    with closing(Database(filled)) as database, database.reading() as connection:
        gone = select(schema.items.c.id).where(schema.items.c.content.is_(None))
        assert list(connection.execute(gone.order_by(schema.items.c.id)).scalars()) == [1, 2]


def test_where_nobody_can_be_asked_nothing_is_erased_without_yes(program: Program, filled: str) -> None:
    before = Path("mails-labels/labels.db").read_bytes()

    ran = program("db", "erase", filled, "team-1", "team-0", "team-copy", "nobody")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "Error: 3 items would lose content, features and id for good: team-0, team-1, team-4. "
        "2 with a label, which stays; 3 open questions would be withdrawn. "
        "Nothing was erased: there is nobody to ask here. To go ahead, add --yes."
    )
    assert Path("mails-labels/labels.db").read_bytes() == before
    every = [f"team-{i}" for i in range(5)]
    with closing(Database(filled)) as database, database.claiming() as connection:
        more = [{"id": 90 + i, "key": f"k{i}", "added_at": 0.0} for i in range(3)]
        connection.execute(schema.items.insert(), more)
        rows = [
            {"loop_id": 1, "row": 90 + i, "item_id": 90 + i, "name": f"m{i}", "home": 0} for i in range(3)
        ]
        connection.execute(schema.members.insert(), rows)
    ran = program("db", "erase", filled, *every, "m0", "m1", "m2")
    assert "8 items would lose" in ran.err
    assert "team-3, team-4 and 3 more. " in ran.err


@pytest.mark.parametrize(("said", "code"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_on_a_terminal_it_is_asked_whether_to_erase(
    program: Program, filled: str, said: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO(said)
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)

    ran = program("db", "erase", filled, "team-0")

    assert ran.code == code
    assert ran.out.startswith("1 item would lose content, features and id for good: team-0. 1 with a label")
    assert ("Nothing was erased." in ran.out) is bool(code)
    with closing(Database(filled)) as database, database.reading() as connection:
        gone = select(schema.items.c.id).where(schema.items.c.content.is_(None))
        assert list(connection.execute(gone).scalars()) == ([] if code else [1])


def test_prune_asks_too(program: Program, filled: str) -> None:
    with closing(Database(filled)) as database, database.claiming() as connection:
        connection.execute(update(schema.labels).values(at=0.0))
        connection.execute(update(schema.queries).values(state="withdrawn"))

    ran = program("db", "prune", filled, "--older-than", "1d", "--loop", "team")

    assert ran.code == 2
    assert ran.err.startswith("Error: 3 items would lose content, features and id for good: team-0, team-1")
    ran = program("db", "prune", filled, "--older-than", "1d", "--loop", "team", "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("3 items erased, ")


def test_ids_that_are_not_there_are_listed_up_to_twenty(program: Program, filled: str) -> None:
    ran = program("db", "erase", filled, *[f"x{i}" for i in range(25)])

    assert ran.code == 1
    assert "The store holds no item of the id: x0 x1 " in ran.out
    assert ran.out.endswith("x19 and 5 more")


def test_prune_erases_what_is_old(program: Program, filled: str) -> None:
    ran = program("db", "prune", filled, "--older-than", "1d")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("0 items erased, 0 had been before; 0 open questions withdrawn.")

    ran = program("db", "prune", filled, "--older-than", "soon")
    assert ran.code == 2
    assert "is no age" in ran.err


def test_bytes_that_may_remain_are_told(
    program: Program, small_loop: Callable[..., None], postgres_storage: str
) -> None:
    with closing(Database(postgres_storage)) as database:
        small_loop(database)

    ran = program("db", "erase", postgres_storage, "team-0", "--yes")

    assert ran.code == 0
    assert "Old bytes may remain" in ran.out


def test_the_help_lists_the_commands(program: Program) -> None:
    for arguments in (("db",), ("db", "--help")):
        ran = program(*arguments)
        for command in ("check", "upgrade", "backup", "export", "import", "erase", "prune"):
            assert command in ran.out


def test_the_whole_traceback_is_shown_when_asked_for(tmp_path: Path) -> None:
    from bootstrap.cli import main

    with pytest.raises(InvalidInput):
        main(["db", "check", str(tmp_path / "nowhere"), "--debug"])
