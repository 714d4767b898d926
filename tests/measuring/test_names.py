"""What can be imported from the room, and what it must not drag in."""

from __future__ import annotations

import inspect
import subprocess
import sys

import bootstrap.measuring


def test_the_names_of_the_contract_can_be_imported():
    contract = {
        "accuracy_at_review_rate": ["correct", "confidence", "review_rate", "threshold", "people_error"],
        "review_curve": ["correct", "confidence", "thresholds", "delta"],
        "error_interval": ["errors", "n", "delta"],
    }
    for name, parameters in contract.items():
        assert name in bootstrap.measuring.__all__
        found = inspect.signature(getattr(bootstrap.measuring, name)).parameters
        assert [parameter for parameter in found if parameter in parameters] == parameters


def test_every_exported_name_is_there_and_documented():
    for name in bootstrap.measuring.__all__:
        assert getattr(bootstrap.measuring, name).__doc__


def test_measuring_alone_loads_nothing_heavy():
    code = (
        "import sys, bootstrap.measuring;"
        "heavy = {'modAL', 'sklearn', 'pandas', 'matplotlib', 'sqlalchemy', 'rich'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
