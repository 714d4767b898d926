"""`bootstrap.strategies` tells our package from any other one called `strategies`."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import bootstrap.strategies
import strategies
from bootstrap.errors import PackageShadowed

GUARD = Path(bootstrap.strategies.__file__)
ROOT = GUARD.parents[1]


def load_guard():
    """Run the guard's file as a module of another name, on the present sys.path and sys.modules."""
    spec = importlib.util.spec_from_file_location("guard_under_test", GUARD)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_a_fresh_start(*arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def forget(monkeypatch):
    """As if `strategies` had not been imported yet; put back afterwards."""

    def loaded():
        return [name for name in sys.modules if name.split(".")[0] == "strategies"]

    for name in loaded():
        monkeypatch.delitem(sys.modules, name)
    yield
    for name in loaded():
        del sys.modules[name]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_it_holds_all_that_the_package_makes_public():
    assert bootstrap.strategies.__all__ == strategies.__all__
    for name in strategies.__all__:
        assert getattr(bootstrap.strategies, name) is getattr(strategies, name)


def test_a_folder_beside_the_script_is_reported(tmp_path):
    write(tmp_path / "strategies" / "__init__.py", "def buy(): ...\n")
    write(tmp_path / "trade.py", "import bootstrap.strategies\n")
    done = in_a_fresh_start(str(tmp_path / "trade.py"))
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("bootstrap.errors.PackageShadowed: `import strategies` found")
    assert str(tmp_path / "strategies" / "__init__.py") in last
    assert "Rename your own file or folder, or run from another folder" in last
    assert "virtual environment" in last
    assert f"put {ROOT} first on sys.path" in last


FOREIGN = {
    "a package": ("strategies/__init__.py", ""),
    "a single file": ("strategies.py", "margin = 3"),
    "one of another distribution": ("strategies/__init__.py", "__distribution__ = 'backtests'"),
    "one that fails to import": ("strategies/__init__.py", "import no_such_package_of_yours"),
    "an old copy of ours": (
        "strategies/__init__.py",
        "__distribution__ = 'bootstrap-labels'\ndef margin(): ...",
    ),
}


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_shadows_is_named(kind, tmp_path, monkeypatch):
    file, text = FOREIGN[kind]
    write(tmp_path / file, text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PackageShadowed, match=r"which is not .or not all of. the package") as caught:
        load_guard()
    assert str(tmp_path / file) in str(caught.value)


@pytest.mark.usefixtures("forget")
def test_a_folder_without_init_is_named_where_ours_is_not_on_the_path(tmp_path, monkeypatch):
    (tmp_path / "strategies").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(PackageShadowed) as caught:
        load_guard()
    assert f"found {tmp_path / 'strategies'}, which" in str(caught.value)


@pytest.mark.usefixtures("forget")
def test_a_module_that_was_made_by_hand_is_reported_too(monkeypatch):
    monkeypatch.setitem(sys.modules, "strategies", types.ModuleType("strategies"))
    with pytest.raises(PackageShadowed, match="found <module 'strategies'"):
        load_guard()


@pytest.mark.usefixtures("forget")
def test_with_no_package_at_all_the_plain_error_is_kept(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ModuleNotFoundError, match="No module named 'strategies'"):
        load_guard()


@pytest.mark.usefixtures("forget")
def test_a_missing_dependency_of_ours_is_not_called_shadowing(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(ModuleNotFoundError, match=r"scipy\.special"):
        load_guard()


def test_importing_strategies_loads_no_scikit_learn():
    heavy = "[name for name in ('sklearn', 'modAL', 'pandas') if name in sys.modules]"
    done = in_a_fresh_start("-c", f"import sys, bootstrap.strategies; print({heavy})")
    assert done.stdout.strip() == "[]"
