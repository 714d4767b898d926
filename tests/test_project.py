"""The project's papers stay in step with its code."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bootstrap import __version__

NAMES_WITHOUT_A_CONCEPT = {"utils", "helpers", "common", "misc"}


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def targets(repository: Path) -> list[str]:
    """The Makefile's commands."""
    phony = re.search(r"^\.PHONY: (.+)$", (repository / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    return phony[1].split()


def source_files(repository: Path) -> list[Path]:
    return sorted(
        path for package in ("bootstrap", "strategies") for path in (repository / package).rglob("*.py")
    )


def test_there_are_at_most_six_commands_and_contributing_names_each(
    repository: Path, targets: list[str]
) -> None:
    contributing = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")

    assert len(targets) <= 6
    assert [target for target in targets if f"make {target}" not in contributing] == []


def test_every_command_defined_in_the_makefile_is_declared(repository: Path, targets: list[str]) -> None:
    defined = re.findall(
        r"^([a-z-]+):(?!=)", (repository / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert sorted(set(defined)) == sorted(targets)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_a_document_names_no_command_that_does_not_exist(
    repository: Path, targets: list[str], document: str
) -> None:
    text = (repository / document).read_text(encoding="utf-8")
    named = re.findall(r"^(?:\$ )?make ([a-z-]+)", text, re.MULTILINE) + re.findall(r"`make ([a-z-]+)", text)

    assert set(named) <= set(targets)


def test_the_changelog_opens_with_the_current_version(repository: Path) -> None:
    versions = re.findall(
        r"^## \[(.+?)\]", (repository / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert versions[0] == __version__


def test_the_lowest_versions_tested_are_the_ones_promised(repository: Path, project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    required = project["project"]["dependencies"] + [
        requirement for extra in ("plots", "dask", "postgres", "parquet") for requirement in extras[extra]
    ]
    lines = (repository / "constraints" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    constrained = [line for line in lines if line and not line.startswith("#")]

    lowest = [re.sub(r"\[\w+\]", "", requirement).replace(">=", "==") for requirement in required]
    assert sorted(constrained) == sorted(lowest)  # a constraint may not name an extra


def test_the_extra_named_all_brings_every_other(project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    (requirement,) = extras["all"]
    named = requirement.removeprefix("bootstrap-labels[").removesuffix("]").split(",")

    assert sorted(named) == sorted(set(extras) - {"all"})


def test_every_file_says_what_it_holds(repository: Path) -> None:
    silent = [
        str(path.relative_to(repository))
        for path in source_files(repository)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_every_file_is_named_by_a_concept(repository: Path) -> None:
    files = source_files(repository)

    assert files
    assert [path for path in files if path.stem.strip("_") in NAMES_WITHOUT_A_CONCEPT] == []
