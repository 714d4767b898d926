"""`import bootstrap` is light, and every public name is where it says."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bootstrap
import bootstrap.store
import strategies

NEWLY_LOADED = """
import sys
before = set(sys.modules)
{statement}
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}}))
"""


def top_level_names_loaded_by(statement: str, repository: Path) -> set[str]:
    """Run `statement` in a fresh interpreter; the top-level names it brought into sys.modules."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", NEWLY_LOADED.format(statement=statement)],
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def all_modules() -> Iterator[str]:
    for package in (bootstrap, strategies):
        yield package.__name__
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield module.name


def test_importing_bootstrap_loads_nothing_from_outside_the_standard_library(repository: Path) -> None:
    loaded = top_level_names_loaded_by("import bootstrap", repository)

    assert loaded - set(sys.stdlib_module_names) == {"bootstrap"}


def test_records_and_errors_load_nothing_from_outside_the_standard_library(repository: Path) -> None:
    loaded = top_level_names_loaded_by(
        "from bootstrap import BootstrapError, Label, LabelerStopped, Query, Round, SKIP, StoreError",
        repository,
    )

    assert loaded - set(sys.stdlib_module_names) == {"bootstrap"}


def test_the_store_loads_sqlalchemy_when_it_is_used(repository: Path) -> None:
    named = top_level_names_loaded_by("import bootstrap.store", repository)
    used = top_level_names_loaded_by("from bootstrap.store import Database", repository)

    assert named - set(sys.stdlib_module_names) == {"bootstrap"}
    assert "sqlalchemy" in used
    assert not {"alembic", "psycopg", "pyarrow", "pandas"} & used


def test_no_module_needs_an_optional_dependency_to_be_imported(repository: Path) -> None:
    loaded = top_level_names_loaded_by("import " + ", ".join(all_modules()), repository)

    assert "sklearn" in loaded
    assert "matplotlib" not in loaded


def test_the_watch_on_loaded_modules_sees_a_heavy_one(repository: Path) -> None:
    assert "pandas" in top_level_names_loaded_by("import pandas", repository)


@pytest.mark.parametrize("name", bootstrap.__all__)
def test_every_name_at_the_front_door_leads_somewhere(name: str) -> None:
    assert getattr(bootstrap, name) is not None
    assert name in dir(bootstrap)


@pytest.mark.parametrize("name", bootstrap.store.__all__)
def test_every_name_of_the_store_leads_to_what_is_called_so(name: str) -> None:
    found = getattr(bootstrap.store, name)

    assert found.__name__ == name
    assert found.__module__.startswith("bootstrap.store.")
    assert name in dir(bootstrap.store)


def test_from_bootstrap_import_strategies_gives_the_strategies() -> None:
    from bootstrap import strategies as reexported

    assert reexported.margin is strategies.margin
    assert bootstrap.strategies is reexported


def test_strategies_are_at_hand_without_an_import_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(bootstrap, "strategies", raising=False)

    assert bootstrap.strategies.margin is strategies.margin


def test_an_unknown_name_at_the_front_door_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'bootstrap' has no attribute 'Lop'"):
        _ = bootstrap.Lop
    with pytest.raises(AttributeError, match=r"module 'bootstrap\.store' has no attribute 'Dexk'"):
        _ = bootstrap.store.Dexk


@pytest.mark.parametrize("name", sorted(all_modules()))
def test_every_public_name_of_a_module_exists_and_is_listed_once(name: str) -> None:
    # That the list is sorted is ruff's RUF022.
    module = importlib.import_module(name)

    assert len(module.__all__) == len(set(module.__all__))
    assert [public for public in module.__all__ if not hasattr(module, public)] == []
