"""The wheel holds everything, and works from a fresh virtual environment in another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from bootstrap import __version__

PACKAGES = ("bootstrap", "strategies")


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command away from this checkout's import path; what it printed."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    ran = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{ran.args}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout without a network."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=repository)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def fresh_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment's `bin`, with our wheel in it.

    The dependencies are borrowed from the environment that runs the tests, by a line in a .pth file:
    what stands there for our own packages is not, since the new environment's folder comes first and
    .pth files of a borrowed folder are not read.
    """
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=False)
    paths = sysconfig.get_paths("venv", vars={"base": str(folder), "platbase": str(folder)})
    borrowed = Path(paths["purelib"]) / "borrowed.pth"
    borrowed.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    scripts = Path(paths["scripts"])
    python = scripts / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps",
        "--force-reinstall", wheel, cwd=folder)  # fmt: skip
    return scripts


def test_the_wheel_holds_every_file_of_both_packages_and_nothing_else(repository: Path, wheel: Path) -> None:
    expected = {
        path.relative_to(repository).as_posix()
        for package in PACKAGES
        for path in (repository / package).rglob("*")
        if path.is_file()
        and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(repository).parts)
    }
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())

    metadata = f"bootstrap_labels-{__version__}.dist-info"
    assert {name for name in held if not name.startswith(metadata)} == expected
    assert {"bootstrap/py.typed", "strategies/py.typed"} <= held
    assert f"{metadata}/licenses/LICENSE" in held


def test_the_installed_wheel_is_what_runs_and_knows_its_version(
    fresh_environment: Path, tmp_path: Path
) -> None:
    printed = run(
        fresh_environment / "python",
        "-c",
        "import bootstrap, importlib.metadata as m; print(bootstrap.__file__, m.version('bootstrap-labels'))",
        cwd=tmp_path,
    )

    location, version = printed.split()
    assert Path(location).is_relative_to(fresh_environment.parent)
    assert version == __version__


def test_the_demo_runs_from_the_installed_wheel_in_another_folder(
    fresh_environment: Path, tmp_path: Path
) -> None:
    run(fresh_environment / "bootstrap-labels", "demo", "--out", "seen", cwd=tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["seen"]  # nothing is left elsewhere
    written = {path.name for path in (tmp_path / "seen").iterdir()}
    assert written == {"history.csv", "history.jsonl", "plot.png", "review_curve.png"}
    assert (tmp_path / "seen" / "plot.png").read_bytes().startswith(b"\x89PNG")
    rounds = (tmp_path / "seen" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["round"] for line in rounds] == list(range(1, len(rounds) + 1))
    assert len(rounds) > 1
